"""A machine file, read and checked: YAML in, `Machine` out, every mistake reported at once."""

from __future__ import annotations

import base64
import os.path

from bootstrap.emulator.checks import key_problems
from bootstrap.emulator.fault_file import read_faults, script_problems
from bootstrap.emulator.identities import TOKEN_LIFETIME, TOKENS_PER_SECOND
from bootstrap.emulator.identity_file import identity_problems, read_arc, read_user_identities
from bootstrap.emulator.kinds import FAULT, MACHINE, SERVICE_FAULT
from bootstrap.emulator.machine import Machine
from bootstrap.emulator.vault_file import read_vaults, vault_problems
from bootstrap.emulator.versions import ARC_VERSIONS
from bootstrap.errors import InvalidDocument
from bootstrap.frozen import fields_of
from bootstrap.imds.versions import KNOWN_VERSIONS
from bootstrap.source import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from bootstrap.errors import Problem
    from bootstrap.source import Source

# https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations
_TAGS = 50
_TAG_NAME = 512  # characters
_TAG_VALUE = 256  # characters
# https://learn.microsoft.com/azure/virtual-machines/user-data
_USER_DATA = 65_536  # bytes before base64
_SAME_NAME = MACHINE.keys() & fields_of(Machine).keys() - {"faults", "arc", "vaults"}
_USER_DATA_KEYS = ("userData", "userDataFile", "userDataBase64")


def read_machine(text: str, name: str, folder: str = ".") -> Machine:
    """The machine that a file's text describes; an empty one is a plain VM.

    `name` is what messages call the file, `folder` where a relative `userDataFile` starts.
    Raises InvalidDocument with a problem for each mistake.
    """
    source = parse(text, name)
    data = {} if source.data is None else source.data
    if not isinstance(data, dict):
        problem = source.problem((), "a machine file is a mapping")
        raise InvalidDocument(f"{name} is not a machine file", problems=[problem])
    problems = [*_machine_problems(source, data), *_user_data_problems(source, data, folder)]
    if problems:
        problems.sort(key=_place)
        raise InvalidDocument(f"{name} is not a valid machine file", problems=problems)
    return _machine(data, folder)


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


def _machine_problems(source: Source, data: Mapping[str, Any]) -> Iterator[Problem]:
    wrong = list(key_problems(source, (), data, MACHINE))
    yield from wrong
    broken = {problem.path for problem in wrong}
    sound = {key: value for key, value in data.items() if key not in broken}
    yield from _tag_problems(source, sound.get("tags", {}))
    for key, kinds in (("faults", FAULT), ("identityFaults", SERVICE_FAULT)):
        yield from script_problems(source, (key,), sound.get(key, ()), kinds)
    yield from identity_problems(source, sound)
    yield from vault_problems(source, sound.get("vaults", {}))


def _tag_problems(source: Source, tags: Mapping[str, Any]) -> Iterator[Problem]:
    if len(tags) > _TAGS:
        yield source.problem(("tags",), f"a resource has at most {_TAGS} tags", at_key=True)
    folded: set[str] = set()
    for name, value in tags.items():
        path = ("tags", name)
        if name.casefold() in folded:
            yield source.problem(path, "tag names ignore case: this one is there", at_key=True)
        folded.add(name.casefold())
        if len(name) > _TAG_NAME:
            yield source.problem(path, f"a name has at most {_TAG_NAME} characters", at_key=True)
        if not isinstance(value, str):
            yield source.problem(path, "a tag's value is text", hint="put it in quotes")
        elif len(value) > _TAG_VALUE:
            yield source.problem(path, f"a tag's value has at most {_TAG_VALUE} characters")


def _user_data_problems(source: Source, data: Mapping[str, Any], folder: str) -> Iterator[Problem]:
    given = [key for key in _USER_DATA_KEYS if key in data]
    for key in given[1:]:
        yield source.problem((key,), f"`{key}` cannot go with `{given[0]}`", at_key=True)
    path = _user_data_file(data, folder)
    try:
        size = os.stat(path).st_size if path else len(str(data.get("userData", "")).encode())
    except OSError as error:
        yield source.problem(("userDataFile",), f"{path}: {error.strerror}")
        return
    if size > _USER_DATA:
        message = f"userData has at most {_USER_DATA} bytes, this one {size}"
        yield source.problem((given[0],), message, at_key=True)


def _place(problem: Problem) -> tuple[int, ...]:
    """Line and column, so that problems stand in the order of the file."""
    return tuple(int(part) for part in problem.where.rsplit(":", 2)[1:])
