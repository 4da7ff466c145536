"""One request to IMDS, one reply: the rules of the service, without a socket.

Documented rules: https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service.
What the page leaves open is decided here, each decision beside its rule.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import unquote

from bootstrap.emulator.document import (
    extended_part,
    instance_document,
    without_failed_provider,
)
from bootstrap.emulator.versions import at_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Literal

    from bootstrap.emulator.machine import Machine

JSON = "application/json; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
_HELP = "For more information refer to aka.ms/azureimds"
_NEWEST = 3  # how many api-versions an error names, as in the service's own errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer; `headers` are those beyond the ones that every answer carries."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


class _Refused(Exception):
    """The request breaks a rule; `reply` is what the service answers to that."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def answer(
    ask: Ask, machine: Machine, *, partial: bool | Literal["always"] = False, admitted: bool = True
) -> Reply:
    """What this VM's IMDS answers.

    `partial`: a data provider failed. `admitted`: the request kept within the rate limit.
    """
    if not admitted:  # without Retry-After: the service documents none
        return failure(429, "Too many requests")
    try:
        _check_manners(ask)
        return _routed(ask, machine, partial=partial)
    except _Refused as refused:
        return refused.reply


def failure(status: int, message: str, **more: Any) -> Reply:
    """An error in the service's own shape: `{"error": …}`."""
    return Reply(status=status, body=_as_json({"error": message, **more}))


def _bad(message: str) -> _Refused:
    return _Refused(failure(400, f"Bad request. {message}"))


def _check_manners(ask: Ask) -> None:
    """The rules that hold before anybody looks at what is asked for."""
    if ask.method != "GET":
        reply = failure(405, "Method not allowed")
        raise _Refused(Reply(status=405, body=reply.body, headers=(("Allow", "GET"),)))
    headers = dict(ask.headers)
    if "x-forwarded-for" in headers:
        raise _bad("The request came through a proxy: X-Forwarded-For is not allowed")
    if headers.get("metadata", "").strip().casefold() != "true":
        raise _bad("Required metadata header not specified")
    if not ask.path.startswith("/") or "//" in ask.path or ".." in unquote(ask.path):
        raise _bad("The path is not valid")


def _routed(ask: Ask, machine: Machine, *, partial: bool | Literal["always"]) -> Reply:
    """The endpoint that the path names. Every further one is a case here and a function."""
    parameters = _parameters(ask.query)
    match _steps(ask.path):
        case ["metadata", "versions"]:
            return Reply(status=200, body=_as_json({"apiVersions": list(machine.api_versions)}))
        case ["metadata", "instance", *route]:
            return _instance(route, parameters, machine, partial=partial)
        case _:
            raise _Refused(failure(404, "Not found"))


def _steps(path: str) -> list[str]:
    """The parts of a path; SDKs add a trailing slash, and the service does not mind."""
    return [unquote(step) for step in path.strip("/").split("/")]


def _parameters(query: str) -> dict[str, str]:
    """The query by name. SDKs escape names too (`api%2Dversion`); names ignore case, as in .NET."""
    parameters: dict[str, str] = {}
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        name = unquote(name.replace("+", " ")).casefold()
        if name in parameters:
            raise _bad(f"Query parameter {name} was specified more than once")
        parameters[name] = unquote(value.replace("+", " "))
    return parameters


def _instance(
    route: Sequence[str],
    parameters: Mapping[str, str],
    machine: Machine,
    *,
    partial: bool | Literal["always"],
) -> Reply:
    api_version = parameters.get("api-version", "")
    if api_version not in machine.api_versions:
        raise _Refused(_wrong_version(machine.api_versions))
    extended = parameters.get("extended", "").casefold() == "true"
    if extended and partial is True:  # https://github.com/Azure/azure-init/issues/134
        raise _Refused(failure(500, "Internal error. A data provider did not answer"))
    document = at_version(instance_document(machine), api_version)
    if partial:
        document = without_failed_provider(document)
    if extended:
        document["extended"] = extended_part(machine)
    return _formatted(_walked(document, route), parameters.get("format", "json"))


def _wrong_version(known: Sequence[str]) -> Reply:
    message = f"Bad request. api-version is invalid or was not specified in the request. {_HELP}"
    newest = sorted(known, reverse=True)[:_NEWEST]
    return failure(400, message, **{"newest-versions": newest})


def _walked(value: Any, route: Sequence[str]) -> Any:
    """Follow route parameters: keys of objects, positions in lists."""
    for step in route:
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            raise _Refused(failure(404, "Not found"))
    return value


def _formatted(value: Any, form: str) -> Reply:
    leaf = not isinstance(value, (dict, list))
    if form.casefold() == "text":
        text = _as_text(value) if leaf else _listing(value)
        return Reply(status=200, body=text.encode(), content_type=TEXT)
    if form.casefold() != "json":
        raise _bad("The requested format is not supported. Use json or text")
    if leaf:
        raise _bad("A leaf is not available in json. Use format=text")
    return Reply(status=200, body=_as_json(value))


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _listing(value: Mapping[str, Any] | Sequence[Any]) -> str:
    """The names below, one a line, those that lead further with a slash: `compute/`, `network/`.

    Undocumented; one of the service's authors shows it in
    https://blog.bonggeek.com/2017/09/azure-instance-metadata-service.html.
    """
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return "\n".join(f"{k}/" if isinstance(v, (dict, list)) else str(k) for k, v in pairs)


def _as_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
