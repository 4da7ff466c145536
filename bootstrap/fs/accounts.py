"""Users and groups by name, and the access that a document gives files by them.

They are those of the machine, or those of the tree below `root`.
"""

from __future__ import annotations

from bootstrap.errors import nearest
from bootstrap.fs import read
from bootstrap.fs.errors import refusal, together
from bootstrap.fs.path import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Protocol

    from bootstrap.errors import WriteError
    from bootstrap.fs.read import Access, FileInfo

    class OwnedFile(Protocol):
        """A file as a document asks for it: who owns it, and where the document says so."""

        @property
        def path(self) -> str:
            """The path, as errors name it."""

        @property
        def origin(self) -> str:
            """The line that asks for the file."""

        @property
        def owner(self) -> str | None:
            """A user by name or number; None keeps the present one."""

        @property
        def group(self) -> str | None:
            """A group by name or number; None keeps the present one."""


NOBODY = 2**32 - 1  # chown(2) takes it for "leave as it is"
MAX_DATABASE = 16 << 20  # bytes


class Accounts:
    """The users and the groups of the machine below `root`."""

    __slots__ = ("groups", "users")

    def __init__(self, root: str) -> None:
        self.users = Database("passwd", root)
        self.groups = Database("group", root)

    def access(self, spec: OwnedFile, mode: int, found: FileInfo | None) -> Access:
        """The access that a file shall have; raises WriteError naming each unknown account."""
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


def _unknown(kind: str, name: str, accounts: Database, spec: OwnedFile) -> WriteError:
    close = nearest(name, accounts.known())
    hint = f"did you mean {close}?" if close else f"create the {kind} in the image, or use a number"
    return refusal(f"there is no {kind} {name!r}", path=spec.path, origin=spec.origin, hint=hint)


class Database:
    """One of the two databases, `passwd` or `group`, as the machine below `root` has it.

    A tree without the file, such as a half-built image, is read with the running system's names.
    """

    def __init__(self, database: str, root: str = "/") -> None:
        self._database = database
        self._names = _file_names(database, root) if root != "/" else None

    def number(self, name: str) -> int | None:
        """The id of a name; a string of digits stands for itself. None when nobody is called so."""
        if name.isascii() and name.isdigit():
            return int(name) if len(name) <= len(f"{NOBODY}") and int(name) < NOBODY else None
        if self._names is not None:
            return self._names.get(name)
        return _system_number(self._database, name)

    def name(self, number: int) -> str:
        """The name of an id, or its digits when it has none."""
        if self._names is not None:
            return next(
                (name for name, known in self._names.items() if known == number), f"{number}"
            )
        return _system_name(self._database, number)

    def known(self) -> Iterable[str]:
        """Every name, to look for the nearest one."""
        return _system_names(self._database) if self._names is None else self._names


def _file_names(database: str, root: str) -> dict[str, int] | None:
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
