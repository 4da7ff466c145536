"""Links on the way to a document's files that others than root could have made, on this machine."""

from __future__ import annotations

from bootstrap.apply.plan.preflight import TargetTree
from bootstrap.errors import UnsafeDestination

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from bootstrap.document import Path, Source
    from bootstrap.errors import Problem


def unsafe_links(source: Source, root: str) -> Iterator[Problem]:
    """Yield a problem for each file of a valid document that a run below `root` would refuse so.

    A file that is not there yet, or cannot be looked at, is passed over.
    """
    ground = TargetTree(root)
    for place, entry in _entries(source.data):
        for problem in _refusal(ground, entry):
            yield source.problem(place, problem.message, hint=problem.hint)


def _refusal(ground: TargetTree, entry: Any) -> Sequence[Problem]:
    path = entry.get("path") if isinstance(entry, dict) else None
    if not isinstance(path, str) or not path.startswith("/"):
        return ()
    try:
        ground.resolve(path, follow=entry.get("symlink") == "follow")
    except UnsafeDestination as error:
        return error.problems
    except OSError:
        pass
    return ()


def _entries(data: Any) -> Iterator[tuple[Path, Any]]:
    """Yield the place of the path of each file entry, those of the environments too."""
    document = data if isinstance(data, dict) else {}
    environments = document.get("environments")
    sections: dict[Path, Any] = {(): document}
    if isinstance(environments, dict):
        sections.update((("environments", name), one) for name, one in environments.items())
    for place, section in sections.items():
        entries = section.get("files") if isinstance(section, dict) else None
        for at, entry in enumerate(entries if isinstance(entries, list) else ()):
            yield (*place, "files", at, "path"), entry
