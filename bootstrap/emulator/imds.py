"""One request to IMDS, one reply: the rules of the service, without a socket.

Documented rules: https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service.
This module decides what the page does not define; each decision is beside its rule.
"""

from __future__ import annotations

import json
from urllib.parse import unquote

from bootstrap.emulator.document import (
    extended_part,
    instance_document,
    without_failed_provider,
)
from bootstrap.emulator.messages import TEXT, BadRequest, Reply, ServiceError, as_json, phrase
from bootstrap.emulator.versions import at_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Literal

    from bootstrap.emulator.machine import Machine
    from bootstrap.emulator.messages import IncomingRequest

_HELP = "For more information refer to aka.ms/azureimds"
_BAD_REQUEST, _FORBIDDEN, _METHOD_NOT_ALLOWED = 400, 403, 405
_NEWEST_COUNT = 3  # api-versions in an error, as many as the service's own errors name


def answer(
    ask: IncomingRequest,
    machine: Machine,
    *,
    partial: bool | Literal["always"] = False,
    admitted: bool = True,
) -> Reply:
    """Return the reply of this VM's IMDS.

    `partial` means that a data provider failed. `admitted` means that the request is within the
    rate limit.
    """
    if not admitted:  # without Retry-After, as the service documents none
        return failure(429, "Too many requests")
    try:
        check_common_rules(ask)
        return _routed(ask, machine, partial=partial)
    except BadRequest as bad:
        return failure(bad.status, bad.message)
    except ServiceError as refused:
        return refused.reply


def failure(status: int, message: str, **more: Any) -> Reply:
    """Return an error in the service's own shape: `{"error": …}`."""
    words = f"Bad request. {message}" if status == _BAD_REQUEST else message
    headers = (("Allow", "GET"),) if status == _METHOD_NOT_ALLOWED else ()
    return Reply(status=status, body=as_json({"error": words, **more}), headers=headers)


def scripted(status: int) -> Reply:
    """Return the reply for a status of the fault script."""
    if status == _FORBIDDEN:
        return Reply(status=status, body=b"")  # the guest proxy agent's refusal has an empty body
    return Reply(status=status, body=as_json({"error": phrase(status)}))


def check_common_rules(ask: IncomingRequest) -> None:
    """Check the rules for every request, whatever its endpoint. Raises BadRequest."""
    if ask.method != "GET":
        raise BadRequest("Method not allowed", _METHOD_NOT_ALLOWED)
    headers = dict(ask.headers)
    if "x-forwarded-for" in headers:
        raise BadRequest("The request came through a proxy: X-Forwarded-For is not allowed")
    if headers.get("metadata", "").strip().casefold() != "true":
        raise BadRequest("Required metadata header not specified")
    if not ask.path.startswith("/") or "//" in ask.path or ".." in unquote(ask.path):
        raise BadRequest("The path is not valid")


def _routed(ask: IncomingRequest, machine: Machine, *, partial: bool | Literal["always"]) -> Reply:
    """Return the reply of the endpoint that the path names.

    A further endpoint is a case here and a function.
    """
    parameters = ask.parameters()
    match ask.steps:
        case ["metadata", "versions"]:
            return Reply(status=200, body=as_json({"apiVersions": list(machine.api_versions)}))
        case ["metadata", "instance", *route]:
            return _instance(route, parameters, machine, partial=partial)
        case _:
            raise ServiceError(failure(404, "Not found"))


def _instance(
    route: Sequence[str],
    parameters: Mapping[str, str],
    machine: Machine,
    *,
    partial: bool | Literal["always"],
) -> Reply:
    api_version = parameters.get("api-version", "")
    if api_version not in machine.api_versions:
        raise ServiceError(_wrong_version(machine.api_versions))
    extended = parameters.get("extended", "").casefold() == "true"
    if extended and partial is True:  # https://github.com/Azure/azure-init/issues/134
        raise ServiceError(failure(500, "Internal error. A data provider did not answer"))
    document = at_version(instance_document(machine), api_version)
    if partial:
        document = without_failed_provider(document)
    if extended:
        document["extended"] = extended_part(machine)
    return _formatted(_value_at(document, route), parameters.get("format", "json"))


def _wrong_version(known: Sequence[str]) -> Reply:
    message = f"api-version is invalid or was not specified in the request. {_HELP}"
    newest = sorted(known, reverse=True)[:_NEWEST_COUNT]
    return failure(400, message, **{"newest-versions": newest})


def _value_at(value: Any, route: Sequence[str]) -> Any:
    """Return the value at a route of keys of objects and positions in lists. Raises Refused."""
    for step in route:
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            raise ServiceError(failure(404, "Not found"))
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
    """Return the names in a value, one a line; containers end with a slash: `compute/`, `network/`.

    The format is undocumented; one of the service's authors shows it in
    https://blog.bonggeek.com/2017/09/azure-instance-metadata-service.html.
    """
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return "\n".join(f"{k}/" if isinstance(v, (dict, list)) else str(k) for k, v in pairs)
