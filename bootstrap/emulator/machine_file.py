"""A machine file, read and checked: YAML in, `Machine` out, every mistake reported at once."""

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

_SAME_NAME = fields_of(Machine).keys() - {"faults", "arc", "vaults"}


def read_machine(text: str, name: str, folder: str = ".") -> Machine:
    """Return the machine that a file's text describes; an empty one is a plain VM.

    `name` is what messages call the file, `folder` where a relative `userDataFile` starts.
    Raises InvalidDocument with a problem for each mistake; none repeats a secret or its line.
    """
    try:
        source = parse(text, name)
    except InvalidDocument as error:
        hidden = map(without_text, error.problems)  # it is not known which lines hold secrets
        raise InvalidDocument(error.message, problems=hidden) from None
    data = {} if source.data is None else source.data
    problems = sorted(_problems(source, data, folder), key=_place)
    if problems:
        raise InvalidDocument(f"{name} is not a valid machine file", problems=problems)
    return _machine(data, folder)


@cache
def machine_shape() -> Shape:
    """Return the schema of machine files, once it is read."""
    return Shape(json.loads(resources.read("schema/machine.schema.json")))


def _problems(source: Source, data: Any, folder: str) -> Iterator[Problem]:
    shape = machine_shape()
    guarded = frozenset(_guarded(data, shape))
    source = source.concealing(guarded)
    found = list(findings(shape.root, data, reading=source.reading, hidden=guarded.__contains__))
    broken = {finding.path for finding in found}
    if isinstance(data, dict):
        beyond = findings_beyond_schema(data, folder)
        found += [finding for finding in beyond if finding.path not in broken]
    for one in found:
        yield source.problem(one.path, one.message, hint=one.hint, at_key=one.at_key)


def _guarded(data: Any, shape: Shape) -> Iterator[Path]:
    """Yield the paths that no message may repeat: secrets, and what may be a misplaced one.

    A scalar under an unknown key of the machine itself is more likely a misspelt `name`.
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
    plain = {key: value for key, value in data.items() if key in _SAME_NAME}
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


def _place(problem: Problem) -> tuple[int, ...]:
    """Return line and column, which put problems in the order of the file."""
    return tuple(int(part) for part in problem.where.rsplit(":", 2)[1:])
