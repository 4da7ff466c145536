"""A machine file, read and checked: YAML in, `Machine` out, every mistake reported at once."""

from __future__ import annotations

import base64
import os.path

from bootstrap.emulator.kinds import FAULT, FAULT_EXCLUDES, FAULT_WORDS, MACHINE
from bootstrap.emulator.machine import Fault, Machine
from bootstrap.errors import InvalidDocument, nearest
from bootstrap.metadata.versions import KNOWN_VERSIONS
from bootstrap.source import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from typing import Any

    from bootstrap.emulator.kinds import Kind
    from bootstrap.errors import Problem
    from bootstrap.source import Path, Source

# https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations
_TAGS = 50
_TAG_NAME = 512  # characters
_TAG_VALUE = 256  # characters
# https://learn.microsoft.com/azure/virtual-machines/user-data
_USER_DATA = 65_536  # bytes before base64
_SAME_NAME = MACHINE.keys() & Machine.__dataclass_fields__.keys() - {"faults"}
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
        api_versions=tuple(sorted(data.get("apiVersions", KNOWN_VERSIONS))),
        faults=tuple(_fault(entry) for entry in data.get("faults", ())),
    )


def _fault(entry: str | Mapping[str, Any]) -> Fault:
    keys: dict[str, Any] = {entry: True} if isinstance(entry, str) else dict(entry)
    if keys.get("times") == "forever":
        keys["times"] = None
    keys["headers"] = tuple((name, str(said)) for name, said in keys.get("headers", {}).items())
    return Fault(**keys)


def _user_data(data: Mapping[str, Any], folder: str) -> str:
    if "userDataBase64" in data:
        return str(data["userDataBase64"])
    path = _user_data_file(data, folder)
    if path is None:
        return base64.b64encode(str(data.get("userData", "")).encode()).decode()
    with open(path, "rb") as file:
        return base64.b64encode(file.read()).decode()


def _machine_problems(source: Source, data: Mapping[str, Any]) -> Iterator[Problem]:
    wrong = list(_key_problems(source, (), data, MACHINE))
    yield from wrong
    broken = {problem.path for problem in wrong}
    if "tags" not in broken:
        yield from _tag_problems(source, data.get("tags", {}))
    if "faults" not in broken:
        for position, entry in enumerate(data.get("faults", ())):
            yield from _fault_problems(source, ("faults", position), entry)


def _key_problems(
    source: Source, path: Path, data: Mapping[str, Any], kinds: Mapping[str, Kind]
) -> Iterator[Problem]:
    for key, value in data.items():
        if key not in kinds:
            message = f"unknown key `{key}`"
            yield source.problem((*path, key), message, hint=_suggestion(key, kinds), at_key=True)
        elif not kinds[key].accepts(value):
            yield source.problem((*path, key), f"`{key}` is not {kinds[key].words}")


def _suggestion(name: str, known: Collection[str]) -> str:
    close = nearest(name, known)
    return f"did you mean `{close}`?" if close else f"known: {', '.join(known)}"


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


def _fault_problems(source: Source, path: Path, entry: Any) -> Iterator[Problem]:
    if isinstance(entry, str):
        if entry not in FAULT_WORDS:
            hint = _suggestion(entry, FAULT_WORDS)
            yield source.problem(path, f"unknown fault `{entry}`", hint=hint)
        return
    if not isinstance(entry, dict):
        yield source.problem(path, "a fault is a mapping or a word")
        return
    yield from _key_problems(source, path, entry, FAULT)
    for key in FAULT_EXCLUDES.keys() & entry.keys():
        for other in sorted(FAULT_EXCLUDES[key] & entry.keys()):
            message = f"`{other}` cannot go with `{key}`"
            yield source.problem((*path, other), message, at_key=True)


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
