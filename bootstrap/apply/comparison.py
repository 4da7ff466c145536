"""One wanted file against what stands there."""

from __future__ import annotations

from hashlib import sha256

from bootstrap.apply.change import Change, Snapshot
from bootstrap.apply.failures import MOUNT_POINT, refusal
from bootstrap.apply.ground import inspect
from bootstrap.apply.mounts import is_mount_point
from bootstrap.apply.strangers import refuse_strangers
from bootstrap.apply.written import Written
from bootstrap.frozen import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.apply.disk import Access, Found
    from bootstrap.apply.ground import Ground
    from bootstrap.apply.place import Place
    from bootstrap.apply.standing import Standing
    from bootstrap.config.configuration import FileSpec
    from bootstrap.render.rendered import Rendered

CONTENT_AT_MOST = 8 << 20  # bytes of an old file that are kept in memory, for diff and undo


def compare(
    rendered: Rendered, place: Place, before: Written | None, ground: Ground
) -> tuple[Change | None, Written]:
    """What one file would change at its place, if anything, and the record to keep of it.

    `before` is the record that the state has of it. Raises WriteError or UnsafeDestination with
    every problem of this file, and OSError when it cannot be looked at.
    """
    spec = rendered.spec
    standing = ground.standing
    found = standing.look(place)
    if found and spec.when == "once":
        met = _record(rendered, found.access, ours=False)
        return None, replace(before, once=True) if before else met
    missing = inspect(spec, place, found, standing)
    access = ground.access(spec, rendered.mode, found)
    refuse_strangers(spec, place, access, ground)
    old = _snapshot(place, found, len(rendered.content), standing) if found else None
    same = old is not None and old.link is None and old.content == rendered.content
    ours = not same or (before is not None and before.ours)
    record = _record(rendered, access, ours=ours)
    if old and same and old.access == access:
        return None, record
    reasons = _reasons(old, access, ground, same=same)
    reasons += tuple(f"folder /{folder.relative}" for folder in missing)
    secret = rendered.secret or (before is not None and before.secret)
    return _change(rendered, place, old, access, reasons, same=same, secret=secret), record


def _snapshot(place: Place, found: Found, wanted: int, standing: Standing) -> Snapshot:
    if found.kind == "link":
        return Snapshot(content=b"", access=found.access, link=standing.read_link(place))
    limit = max(CONTENT_AT_MOST, wanted)
    return Snapshot(content=standing.read(place, limit), access=found.access)


def _reasons(
    before: Snapshot | None, access: Access, ground: Ground, *, same: bool
) -> tuple[str, ...]:
    if before is None:
        return ("new",)
    if before.link is not None:
        return (f"replaces a link to {before.link}",)
    content = () if same else ("content",)
    return content + ground.differences(before.access, access)


def _change(
    rendered: Rendered,
    place: Place,
    before: Snapshot | None,
    access: Access,
    reasons: tuple[str, ...],
    *,
    same: bool,
    secret: bool,
) -> Change:
    spec = rendered.spec
    if before and before.link is None:
        _refuse_unwritable(spec, place, before)
    return Change(
        path=spec.path,
        action="create" if before is None else "attributes" if same else "update",
        reasons=reasons,
        before=before,
        after=Snapshot(content=rendered.content, access=access),
        place=place,
        check=spec.check,
        in_place=spec.in_place and before is not None and before.link is None,
        backup=spec.backup and not same,
        secret=secret,
        origin=spec.origin,
    )


def _refuse_unwritable(spec: FileSpec, place: Place, before: Snapshot) -> None:
    if spec.in_place and before.content is None:
        message = "it is too long to be written over: it could not be put back"
        raise refusal(message, path=spec.path, origin=spec.origin)
    if not spec.in_place and is_mount_point(place):
        message = "it is a mount point"
        raise refusal(message, path=spec.path, origin=spec.origin, hint=MOUNT_POINT)


def _record(rendered: Rendered, access: Access, *, ours: bool) -> Written:
    spec = rendered.spec
    return Written(
        path=spec.path,
        sha256=sha256(rendered.content).hexdigest(),
        mode=access.mode,
        uid=access.uid,
        gid=access.gid,
        ours=ours,
        once=spec.when == "once",
        follow=spec.symlink == "follow",
        secret=rendered.secret,
        source=rendered.source,
    )
