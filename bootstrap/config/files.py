"""File entries of all layers, merged by their paths and made into FileSpecs."""

from __future__ import annotations

from bisect import bisect_left

from bootstrap.config.model import FileSpec
from bootstrap.config.provenance import Part, merge_parts
from bootstrap.config.windows_paths import folded, has_drive
from bootstrap.errors import nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from typing import Any

    from bootstrap.errors import Problem

OCTAL = 8
SOURCES = ("template", "content")
COMMANDS = ("check", "notify")
ACCESS = ("mode", "acl")
POSIX_KEYS = {
    "mode": 'say who may do what with `acl`, such as ["Users:R"]',
    "group": 'give the group its rights in `acl`, such as ["Users:R"]',
}
WINDOWS_KEYS = {"acl": "say who may do what with `mode`, `owner` and `group`"}


def overlay_files(lower: Mapping[str, Part], entries: Sequence[Part]) -> dict[str, Part]:
    """Return the files so far with `entries` merged over them; a file is identified by its path.

    Everywhere else a list replaces a list. Then two documents in config.d could never both declare
    files. So entries of the same path are merged key by key, and new ones are added at the end.
    """
    merged = dict(lower)
    for entry in entries:
        path = folded(entry.value["path"].value)
        known = merged.get(path)
        merged[path] = merge_parts(_cleared(known, entry), entry) if known else entry
    return merged


def repeated(entries: Sequence[Part]) -> Iterator[Problem]:
    """Yield a problem for each entry of one layer that contradicts another entry, or itself."""
    first: dict[str, Part] = {}
    for entry in entries:
        path = entry.value["path"]
        key = folded(path.value)
        if key in first:
            message = f"{path.value} is here twice; first at {first[key].origin}"
            yield path.origin.problem(message, hint="make one entry of the two")
        first.setdefault(key, path)
        yield from _misplaced(entry)
        if all(source in entry.value for source in SOURCES):
            yield entry.value["content"].origin.problem(
                "a file has either `template` or `content`", hint="remove one", at_key=True
            )


def _misplaced(entry: Part) -> Iterator[Problem]:
    """Yield a problem for each key that only a file of the other system can have."""
    windows = has_drive(entry.value["path"].value)
    for key, hint in (POSIX_KEYS if windows else WINDOWS_KEYS).items():
        if key in entry.value:
            system = "Windows has none" if windows else "only files of Windows have one"
            message = f"a file with this path cannot have `{key}`: {system}"
            yield entry.value[key].origin.problem(message, hint=hint, at_key=True)


def incomplete(files: Mapping[str, Part], handlers: Collection[str]) -> Iterator[Problem]:
    """Yield a problem for whatever is missing or impossible when all layers are merged.

    What can be missing is the content of a file, or a handler that it notifies. A path below
    another file is impossible.
    """
    lengths = sorted({len(path) for path in files})
    for path, entry in files.items():
        if not is_whole(entry):
            message = f"no layer says what is in {_path(entry)}"
            yield entry.origin.problem(message, hint="add `template:` or `content:`")
        for name in entry.value["notify"].value if "notify" in entry.value else ():
            if name.value not in handlers:
                yield _unknown_handler(name, handlers)
        yield from _inside_a_file(path, entry, files, lengths)


def is_whole(entry: Part) -> bool:
    """Return whether some layer gives the content of the file."""
    return any(source in entry.value for source in SOURCES)


def spec(
    entry: Part,
    within: tuple[str, ...] = (),
    image: Part | None = None,
    *,
    trusted: bool = True,
    includes: frozenset[str] | None = None,
) -> FileSpec:
    """Return the file that a merged entry describes; it has to stay `within` these folders.

    `image` is the entry as image documents have it, None if they have none. Without it, a file that
    is not `trusted` belongs to userData. A mode of userData over a mode of the image only removes
    bits, so the mode still counts as the image's. `includes` are the templates that its content may
    name; None if they are not limited.
    """
    keys: dict[str, Any] = entry.to_plain()
    is_users = image is None and not trusted
    access = next((entry.value[key] for key in ACCESS if key in entry.value), None)
    is_users_access = not trusted and access and not (image and any(map(image.has, ACCESS)))
    if "mode" in keys:
        keys["mode"] = int(keys["mode"], OCTAL)
    for name in COMMANDS:
        keys[name] = tuple(keys.get(name, ()))
    if "acl" in keys:
        keys["acl"] = tuple(keys["acl"])
    at = str(entry.value["check"].origin) if "check" in entry.value else ""
    return FileSpec(
        **keys,
        within=within,
        includes=includes,
        layer="userData" if is_users else "image",
        mode_layer="userData" if is_users_access else "image",
        mode_origin=str(access.origin) if access else "",
        origin=str(entry.origin),
        check_origin=at,
    )


def _cleared(known: Part, entry: Part) -> Part:
    """Return the lower entry, without its content if the upper entry gives one."""
    if not is_whole(entry):
        return known
    others = {key: part for key, part in known.value.items() if key not in SOURCES}
    return Part(others, known.origin)


def _unknown_handler(name: Part, handlers: Collection[str]) -> Problem:
    near = nearest(name.value, handlers)
    known = f"the handlers are {', '.join(sorted(handlers))}" if handlers else "there is no handler"
    hint = f"did you mean {near}?" if near else known
    return name.origin.problem(f"no layer has a handler {name.value!r}", hint=hint)


def _path(entry: Part) -> str:
    return str(entry.value["path"].value)


def _inside_a_file(
    path: str, entry: Part, files: Mapping[str, Part], lengths: Sequence[int]
) -> Iterator[Problem]:
    """Yield a problem for each other file that is a parent folder of this path.

    `lengths` are the lengths of the paths of all files, sorted.
    """
    for length in lengths[: bisect_left(lengths, len(path))]:
        if path[length] == "/" and (parent := path[:length]) in files:
            message = f"{_path(files[parent])} is a file here, so nothing can lie below it"
            yield entry.value["path"].origin.problem(message, hint=str(files[parent].origin))
