"""One wanted file against what stands there."""

from __future__ import annotations

from hashlib import sha256

from bootstrap.apply.plan.change import Change, Snapshot
from bootstrap.apply.plan.preflight import inspect
from bootstrap.apply.plan.unsafe_path import HINT, IS_ORDINARY
from bootstrap.frozen import replace
from bootstrap.fs.errors import MOUNT_POINT, refusal, unsafe
from bootstrap.fs.mounts import is_mount_point
from bootstrap.fs.xattr import ACL, CAPABILITY, differences, wanted
from bootstrap.state.manifest import Written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bootstrap.apply.plan.overlay import PendingView
    from bootstrap.apply.plan.preflight import TargetTree
    from bootstrap.config.model import FileSpec
    from bootstrap.fs.path import Place
    from bootstrap.fs.read import Access, FileInfo
    from bootstrap.render.rendered import Rendered

MAX_CONTENT = 8 << 20  # bytes of an old file that are kept in memory, for diff and undo


def compare(
    rendered: Rendered, place: Place, before: Written | None, ground: TargetTree
) -> tuple[Change | None, Written]:
    """What one file would change at its place, if anything, and the record to keep of it.

    `before` is the record that the state has of it. Raises WriteError or UnsafeDestination with
    every problem of this file, and OSError when it cannot be looked at.
    """
    spec = rendered.spec
    pending = ground.pending
    found = pending.lstat(place)
    if found and spec.when == "once":
        met = _record(rendered, found.access, ours=False)
        return None, replace(before, once=True) if before else met
    missing = inspect(spec, place, found, pending)
    access = ground.access(spec, rendered.mode, found)
    untrusted = ground.untrusted(place)
    if untrusted and not IS_ORDINARY:
        raise unsafe(untrusted, path=spec.path, origin=spec.origin, hint=HINT)
    old = _snapshot(spec, place, found, len(rendered.content), pending) if found else None
    same = old is not None and old.link is None and old.content == rendered.content
    ours = not same or (before is not None and before.ours)
    attributes = _attributes(place, old, before, ground) if not (old and spec.in_place) else {}
    if untrusted:  # what others have put there hands on no rights
        attributes = {
            name: one for name, one in attributes.items() if name not in {ACL, CAPABILITY}
        }
    new = Snapshot(content=rendered.content, access=access, attributes=attributes)
    record = _record(rendered, access, ours=ours, attributes=new.attributes if old else None)
    reasons = _reasons(old, new, ground, same=same)
    if old and same and not reasons:
        return None, record
    reasons += tuple(f"folder /{folder.relative}" for folder in missing)
    secret = rendered.secret or (before is not None and before.secret)
    change = _change(spec, place, old, new, reasons, same=same, secret=secret)
    return replace(change, untrusted=bool(untrusted)), record


def _snapshot(
    spec: FileSpec, place: Place, found: FileInfo, length: int, pending: PendingView
) -> Snapshot:
    if found.kind == "link":
        target = pending.read_link(place)
        return Snapshot(content=b"", access=found.access, link=target, stamp=found.stamp)
    return Snapshot(
        content=pending.read(place, max(MAX_CONTENT, length)),
        access=found.access,
        attributes={} if spec.in_place else pending.attributes(place),
        stamp=found.stamp,
    )


def _attributes(
    place: Place, old: Snapshot | None, before: Written | None, ground: TargetTree
) -> dict[str, bytes]:
    present = old.attributes if old else {}
    label = ground.policy.label(f"/{place.relative}")
    return wanted(present, before.attributes if before else None, label)


def _reasons(
    before: Snapshot | None, after: Snapshot, ground: TargetTree, *, same: bool
) -> tuple[str, ...]:
    if before is None:
        return ("new",)
    if before.link is not None:
        return (f"replaces a link to {before.link}",)
    content = () if same else ("content",)
    access = ground.differences(before.access, after.access)
    return content + access + differences(before.attributes, after.attributes)


def _change(
    spec: FileSpec,
    place: Place,
    before: Snapshot | None,
    after: Snapshot,
    reasons: tuple[str, ...],
    *,
    same: bool,
    secret: bool,
) -> Change:
    if before and before.link is None:
        _refuse_unwritable(spec, place, before)
    return Change(
        path=spec.path,
        action="create" if before is None else "attributes" if same else "update",
        reasons=reasons,
        before=before,
        after=after,
        place=place,
        check=spec.check,
        in_place=spec.in_place and before is not None and before.link is None,
        backup=spec.backup and not same,
        secret=secret,
        origin=spec.origin,
        check_origin=spec.check_origin,
    )


def _refuse_unwritable(spec: FileSpec, place: Place, before: Snapshot) -> None:
    if spec.in_place and before.content is None:
        message = "it is too long to be written over: it could not be put back"
        raise refusal(message, path=spec.path, origin=spec.origin)
    if not spec.in_place and is_mount_point(place):
        message = "it is a mount point"
        raise refusal(message, path=spec.path, origin=spec.origin, hint=MOUNT_POINT)


def _record(
    rendered: Rendered,
    access: Access,
    *,
    ours: bool,
    attributes: Mapping[str, bytes] | None = None,
) -> Written:
    spec = rendered.spec
    return Written(
        path=spec.path,
        sha256=sha256(rendered.content).hexdigest(),
        **access.fields(),
        ours=ours,
        once=spec.when == "once",
        follow=spec.symlink == "follow",
        secret=rendered.secret,
        source=rendered.source,
        in_place=spec.in_place,
        attributes=None if spec.in_place else attributes,
    )
