"""Owners and access lists by the names that a document gives them."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101  (nothing imports it elsewhere)

from bootstrap.fs.errors import refusal, together
from bootstrap.windows.fs import read, security, sids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from bootstrap.errors import WriteError
    from bootstrap.windows.fs.read import Access, FileInfo

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
        def acl(self) -> tuple[str, ...] | None:
            """Accounts with their rights, `name:word`; None keeps the present list."""


HINT = "write it as `whoami /groups` or `sc showsid` does, such as NT SERVICE\\shop"


class Accounts:
    """The accounts of the machine; those of a tree below another root cannot be asked."""

    def __init__(self, root: str) -> None:
        self._root = root

    def access(self, spec: OwnedFile, mode: int, found: FileInfo | None) -> Access:
        """The access that a file shall have; raises WriteError naming each unknown account.

        Without an `acl` a file that holds a secret (its `mode` is for nobody else) is SYSTEM's and
        the Administrators' alone; any other keeps the list that it has, or gets its folder's.
        """
        present = found.access if found and found.kind == "file" else None
        kept = present.owner if present else sids.own_sid()
        names = [spec.owner] if spec.owner is not None else []
        rights = [entry.rpartition(":")[::2] for entry in spec.acl or ()]
        known = {name: sids.sid_of(name) for name in (*names, *(name for name, _ in rights))}
        if unknown := [name for name, sid in known.items() if sid is None]:
            raise together([_unknown(name, spec) for name in unknown])
        owner = kept if spec.owner is None else known[spec.owner]
        if spec.acl is not None:
            return read.Access(owner, _list([(known[name] or "", word) for name, word in rights]))
        if not mode & read.OTHERS:
            return read.Access(owner, security.PRIVATE)
        return read.Access(owner, present.acl if present else "")

    def differences(self, present: Access, wanted: Access) -> tuple[str, ...]:
        """In which respects two accesses differ, for people."""
        reasons = []
        for name in present.differences(wanted):
            if name == "owner" and present.owner and wanted.owner:
                names = sids.name_of(present.owner), sids.name_of(wanted.owner)
                reasons.append(f"owner {names[0]} → {names[1]}")
            else:
                reasons.append(name)
        return tuple(reasons)


def _list(rights: list[tuple[str, str]]) -> str:
    """The list that gives these rights; SYSTEM and the Administrators always have all of them."""
    grants: dict[str, int] = {}
    for sid, word in rights:
        grants[sid] = grants.get(sid, 0) | security.RIGHTS[word]
    full = security.RIGHTS["F"]
    return security.spell(grants | {sids.SYSTEM: full, sids.ADMINISTRATORS: full})


def _unknown(name: str, spec: OwnedFile) -> WriteError:
    message = f"there is no account {name!r}"
    return refusal(message, path=spec.path, origin=spec.origin, hint=HINT)
