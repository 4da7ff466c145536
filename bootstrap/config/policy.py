"""What each layer may set; no layer may place a file in this agent's own folders.

Tags can be written by people who have no access to the machine, and userData by those who deploy
it. The image's settings decide what both may do to the machine.
"""

from __future__ import annotations

import posixpath

from bootstrap.config import path_names, reserved_paths
from bootstrap.config.policy_table import SPECIAL_BITS, rule
from bootstrap.config.windows_paths import folded
from bootstrap.layout import OWN_FOLDERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bootstrap.config.documents import Document, Trust
    from bootstrap.config.policy_table import Kind
    from bootstrap.config.provenance import Part
    from bootstrap.document import Path
    from bootstrap.errors import Problem
    from bootstrap.settings import UserDataSettings

OCTAL = 8
USUAL_MODE = 0o644  # of a file without a secret; userData may not open a file that holds one
# The sections of a document that hold entries, and the kind of an entry in the policy table.
ENTRIES: Mapping[str, Kind | None] = {
    "files": "file",
    "secrets": "secret",
    "handlers": None,
    "environments": None,
}
NO_REMOVAL = "userData may not take away what other layers declare"


def check_document(document: Document, settings: UserDataSettings) -> Iterator[Problem]:
    """Yield a problem for each key of a document that the policy table refuses to its layer."""
    if document.trust == "userData":
        yield from _check_section(document, (), "document", settings)
        for name in document.environments():
            yield from _check_section(document, ("environments", name), "environment", settings)


def check_paths(
    entries: Iterable[Part], trust: Trust, settings: UserDataSettings
) -> Iterator[Problem]:
    """Yield a problem for each path where the files of one layer may not be placed.

    Only the text of the paths is checked.
    """
    for entry in entries:
        path: Part = entry.value["path"]
        for character, wrong in path_names.misread(path.value):
            message = f"the path holds {character}: {wrong}"
            yield path.origin.problem(message, hint=path_names.HINT)
        if is_below(path.value, OWN_FOLDERS):
            message = "this agent's own folders are no place for a file"
            yield path.origin.problem(message, hint="choose another path")
        elif trust == "userData":
            yield from _check_user_data_path(path, settings)


def check_over_image(entry: Part, image: Part) -> Iterator[Problem]:
    """Yield a problem for each change that an entry of userData makes to a file of the image.

    Only the removal of bits of the mode is allowed.
    """
    for key, part in entry.value.items():
        if key == "path":
            continue
        if rule("file", key) != "bits":
            yield part.origin.problem(
                f"userData may not change `{key}` of a file of the image",
                hint=f"the image declares it at {image.origin}; userData may take bits of its mode",
                at_key=True,
            )
        elif added := _bits(part) & ~_bits(image.value.get(key)):
            yield part.origin.problem(
                f"userData may take bits of the mode of a file of the image, not add {added:04o}",
                hint=f"its mode is {_bits(image.value.get(key)):04o}: see {image.origin}",
            )


def is_below(path: str, folders: Iterable[str]) -> bool:
    """Return whether `path` is one of the folders or is below one, by whole components."""
    inside = _components(path)
    return any(inside[: len(parts)] == parts for parts in map(_components, folders))


def _check_section(
    document: Document, path: Path, kind: Kind, settings: UserDataSettings
) -> Iterator[Problem]:
    """Check the keys of the document or of one environment, and those of its secrets and files."""
    section = document.parts(path)
    yield from _check_keys(section, kind, settings)
    for key, inner in ENTRIES.items():
        entries = section[key].value if key in section else None
        members = entries.values() if isinstance(entries, dict) else entries or ()
        for entry in members:
            yield from _check_entry(entry, inner, settings)


def _check_entry(entry: Part, kind: Kind | None, settings: UserDataSettings) -> Iterator[Problem]:
    if entry.value is None:
        yield entry.origin.problem(NO_REMOVAL, at_key=True)
    elif kind and isinstance(entry.value, dict):
        yield from _check_keys(entry.value, kind, settings)


def _check_keys(
    parts: Mapping[str, Part], kind: Kind, settings: UserDataSettings
) -> Iterator[Problem]:
    for key, part in parts.items():
        permission = rule(kind, key)
        if permission == "no" or (
            permission == "allowed" and key not in settings.allow and part.value != {}
        ):
            name = "handlers" if key == "handlers" else f"`{key}`"
            hint = (
                _allow_hint(key) if permission == "allowed" else "it is for documents of the image"
            )
            message = f"userData may not bring {name} on this image"
            yield part.origin.problem(message, hint=hint, at_key=True)
        elif part.value is None:
            yield part.origin.problem(NO_REMOVAL, at_key=True)
        elif permission == "bits" and _bits(part) & SPECIAL_BITS:
            yield part.origin.problem(
                "userData may not set the set-user-ID, the set-group-ID or the sticky bit",
                hint="leave out the first of the four digits",
            )


def _check_user_data_path(path: Part, settings: UserDataSettings) -> Iterator[Problem]:
    if not is_below(path.value, settings.paths):
        allowed = ", ".join(settings.paths) or "nowhere"
        yield path.origin.problem(
            f"userData may not place a file here; allowed is {allowed}",
            hint="add its folder to the setting user_data.paths in the image's agent.yaml",
        )
    elif title := reserved_paths.title(_components(path.value)):
        yield path.origin.problem(
            f"userData may not place a file here, where {title} lie",
            hint="a document of the image may",
        )


def _bits(mode: Part | None) -> int:
    """Return the bits of a mode as a document has it; without a mode, those of USUAL_MODE."""
    return int(mode.value, OCTAL) if mode and mode.value else USUAL_MODE


def _allow_hint(key: str) -> str:
    return f"add {key} to the setting user_data.allow in the image's agent.yaml"


def _components(path: str) -> list[str]:
    return [part for part in posixpath.normpath(folded(path)).split("/") if part]
