"""One request to IMDS, one reply: the rules of the service, without a socket.

Documented rules: https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service.
What the page leaves open is decided here, each decision beside its rule.
"""

from __future__ import annotations

import json
from urllib.parse import unquote

from bootstrap.emulator.document import (
    extended_part,
    instance_document,
    without_failed_provider,
)
from bootstrap.emulator.messages import TEXT, BadRequest, Refused, Reply, as_json, phrase
from bootstrap.emulator.versions import at_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Literal

    from bootstrap.emulator.machine import Machine
    from bootstrap.emulator.messages import Ask

_HELP = "For more information refer to aka.ms/azureimds"
_BAD_REQUEST, _FORBIDDEN, _METHOD_NOT_ALLOWED = 400, 403, 405
_NEWEST = 3  # how many api-versions an error names, as in the service's own errors


def answer(
    ask: Ask, machine: Machine, *, partial: bool | Literal["always"] = False, admitted: bool = True
) -> Reply:
    """What this VM's IMDS answers.

    `partial`: a data provider failed. `admitted`: the request kept within the rate limit.
    """
    if not admitted:  # without Retry-After: the service documents none
        return failure(429, "Too many requests")
    try:
        check_manners(ask)
        return _routed(ask, machine, partial=partial)
    except BadRequest as bad:
        return failure(bad.status, bad.message)
    except Refused as refused:
        return refused.reply


def failure(status: int, message: str, **more: Any) -> Reply:
    """An error in the service's own shape: `{"error": …}`."""
    words = f"Bad request. {message}" if status == _BAD_REQUEST else message
    headers = (("Allow", "GET"),) if status == _METHOD_NOT_ALLOWED else ()
    return Reply(status=status, body=as_json({"error": words, **more}), headers=headers)


def scripted(status: int) -> Reply:
    """The answer for a status that a fault script wants."""
    if status == _FORBIDDEN:
        return Reply(status=status, body=b"")  # the guest proxy agent's refusal has an empty body
    return Reply(status=status, body=as_json({"error": phrase(status)}))


def check_manners(ask: Ask) -> None:
    """The rules that hold before anybody looks at what is asked for. Raises BadRequest."""
    if ask.method != "GET":
        raise BadRequest("Method not allowed", _METHOD_NOT_ALLOWED)
    headers = dict(ask.headers)
    if "x-forwarded-for" in headers:
        raise BadRequest("The request came through a proxy: X-Forwarded-For is not allowed")
    if headers.get("metadata", "").strip().casefold() != "true":
        raise BadRequest("Required metadata header not specified")
    if not ask.path.startswith("/") or "//" in ask.path or ".." in unquote(ask.path):
        raise BadRequest("The path is not valid")


def _routed(ask: Ask, machine: Machine, *, partial: bool | Literal["always"]) -> Reply:
    """The endpoint that the path names. Every further one is a case here and a function."""
    parameters = ask.parameters()
    match ask.steps:
        case ["metadata", "versions"]:
            return Reply(status=200, body=as_json({"apiVersions": list(machine.api_versions)}))
        case ["metadata", "instance", *route]:
            return _instance(route, parameters, machine, partial=partial)
        case _:
            raise Refused(failure(404, "Not found"))


def _instance(
    route: Sequence[str],
    parameters: Mapping[str, str],
    machine: Machine,
    *,
    partial: bool | Literal["always"],
) -> Reply:
    api_version = parameters.get("api-version", "")
    if api_version not in machine.api_versions:
        raise Refused(_wrong_version(machine.api_versions))
    extended = parameters.get("extended", "").casefold() == "true"
    if extended and partial is True:  # https://github.com/Azure/azure-init/issues/134
        raise Refused(failure(500, "Internal error. A data provider did not answer"))
    document = at_version(instance_document(machine), api_version)
    if partial:
        document = without_failed_provider(document)
    if extended:
        document["extended"] = extended_part(machine)
    return _formatted(_walked(document, route), parameters.get("format", "json"))


def _wrong_version(known: Sequence[str]) -> Reply:
    message = f"api-version is invalid or was not specified in the request. {_HELP}"
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
            raise Refused(failure(404, "Not found"))
    return value


def _formatted(value: Any, form: str) -> Reply:
    leaf = not isinstance(value, (dict, list))
    if form.casefold() == "text":
        text = _as_text(value) if leaf else _listing(value)
        return Reply(status=200, body=text.encode(), content_type=TEXT)
    if form.casefold() != "json":
        raise BadRequest("The requested format is not supported. Use json or text")
    if leaf:
        raise BadRequest("A leaf is not available in json. Use format=text")
    return Reply(status=200, body=as_json(value))


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _listing(value: Mapping[str, Any] | Sequence[Any]) -> str:
    """The names below, one a line, those that lead further with a slash: `compute/`, `network/`.

    Undocumented; one of the service's authors shows it in
    https://blog.bonggeek.com/2017/09/azure-instance-metadata-service.html.
    """
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return "\n".join(f"{k}/" if isinstance(v, (dict, list)) else str(k) for k, v in pairs)
