"""Removal of files that this agent wrote and that are no longer wanted."""

from __future__ import annotations

from bootstrap.apply.plan.change import Change, Snapshot
from bootstrap.apply.plan.compare import MAX_CONTENT
from bootstrap.errors import BootstrapError, Public
from bootstrap.fs.mounts import is_mount_point

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from bootstrap.apply.plan.overlay import PendingView
    from bootstrap.apply.plan.preflight import TargetTree
    from bootstrap.fs.path import Place
    from bootstrap.fs.read import FileInfo
    from bootstrap.state.manifest import Written


def removals(
    records: Iterable[Written], *, ground: TargetTree, wanted: Collection[str]
) -> tuple[list[Change], list[str]]:
    """Return the changes that remove these files, and a note for each that has to be kept.

    A file is removed only if this agent wrote it and its content is still the one that was written;
    `wanted` are the keys of the places that have to stay, under any name.
    """
    changes: list[Change] = []
    notes: list[str] = []
    for record in records:
        change, kept = _removal(record, ground, wanted) if record.ours else (None, "")
        if change:
            changes.append(change)
        if kept:
            notes.append(Public(f"kept {record.path}: {kept}"))
    return changes, notes


def _removal(
    record: Written, ground: TargetTree, wanted: Collection[str]
) -> tuple[Change | None, str]:
    try:
        place = ground.resolve(record.path, follow=record.follow)
        found = ground.pending.lstat(place)
        if found is None or place.key in wanted:
            return None, ""
        kept = _reason_to_keep(record, place, found, ground.pending)
        return (None, kept) if kept else (_change(record, place, found, ground.pending), "")
    except BootstrapError as error:
        return None, "; ".join(problem.message for problem in error.problems)
    except OSError as error:
        return None, error.strerror or f"{error}"


def _reason_to_keep(record: Written, place: Place, found: FileInfo, pending: PendingView) -> str:
    if found.kind != "file" or pending.digest(place) != record.sha256:
        return "it was changed after this agent wrote it"
    return "it is a mount point" if is_mount_point(place) else ""


def _change(record: Written, place: Place, found: FileInfo, pending: PendingView) -> Change:
    return Change(
        path=record.path,
        action="remove",
        reasons=("no longer in the configuration",),
        before=Snapshot(
            content=pending.read(place, MAX_CONTENT), access=found.access, stamp=found.stamp
        ),
        after=None,
        place=place,
        secret=record.secret,
    )
