"""The folders where userData may place files: those that the image allows, with links resolved.

The text of a path is checked earlier. But a link in the image may lead from an allowed folder to
one that is not allowed, and only the resolved path counts.
"""

from __future__ import annotations

from bootstrap.config.policy import is_below
from bootstrap.fs import read
from bootstrap.fs.errors import unsafe
from bootstrap.fs.path import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bootstrap.config.model import FileSpec
    from bootstrap.fs.path import Place

HINT = "to allow it, add the folder that it leads to to user_data.paths in the image's agent.yaml"


def refuse_escape(spec: FileSpec, place: Place) -> None:
    """Raise UnsafeDestination when a link leads a file out of the folders in its `within`.

    If an allowed folder is itself a link, its target is allowed. Lets OSError through.
    """
    if spec.within and not _is_inside(place, spec.within):
        way = next(_ways_out(spec, place.root), "a link on its way")
        message = f"userData may not place a file at {place.stated}, where {way} leads it"
        raise unsafe(message, path=spec.path, origin=spec.origin, hint=HINT)


def _is_inside(place: Place, folders: tuple[str, ...]) -> bool:
    aims = [resolve(folder, place.root, follow=True).stated for folder in folders]
    return is_below(place.stated, aims)


def _ways_out(spec: FileSpec, root: str) -> Iterator[str]:
    """Yield the links in the path that lead out, in words, outermost first."""
    names = spec.path.split("/")
    for depth in range(1, len(names) + 1):
        path = "/".join(names[:depth]) or "/"
        link, aim = resolve(path, root), resolve(path, root, follow=True)
        leads = link.relative != aim.relative and not _is_inside(aim, spec.within)
        if leads and is_below(path, spec.within):
            yield f"the link {path} → {read.read_link(link)}"
