"""One request and one reply, as all services share them, without a socket."""

from __future__ import annotations

import json
from http import HTTPStatus
from urllib.parse import unquote

from bootstrap.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

JSON = "application/json; charset=utf-8"
TEXT = "text/plain; charset=utf-8"


class IncomingRequest(Frozen):
    """One request as it was received: `target` is path and query, still percent-encoded.

    `headers` are in the client's order, with names in lower case; a name may occur twice.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def path(self) -> str:
        """The target up to its query, still percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The part of the target after the question mark, still percent-encoded."""
        return self.target.partition("?")[2]

    @property
    def steps(self) -> list[str]:
        """The decoded parts of the path, without the trailing slash that SDKs add."""
        return [unquote(step) for step in self.path.strip("/").split("/")]

    def header(self, name: str) -> str:
        """Return the last value of a header, or an empty text if it was not sent."""
        return dict(self.headers).get(name, "")

    def parameters(self) -> dict[str, str]:
        """Return the values of the query by name; names are in lower case.

        Names ignore case, as in .NET, and SDKs escape them too (`api%2Dversion`). Raises BadRequest
        for a name that occurs twice.
        """
        parameters: dict[str, str] = {}
        for pair in filter(None, self.query.split("&")):
            name, _, value = pair.partition("=")
            name = unquote(name.replace("+", " ")).casefold()
            if name in parameters:
                raise BadRequest(f"Query parameter {name} was specified more than once")
            parameters[name] = unquote(value.replace("+", " "))
        return parameters


class Reply(Frozen):
    """One reply; `headers` are added to those of every reply, or replace them by name."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


class BadRequest(Exception):
    """The request breaks a rule of all services; each reports it in its own shape."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class ServiceError(Exception):
    """The request breaks a rule of one service; `reply` is that service's answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def as_json(value: Any) -> bytes:
    """Return a value as JSON for a body, without spaces between the tokens."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def phrase(status: int) -> str:
    """Return the reason phrase of a status code, or an empty text for an unknown code."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
