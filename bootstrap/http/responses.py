"""What each answer of IMDS means: the table of the contract, and the words for people."""

from __future__ import annotations

import json
from math import isfinite

from bootstrap.errors import Public

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any, NoReturn

    from bootstrap.http.http1 import Response

USE = "use"  # the answer may be read
RETRY = "retry"  # as often as the deadline allows
RETRY_AFTER = "retry-after"  # the same, not before the moment that the server names
GRACE = "grace"  # for a grace period; then it is final
NEGOTIATE = "negotiate"  # try another api-version, if one is offered; else it is final
REFUSE = "refuse"  # final

_ACTIONS = {
    200: USE,
    400: NEGOTIATE,  # a host that does not know the api-version yet says which it knows
    401: GRACE,  # a guest proxy agent that has no key yet
    403: GRACE,  # the same: with the Metadata Security Protocol, IMDS is closed until it is ready
    404: RETRY,  # the instance's data can arrive on the host after the VM has started
    408: RETRY,  # a middlebox lost patience, not the service
    410: RETRY,  # the host is being serviced: "retry after some time, for a max of 70 seconds"
    421: GRACE,  # the guest proxy agent does not know yet where to send the request
    429: RETRY_AFTER,  # more than 5 requests a second from this VM, whoever sent them
    503: RETRY_AFTER,  # the host, or a guest proxy agent, is starting; it may say how long
}

_MAX_TEXT = 200  # characters of somebody else's words in a message of ours
# Levels of objects and lists. The deepest document has 8; what reads it later may recurse.
_DEEPEST = 64

_MSP = (
    "the VM uses the Metadata Security Protocol and its guest proxy agent is not ready, or does "
    "not allow this process: see `systemctl status azure-proxy-agent` and its allow list"
)

_HINTS = {
    "400": "the host offers no api-version that this program knows: set imds.api_version",
    "401": _MSP,
    "403": _MSP,
    "404": "something answers that has no instance metadata: check imds.endpoint",
    "408": "a middlebox answers in the place of IMDS: check the route to it",
    "410": "the host is being serviced: a later run may succeed",
    "421": _MSP,
    "429": "another program on this VM asks IMDS more than 5 times a second: find and slow it",
    "blocked": "a firewall rule or a prohibiting route (systemd-imdsd installs one) keeps this "
    "process from IMDS: allow root to connect to it",
    "garbage": "something else answers in the place of IMDS: check the route and imds.endpoint",
    "html": "a proxy or a portal answers in the place of IMDS: check the route to it",
    "not-json": "something else answers in the place of IMDS: check the route and imds.endpoint",
    "other-vm": "IMDS described a VM that this is not: a nested VM, or an endpoint shared by many, "
    "must not be configured by it",
    "partial": "the host left out userData or tags, as it does while a provider of its own fails: "
    "a later run may succeed",
    "refused": "nothing listens at the endpoint: check the route to it and imds.endpoint",
    "reset": "a firewall or a proxy cuts the connection: let it pass",
    "timeout": "a firewall or a proxy swallows the requests: they must leave directly from the "
    "primary address of the primary NIC",
    "unreachable": "there is no route: IMDS answers only on the primary address of the primary "
    "NIC, with DHCP or a route to it",
    "unresolved": "the name in imds.endpoint has no address: check it and the name service",
}
_HINTS_BY_CLASS = {
    "3": "IMDS never redirects: a proxy or a portal answers in its place, check the route to it",
    "4": "something answers that is not IMDS: check imds.endpoint",
    "5": "the service on the host is not ready or is failing: a later run may succeed",
}


def action(status: int) -> str:
    """What to do about a status; one that the table does not name is final."""
    # Any 5xx says that the server could not, not that it will not.
    return _ACTIONS.get(status, RETRY if status >= 500 else REFUSE)  # noqa: PLR2004


def hint(outcome: str) -> str:
    """What a person can do about an outcome, or nothing."""
    return Public(_HINTS.get(outcome) or _HINTS_BY_CLASS.get(outcome[:1], ""))


def is_redirect(status: int) -> bool:
    """Whether the answer sends the asker elsewhere."""
    return 300 <= status < 400  # noqa: PLR2004


def retry_after(response: Response) -> float:
    """The seconds that `Retry-After` asks for, at least 0.

    IMDS sends seconds. A date, or nonsense, counts as nothing: a booting machine's clock cannot
    be compared with a date.
    """
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0.0  # noqa: PLR2004


def document(response: Response) -> Any:
    """The JSON in the body. Raises `ValueError` if there is none that could be written again."""
    return strict_json(response.body)


def strict_json(body: bytes) -> Any:
    """The value in a JSON text.

    Raises `ValueError` for what could not be written again: a number that is none, half a
    character, a nesting that no document has.
    """
    try:
        parsed = json.loads(
            body.decode("utf-8-sig"), parse_constant=_no_number, parse_float=_finite
        )
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if _is_deep(parsed):
        raise ValueError("nested too deeply")
    if b"\\ud" in body.lower():
        # Half a surrogate pair is JSON, and yet no text: no file could hold it.
        json.dumps(parsed, ensure_ascii=False).encode()
    return parsed


def is_html(response: Response) -> bool:
    """Whether a middlebox's page stands where a document should."""
    return response.body.lstrip()[:1] == b"<"


def offered_versions(response: Response) -> tuple[str, ...]:
    """The api-versions in a 400's `newest-versions`; empty if it offers none."""
    body = _object(response)
    versions = body.get("newest-versions")
    return texts(versions) if isinstance(versions, list) else ()


def texts(values: list[Any]) -> tuple[str, ...]:
    """Those of the values that are texts."""
    return tuple(value for value in values if isinstance(value, str))


def server_message(response: Response) -> str:
    """The server's own words about its refusal, on one line; empty if it gave none."""
    if is_redirect(response.status):
        target = printable(response.headers.get("location", "nowhere"))
        return f"a redirect to {target}, which is never followed"
    body = _object(response)
    words = texts([body.get("error"), body.get("error_description")])
    return printable(": ".join(filter(None, words)))


def error_code(response: Response) -> str:
    """The word by which a refusal may be told from another (`invalid_request`), or nothing."""
    return next(iter(texts([_object(response).get("error")])), "")


def printable(text: str) -> str:
    """Somebody else's words, short and without anything that moves a cursor."""
    plain = "".join(character if character.isprintable() else " " for character in text)
    return plain if len(plain) <= _MAX_TEXT else f"{plain[:_MAX_TEXT]}…"


def _no_number(word: str) -> NoReturn:
    """Refuse `NaN` and `Infinity`, which Python reads and no other reader of JSON would."""
    raise ValueError(f"{word} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    return number if isfinite(number) else _no_number(digits)


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [inner for outer in level for inner in _held(outer)]
    return bool(level)


def _held(value: Any) -> Collection[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _object(response: Response) -> Mapping[str, Any]:
    try:
        body = document(response)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
