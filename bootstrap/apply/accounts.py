"""Users and groups by name: those of the machine, or those of the tree below `root`."""

from __future__ import annotations

from bootstrap.apply import disk
from bootstrap.apply.place import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

NOBODY = 2**32 - 1  # chown(2) takes it for "leave as it is"
DATABASE_AT_MOST = 16 << 20  # bytes


class Accounts:
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
        content = disk.read(resolve(f"/etc/{database}", root, follow=True), DATABASE_AT_MOST)
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
