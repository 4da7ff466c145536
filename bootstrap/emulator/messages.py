"""One request and one reply: what the services share, without a socket."""

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


class Ask(Frozen):
    """One request as it came in: `target` is path and query, still percent-encoded.

    `headers` are in the client's order, with names in lower case; a name may stand twice.
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
        """What follows the question mark, still percent-encoded."""
        return self.target.partition("?")[2]

    @property
    def steps(self) -> list[str]:
        """The parts of the path; SDKs add a trailing slash, and the services do not mind."""
        return [unquote(step) for step in self.path.strip("/").split("/")]

    def header(self, name: str) -> str:
        """The last value of a header; empty when it was not sent."""
        return dict(self.headers).get(name, "")

    def parameters(self) -> dict[str, str]:
        """The query by name, in lower case. SDKs escape names too (`api%2Dversion`).

        Names ignore case, as in .NET. Raises BadRequest for a name that stands twice.
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
    """One answer; `headers` are those beyond the ones that every answer carries."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


class BadRequest(Exception):
    """The request breaks a rule that all services have; each says so in its own shape."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class Refused(Exception):
    """The request breaks a rule of one service; `reply` is what that answers."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def as_json(value: Any) -> bytes:
    """The body of an answer, without a space too many."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def phrase(status: int) -> str:
    """The words beside a status code; empty for one that HTTP does not know."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
