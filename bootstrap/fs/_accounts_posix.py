"""The part of `accounts` that differs by system, for POSIX systems."""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # noqa: S101  (Windows has a module of its own)

from bootstrap.errors import nearest
from bootstrap.fs import read
from bootstrap.fs.errors import refusal, together
from bootstrap.fs.path import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bootstrap.errors import WriteError
    from bootstrap.fs.owned_file import OwnedFile
    from bootstrap.fs.read import Access, FileInfo

NOBODY = 2**32 - 1  # chown(2) leaves the owner as it is for this number
MAX_DATABASE = 16 << 20  # bytes


class Accounts:
    """The users and the groups of the machine below `root`."""

    __slots__ = ("groups", "users")

    def __init__(self, root: str) -> None:
        self.users = Database("passwd", root)
        self.groups = Database("group", root)

    def access(self, spec: OwnedFile, mode: int, found: FileInfo | None) -> Access:
        """Return the access of the file; raises WriteError that names each unknown account.

        `mode` holds its permission bits. Without an owner or a group in the document the file keeps
        what it has, and a new file gets this process's own.
        """
        own = read.own_access(mode)
        present = found.access if found and found.kind == "file" else own
        uid = present.uid if spec.owner is None else self.users.number(spec.owner)
        gid = present.gid if spec.group is None else self.groups.number(spec.group)
        if uid is not None and gid is not None:
            return read.Access(mode, uid, gid)
        unknown = (("user", spec.owner, uid, self.users), ("group", spec.group, gid, self.groups))
        raise together(
            [
                _unknown(kind, name, accounts, spec)
                for kind, name, number, accounts in unknown
                if name is not None and number is None
            ]
        )

    def differences(self, present: Access, wanted: Access) -> tuple[str, ...]:
        """Return in which respects two accesses differ, as texts for people."""
        reasons = []
        if present.mode != wanted.mode:
            reasons.append(f"mode {present.mode:04o} → {wanted.mode:04o}")
        if present.uid != wanted.uid:
            reasons.append(f"owner {self.users.name(present.uid)} → {self.users.name(wanted.uid)}")
        if present.gid != wanted.gid:
            names = self.groups.name(present.gid), self.groups.name(wanted.gid)
            reasons.append(f"group {names[0]} → {names[1]}")
        return tuple(reasons)


def _unknown(kind: str, name: str, accounts: Database, spec: OwnedFile) -> WriteError:
    close = nearest(name, accounts.known())
    hint = f"did you mean {close}?" if close else f"create the {kind} in the image, or use a number"
    return refusal(f"there is no {kind} {name!r}", path=spec.path, origin=spec.origin, hint=hint)


class Database:
    """One of the two databases, `passwd` or `group`, as the machine below `root` has it.

    For a tree without the file, such as a half-built image, the running system's names are used.
    """

    def __init__(self, database: str, root: str = "/") -> None:
        self._database = database
        self._names = _file_names(database, root) if root != "/" else None

    def number(self, name: str) -> int | None:
        """Return the id of a name, or the number itself if it is one; None if it is unknown."""
        if name.isascii() and name.isdigit():
            return int(name) if len(name) <= len(f"{NOBODY}") and int(name) < NOBODY else None
        if self._names is not None:
            return self._names.get(name)
        return _system_number(self._database, name)

    def name(self, number: int) -> str:
        """Return the name of an id, or its digits if it has no name."""
        if self._names is not None:
            return next(
                (name for name, known in self._names.items() if known == number), f"{number}"
            )
        return _system_name(self._database, number)

    def known(self) -> Iterable[str]:
        """Return every name, for suggestions."""
        return _system_names(self._database) if self._names is None else self._names


def _file_names(database: str, root: str) -> dict[str, int] | None:
    """Return the ids by name of the file below `root`; None if there is no such file."""
    try:
        content = read.read(resolve(f"/etc/{database}", root, follow=True), MAX_DATABASE)
    except FileNotFoundError:
        return None
    names: dict[str, int] = {}
    for line in (content or b"").decode("utf-8", "surrogateescape").splitlines():
        fields = line.split(":")
        if len(fields) > 2 and fields[2].isascii() and fields[2].isdigit():  # noqa: PLR2004
            names.setdefault(fields[0], int(fields[2]))
    return names


def _system_number(database: str, name: str) -> int | None:
    import grp
    import pwd

    try:
        return pwd.getpwnam(name).pw_uid if database == "passwd" else grp.getgrnam(name).gr_gid
    except KeyError:
        return None


def _system_name(database: str, number: int) -> str:
    import grp
    import pwd

    try:
        return (
            pwd.getpwuid(number).pw_name if database == "passwd" else grp.getgrgid(number).gr_name
        )
    except KeyError:
        return f"{number}"


def _system_names(database: str) -> list[str]:
    import grp
    import pwd

    if database == "passwd":
        return [entry.pw_name for entry in pwd.getpwall()]
    return [entry.gr_name for entry in grp.getgrall()]
