"""Links in the paths of a document's files that users other than root could have made."""

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
    """Yield a problem for each file of a valid document that a run below `root` would refuse.

    Only refusals because of such links count. A file that does not exist yet, or cannot be read,
    is skipped.
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
    """Yield the document path and the entry of each file, also of those in environments."""
    document = data if isinstance(data, dict) else {}
    environments = document.get("environments")
    sections: dict[Path, Any] = {(): document}
    if isinstance(environments, dict):
        sections.update((("environments", name), one) for name, one in environments.items())
    for place, section in sections.items():
        entries = section.get("files") if isinstance(section, dict) else None
        for at, entry in enumerate(entries if isinstance(entries, list) else ()):
            yield (*place, "files", at, "path"), entry
