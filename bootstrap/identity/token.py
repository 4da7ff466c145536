"""A token, read from a response of the identity endpoint and checked against the request.

No error quotes the response, not even a value that does not match: a wrong response may hold its
token in any of its fields.
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

_MAX_NUMBER = 15  # digits; a time in seconds since 1970 has 10
# The keys under which a response repeats the selector. Arc uses either key for a resource id.
_ECHOES = {
    "client_id": ("client_id",),
    "object_id": ("object_id",),
    "msi_res_id": ("msi_res_id", "mi_res_id"),
}


class Token:
    """A token and the number of `seconds` from now for which it is valid."""

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
    """Return the token in a 200 response to a request for `audience` as `selector`.

    With `echo`, a response that does not repeat the selector is taken for another identity's.
    Without `echo`, this applies only to a client id, which every response of IMDS repeats.
    `wall_clock`
    returns the seconds since 1970. Raises `RetryableError` if there is no valid token yet,
    `PermanentError` for a
    token of another audience or identity.
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
        # The token becomes part of a header, and must not be able to add another one.
        raise RetryableError("wrong-shape", "access_token is not a token")
    return Secret(token)


def _check_identity(answer: Mapping[str, Any], selector: Selector, *, echo: bool) -> None:
    echoed = [answer[name] for name in _ECHOES.get(selector.kind, ()) if answer.get(name)]
    if not echoed and (selector.kind == "client_id" or (echo and selector.kind)):
        raise PermanentError("wrong-token", f"does not confirm the identity {selector}")
    wanted = selector.value.casefold()
    if not all(isinstance(value, str) and value.casefold() == wanted for value in echoed):
        raise PermanentError("wrong-token", f"gave the token of another identity than {selector}")


def _seconds(answer: Mapping[str, Any], wall_clock: Callable[[], float]) -> float:
    """Return the number of seconds for which the token is valid.

    `expires_in` is by the service's clock, so it is used if it is there. `expires_on` has to be
    compared with this machine's clock, which may be years off at boot: valid tokens could be
    refused, or expired ones accepted. So it is used only without `expires_in`. Raises
    `RetryableError`
    if neither is a number or the token has expired.
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
    """Return the seconds under `name`, or `None` if there are none; IMDS writes them as a text."""
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
