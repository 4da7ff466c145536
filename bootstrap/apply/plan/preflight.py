"""The tree that files are written into: what its names mean, and what stands in the way."""

from __future__ import annotations

from bootstrap.apply.plan import unsafe_path
from bootstrap.apply.plan.overlay import PendingView
from bootstrap.fs import read
from bootstrap.fs.accounts import Accounts
from bootstrap.fs.errors import unsafe
from bootstrap.fs.path import resolve
from bootstrap.fs.selinux import Policy
from bootstrap.fs.temp_names import BACKUP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.apply.transaction.journal import JournalContents
    from bootstrap.config.model import FileSpec
    from bootstrap.fs.path import Place
    from bootstrap.fs.read import Access, FileInfo

IN_THE_WAY = {"folder": "a folder", "other": "a device, pipe or socket"}


class TargetTree:
    """A tree below `root`: what stands in it, its accounts and its policy."""

    __slots__ = ("_writers", "accounts", "pending", "policy", "root")

    def __init__(self, root: str, undone: JournalContents | None = None) -> None:
        self.root = root
        self._writers: dict[str, str] = {}  # who else can write to each folder, in words
        self.pending = PendingView(root, undone)
        self.accounts = Accounts(root)
        self.policy = Policy(root)

    def resolve(self, path: str, *, follow: bool, origin: str = "") -> Place:
        """Return where a path lies; no link is followed below a folder that others can write to.

        Raises UnsafeDestination for such a link, and OSError as `place.resolve` does.
        """

        def refuse(link: Place) -> None:
            if who := self.untrusted(link):
                message = f"{link.stated} is a link, and {who}"
                raise unsafe(message, path=path, origin=origin, hint=unsafe_path.HINT)

        return resolve(path, self.root, follow=follow, on_link=refuse)

    def untrusted(self, place: Place) -> str:
        """Return, in words, who but root can write to the outermost such folder on the way there.

        Empty if every folder is root's alone. All folders below the root count, for one can be
        moved away by whoever can write to the one above.
        """
        for folder in ("", *(above.relative for above in place.parents())):
            if folder not in self._writers:
                writer = unsafe_path.who_can_write(self.root, folder, self.accounts)
                self._writers[folder] = writer and f"{writer} can write to its folder /{folder}"
            if self._writers[folder]:
                return self._writers[folder]
        return ""

    def access(self, spec: FileSpec, mode: int, found: FileInfo | None) -> Access:
        """The access that a file shall have; raises WriteError naming each unknown account."""
        return self.accounts.access(spec, mode, found)

    def differences(self, present: Access, wanted: Access) -> tuple[str, ...]:
        """In which respects two accesses differ, for people."""
        return self.accounts.differences(present, wanted)


def backup_of(place: Place) -> Place:
    """Where the one previous copy of a file goes."""
    return place.sibling(place.name + BACKUP)


def inspect(
    spec: FileSpec, place: Place, found: FileInfo | None, pending: PendingView
) -> tuple[Place, ...]:
    """The folders that have to be made first; raises UnsafeDestination for what is in the way."""
    if found and found.kind in IN_THE_WAY:
        message = f"{IN_THE_WAY[found.kind]} is in the way"
        raise unsafe(message, path=spec.path, origin=spec.origin)
    if found and found.kind == "link" and spec.symlink != "replace":
        hint = "say `symlink: follow` to write where it points, `symlink: replace` to replace it"
        message = f"it is a symbolic link to {pending.read_link(place)}"
        raise unsafe(message, path=spec.path, origin=spec.origin, hint=hint)
    if found and spec.in_place and found.links > 1:
        message = f"it has {found.links} names, and all of them would be written over"
        hint = "remove the other hard links, or leave out `in_place`"
        raise unsafe(message, path=spec.path, origin=spec.origin, hint=hint)
    backup = read.lstat(backup_of(place)) if spec.backup else None
    if backup and backup.kind in IN_THE_WAY:
        message = f"{IN_THE_WAY[backup.kind]} is where its backup goes"
        raise unsafe(message, path=spec.path, origin=spec.origin)
    return _missing_folders(spec, place, pending)


def _missing_folders(spec: FileSpec, place: Place, pending: PendingView) -> tuple[Place, ...]:
    missing = []
    for folder in place.parents():
        there = pending.lstat(folder)
        if there is None:
            missing.append(folder)
        elif there.kind != "folder":
            message = f"/{folder.relative} is not a folder"
            raise unsafe(message, path=spec.path, origin=spec.origin)
    return tuple(missing)
