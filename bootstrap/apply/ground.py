"""The tree that files are written into: what its names mean, and what stands in the way."""

from __future__ import annotations

from bootstrap.apply import disk
from bootstrap.apply.accounts import Accounts
from bootstrap.apply.failures import refusal, together, unsafe
from bootstrap.apply.labels import Policy
from bootstrap.apply.names import BACKUP
from bootstrap.apply.standing import Standing
from bootstrap.errors import nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.apply.disk import Access, Found
    from bootstrap.apply.journal import Story
    from bootstrap.apply.place import Place
    from bootstrap.config.configuration import FileSpec
    from bootstrap.errors import WriteError

IN_THE_WAY = {"folder": "a folder", "other": "a device, pipe or socket"}


class Ground:
    """A tree below `root`: what stands in it, its users, its groups and its policy."""

    __slots__ = ("groups", "policy", "root", "standing", "users")

    def __init__(self, root: str, undone: Story | None = None) -> None:
        self.root = root
        self.standing = Standing(root, undone)
        self.users = Accounts("passwd", root)
        self.groups = Accounts("group", root)
        self.policy = Policy(root)

    def access(self, spec: FileSpec, mode: int, found: Found | None) -> Access:
        """The access that a file shall have; raises WriteError naming each unknown account."""
        own = disk.own_access(mode)
        present = found.access if found and found.kind == "file" else own
        uid = present.uid if spec.owner is None else self.users.number(spec.owner)
        gid = present.gid if spec.group is None else self.groups.number(spec.group)
        if uid is not None and gid is not None:
            return disk.Access(mode, uid, gid)
        unknown = (("user", spec.owner, uid, self.users), ("group", spec.group, gid, self.groups))
        raise together(
            [
                _unknown(kind, name, accounts, spec)
                for kind, name, number, accounts in unknown
                if name is not None and number is None
            ]
        )

    def differences(self, present: Access, wanted: Access) -> tuple[str, ...]:
        """In which respects two accesses differ, for people."""
        reasons = []
        if present.mode != wanted.mode:
            reasons.append(f"mode {present.mode:04o} → {wanted.mode:04o}")
        if present.uid != wanted.uid:
            reasons.append(f"owner {self.users.name(present.uid)} → {self.users.name(wanted.uid)}")
        if present.gid != wanted.gid:
            names = self.groups.name(present.gid), self.groups.name(wanted.gid)
            reasons.append(f"group {names[0]} → {names[1]}")
        return tuple(reasons)


def _unknown(kind: str, name: str, accounts: Accounts, spec: FileSpec) -> WriteError:
    close = nearest(name, accounts.known())
    hint = f"did you mean {close}?" if close else f"create the {kind} in the image, or use a number"
    return refusal(f"there is no {kind} {name!r}", path=spec.path, origin=spec.origin, hint=hint)


def backup_of(place: Place) -> Place:
    """Where the one previous copy of a file goes."""
    return place.beside(place.name + BACKUP)


def inspect(
    spec: FileSpec, place: Place, found: Found | None, standing: Standing
) -> tuple[Place, ...]:
    """The folders that have to be made first; raises UnsafeDestination for what is in the way."""
    if found and found.kind in IN_THE_WAY:
        message = f"{IN_THE_WAY[found.kind]} is in the way"
        raise unsafe(message, path=spec.path, origin=spec.origin)
    if found and found.kind == "link" and spec.symlink != "replace":
        hint = "say `symlink: follow` to write where it points, `symlink: replace` to replace it"
        message = f"it is a symbolic link to {standing.read_link(place)}"
        raise unsafe(message, path=spec.path, origin=spec.origin, hint=hint)
    backup = disk.look(backup_of(place)) if spec.backup else None
    if backup and backup.kind in IN_THE_WAY:
        message = f"{IN_THE_WAY[backup.kind]} is where its backup goes"
        raise unsafe(message, path=spec.path, origin=spec.origin)
    return _missing_folders(spec, place, standing)


def _missing_folders(spec: FileSpec, place: Place, standing: Standing) -> tuple[Place, ...]:
    missing = []
    for folder in place.above():
        there = standing.look(folder)
        if there is None:
            missing.append(folder)
        elif there.kind != "folder":
            message = f"/{folder.relative} is not a folder"
            raise unsafe(message, path=spec.path, origin=spec.origin)
    return tuple(missing)
