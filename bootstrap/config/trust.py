"""Who may say what: each layer within its trust, everyone outside this agent's own folders.

Tags can be written by people who may not touch the machine, and userData by whoever deploys it;
what either may do to the machine is decided by the image's settings.
"""

from __future__ import annotations

import posixpath
from typing import Any

from bootstrap import OWN_FOLDERS
from bootstrap.config import path_names
from bootstrap.config.drives import folded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bootstrap.config.documents import Trust
    from bootstrap.config.origins import Part
    from bootstrap.errors import Problem
    from bootstrap.settings import UserDataSettings

GUARDED_KEYS = ("content", "check")


def check_files(
    entries: Iterable[Part], trust: Trust, settings: UserDataSettings
) -> Iterator[Problem]:
    """What the file entries of one layer ask for beyond its trust."""
    for entry in entries:
        path: Any = entry.value["path"]
        for character, wrong in path_names.misread(path.value):
            message = f"the path holds {character}: {wrong}"
            yield path.origin.problem(message, hint=path_names.HINT)
        if is_below(path.value, OWN_FOLDERS):
            message = "this agent's own folders are no place for a file"
            yield path.origin.problem(message, hint="choose another path")
        elif trust == "userData":
            yield from _check_user_data_file(entry, settings)


def check_handlers(
    handlers: Part | None, trust: Trust, settings: UserDataSettings
) -> Iterator[Problem]:
    """Commands that one layer brings beyond its trust."""
    if handlers and handlers.value and trust == "userData" and "handlers" not in settings.allow:
        yield handlers.origin.problem(
            "userData may not bring handlers on this image",
            hint=_allow_hint("handlers"),
            at_key=True,
        )


def is_below(path: str, folders: Iterable[str]) -> bool:
    """Whether `path` is one of the folders or lies below one, by whole components."""
    inside = _components(path)
    return any(inside[: len(parts)] == parts for parts in map(_components, folders))


def _check_user_data_file(entry: Part, settings: UserDataSettings) -> Iterator[Problem]:
    path = entry.value["path"]
    if not is_below(path.value, settings.paths):
        allowed = ", ".join(settings.paths) or "nowhere"
        yield path.origin.problem(
            f"userData may not place a file here; allowed is {allowed}",
            hint="add its folder to the setting user_data.paths in the image's agent.yaml",
        )
    for key in GUARDED_KEYS:
        if key in entry.value and key not in settings.allow:
            yield entry.value[key].origin.problem(
                f"userData may not bring `{key}` on this image",
                hint=_allow_hint(key),
                at_key=True,
            )


def _allow_hint(key: str) -> str:
    return f"add {key} to the setting user_data.allow in the image's agent.yaml"


def _components(path: str) -> list[str]:
    return [part for part in posixpath.normpath(folded(path)).split("/") if part]
