"""The part of `accounts` that differs by system, for Windows."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101  (nothing imports it elsewhere)

from bootstrap.fs import read
from bootstrap.fs import security_windows as security
from bootstrap.fs import sids_windows as sids
from bootstrap.fs._read_windows import OTHERS
from bootstrap.fs.errors import refusal, together

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.errors import WriteError
    from bootstrap.fs.owned_file import OwnedFile
    from bootstrap.fs.read import Access, FileInfo

HINT = "write it as `whoami /groups` or `sc showsid` does, such as NT SERVICE\\shop"


class Accounts:
    """The accounts of the machine; a tree below another root has no accounts that could be read."""

    def __init__(self, root: str) -> None:
        self._root = root

    def access(self, spec: OwnedFile, mode: int, found: FileInfo | None) -> Access:
        """Return the access of the file; raises WriteError that names each unknown account.

        Without an `acl` a file keeps the list that it has, and a new one gets its folder's. But a
        file that holds a secret (its `mode` has no right for others) gets a list with SYSTEM and
        the Administrators only.
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
        if not mode & OTHERS:
            return read.Access(owner, security.PRIVATE)
        return read.Access(owner, present.acl if present else "")

    def differences(self, present: Access, wanted: Access) -> tuple[str, ...]:
        """Return in which respects two accesses differ, as texts for people."""
        reasons = []
        for name in present.differences(wanted):
            if name == "owner" and present.owner and wanted.owner:
                names = sids.name_of(present.owner), sids.name_of(wanted.owner)
                reasons.append(f"owner {names[0]} → {names[1]}")
            else:
                reasons.append(name)
        return tuple(reasons)


def _list(rights: list[tuple[str, str]]) -> str:
    """Return the list with these rights; SYSTEM and the Administrators always get all rights."""
    grants: dict[str, int] = {}
    for sid, word in rights:
        grants[sid] = grants.get(sid, 0) | security.RIGHTS[word]
    full = security.RIGHTS["F"]
    return security.spell(grants | {sids.SYSTEM: full, sids.ADMINISTRATORS: full})


def _unknown(name: str, spec: OwnedFile) -> WriteError:
    message = f"there is no account {name!r}"
    return refusal(message, path=spec.path, origin=spec.origin, hint=HINT)
