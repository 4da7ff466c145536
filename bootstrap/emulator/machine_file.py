"""Reading and checking of a machine file: YAML in, `Machine` out, all mistakes reported at once."""

from __future__ import annotations

import base64
import json
import os.path
from functools import cache

from bootstrap import resources
from bootstrap.config.documents import without_text
from bootstrap.config.schema.lookup import Shape
from bootstrap.config.schema.validator import findings
from bootstrap.document import parse
from bootstrap.emulator.checks import findings_beyond_schema
from bootstrap.emulator.fault import read_faults
from bootstrap.emulator.identities import (
    TOKEN_LIFETIME,
    TOKENS_PER_SECOND,
    read_arc,
    read_user_identities,
)
from bootstrap.emulator.machine import Machine
from bootstrap.emulator.vault_file import read_vaults
from bootstrap.emulator.versions import ARC_VERSIONS
from bootstrap.errors import InvalidDocument
from bootstrap.frozen import fields_of
from bootstrap.imds.versions import KNOWN_VERSIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from bootstrap.document import Path, Source
    from bootstrap.errors import Problem

# Keys whose value is, as it is, the value of the field of that name.
_UNCHANGED_KEYS = fields_of(Machine).keys() - {"faults", "arc", "vaults"}


def read_machine(text: str, name: str, folder: str = ".") -> Machine:
    """Return the machine that a file's text describes; an empty text describes a plain VM.

    `name` is the file's name in messages. A relative `userDataFile` is relative to `folder`.
    Raises InvalidDocument with a problem for each mistake; no problem repeats a secret or its line.
    """
    try:
        source = parse(text, name)
    except InvalidDocument as error:
        hidden = map(without_text, error.problems)  # any line may hold a secret
        raise InvalidDocument(error.message, problems=hidden) from None
    data = {} if source.data is None else source.data
    problems = sorted(_problems(source, data, folder), key=_position)
    if problems:
        raise InvalidDocument(f"{name} is not a valid machine file", problems=problems)
    return _machine(data, folder)


@cache
def machine_shape() -> Shape:
    """Return the schema of machine files; it is read once."""
    return Shape(json.loads(resources.read("schema/machine.schema.json")))


def _problems(source: Source, data: Any, folder: str) -> Iterator[Problem]:
    shape = machine_shape()
    guarded = frozenset(_guarded(data, shape))
    source = source.concealing(guarded)
    mistakes = list(findings(shape.root, data, reading=source.reading, hidden=guarded.__contains__))
    broken = {mistake.path for mistake in mistakes}
    if isinstance(data, dict):
        beyond = findings_beyond_schema(data, folder)
        mistakes += [mistake for mistake in beyond if mistake.path not in broken]
    for mistake in mistakes:
        message, hint = mistake.message, mistake.hint
        yield source.problem(mistake.path, message, hint=hint, at_key=mistake.at_key)


def _guarded(data: Any, shape: Shape) -> Iterator[Path]:
    """Yield the paths that no message may repeat: secrets, and values that may be misplaced ones.

    A scalar under an unknown key of the machine itself is not hidden: the key is more likely a
    misspelt `name`.
    """
    known = shape.names(())
    for path in shape.guarded(data):
        is_scalar = len(path) == 1 and not isinstance(data[path[0]], (dict, list))
        if not isinstance(data, dict) or not is_scalar or path[0] in known:
            yield path


def _user_data_file(data: Mapping[str, Any], folder: str) -> str | None:
    named = data.get("userDataFile")
    return os.path.join(folder, named) if isinstance(named, str) else None


def _machine(data: Mapping[str, Any], folder: str) -> Machine:
    plain = {key: value for key, value in data.items() if key in _UNCHANGED_KEYS}
    return Machine(
        **plain,
        given_vm_id=data.get("vmId", ""),
        user_data=_user_data(data, folder),
        user_data_file=_user_data_file(data, folder),
        api_versions=_api_versions(data),
        faults=read_faults(data.get("faults", ())),
        has_system_identity=data.get("identities", {}).get("system", True),
        user_identities=read_user_identities(data.get("identities", {})),
        identity_delay=data.get("identityDelay", 0.0),
        identity_rate=data.get("identityRate", TOKENS_PER_SECOND),
        identity_faults=read_faults(data.get("identityFaults", ())),
        token_lifetime=data.get("tokenLifetime", TOKEN_LIFETIME),
        arc=read_arc(data["arc"], folder) if "arc" in data else None,
        vaults=read_vaults(data["vaults"]) if "vaults" in data else None,
    )


def _api_versions(data: Mapping[str, Any]) -> tuple[str, ...]:
    known = ARC_VERSIONS if "arc" in data else KNOWN_VERSIONS
    return tuple(sorted(data.get("apiVersions", known)))


def _user_data(data: Mapping[str, Any], folder: str) -> str:
    if "userDataBase64" in data:
        return str(data["userDataBase64"])
    path = _user_data_file(data, folder)
    if path is None:
        return base64.b64encode(str(data.get("userData", "")).encode()).decode()
    with open(path, "rb") as file:
        return base64.b64encode(file.read()).decode()


def _position(problem: Problem) -> tuple[int, ...]:
    """Return line and column, by which problems are sorted into the order of the file."""
    return tuple(int(part) for part in problem.where.rsplit(":", 2)[1:])
