"""Whether what the identity endpoint gave is a token, and the one that was asked for.

Nothing of the answer is repeated in an error, not even what does not match: a wrong answer may
hold its token in any of its fields.
"""

from __future__ import annotations

from bootstrap.http.retry import PermanentError, RetryableError, document
from bootstrap.secret import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from bootstrap.http.http1 import Response
    from bootstrap.identity.identity_id import Selector

_MAX_NUMBER = 15  # digits; a moment in seconds has 10
# Under what names an answer repeats the selector. Arc writes a resource id under either.
_ECHOES = {
    "client_id": ("client_id",),
    "object_id": ("object_id",),
    "msi_res_id": ("msi_res_id", "mi_res_id"),
}


class Token:
    """A token, and for how many `seconds` from now it is good."""

    __slots__ = ("seconds", "secret")

    def __init__(self, secret: Secret, seconds: float) -> None:
        self.secret = secret
        self.seconds = seconds


def read_token(
    response: Response,
    audience: str,
    selector: Selector,
    *,
    echo: bool = False,
    wall_clock: Callable[[], float],
) -> Token:
    """The token in a 200 that asked for `audience` as `selector`.

    With `echo`, an answer that does not repeat the selector is another identity's, whatever kind
    it has; without, that holds for a client id, which every answer of IMDS repeats. `wall_clock`
    gives
    the seconds since 1970. Raises `RetryableError` for what is no good token yet, `PermanentError`
    for one
    that is not the one asked for.
    """
    answer = document(response)
    if not isinstance(answer, dict):
        raise RetryableError("wrong-shape", "it is not an object")
    secret = _secret(answer)
    if _text(answer, "token_type").casefold() != "bearer":
        raise RetryableError("wrong-shape", "token_type is not Bearer")
    if _text(answer, "resource").removesuffix("/").casefold() != audience.casefold():
        raise PermanentError("wrong-token", "gave a token for another audience")
    _check_identity(answer, selector, echo=echo)
    return Token(secret, _seconds(answer, wall_clock))


def _secret(answer: Mapping[str, Any]) -> Secret:
    token = answer.get("access_token")
    if not isinstance(token, str) or not token:
        raise RetryableError("wrong-shape", "it has no access_token")
    if not (token.isascii() and token.isprintable()) or " " in token:
        # It becomes part of a header, and must not be able to become more than that.
        raise RetryableError("wrong-shape", "access_token is not a token")
    return Secret(token)


def _check_identity(answer: Mapping[str, Any], selector: Selector, *, echo: bool) -> None:
    told = [answer[name] for name in _ECHOES.get(selector.kind, ()) if answer.get(name)]
    if not told and (selector.kind == "client_id" or (echo and selector.kind)):
        raise PermanentError("wrong-token", f"does not confirm the identity {selector}")
    wanted = selector.value.casefold()
    if not all(isinstance(one, str) and one.casefold() == wanted for one in told):
        raise PermanentError("wrong-token", f"gave the token of another identity than {selector}")


def _seconds(answer: Mapping[str, Any], wall_clock: Callable[[], float]) -> float:
    """For how long the token is good, by the service's clock if it tells.

    `expires_in` counts by the service's clock. `expires_on` has to be compared with this
    machine's, which may be years off at boot: it would turn good tokens away, or let bad ones
    pass, so it decides only when there is nothing else.
    """
    seconds = _number(answer, "expires_in")
    if seconds is None:
        moment = _number(answer, "expires_on")
        if moment is None:
            raise RetryableError("wrong-shape", "it does not say when the token expires")
        seconds = moment - wall_clock()
    if seconds <= 0:
        raise RetryableError("expired", "the token has expired already")
    return seconds


def _number(answer: Mapping[str, Any], name: str) -> float | None:
    """The number of seconds under `name`, which IMDS writes as a text; `None` if there is none."""
    value = answer.get(name)
    text = str(value) if isinstance(value, int) else value
    if not isinstance(text, str) or not text.isascii():
        return None
    digits = text.removeprefix("-")
    return float(text) if digits.isdigit() and len(digits) <= _MAX_NUMBER else None


def _text(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str):
        raise RetryableError("wrong-shape", f"{name} is not a text")
    return value
