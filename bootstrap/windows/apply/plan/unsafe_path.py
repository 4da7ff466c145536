r"""Folders that others can take away: who could decide where a file ends up.

By default every user may make new folders in C:\ and in ProgramData; that alone lets nobody touch
what is there. Who may remove, rename or give away a folder on the way can put another in its place.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101  (nothing imports it elsewhere)

from bootstrap.windows.fs import security, sids
from bootstrap.windows.fs.path import on_disk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.windows.fs.accounts import Accounts

# FILE_DELETE_CHILD, DELETE, WRITE_DAC, WRITE_OWNER, GENERIC_WRITE and GENERIC_ALL
TAKES_AWAY = 0x40 | 0x10000 | 0x40000 | 0x80000 | 0x40000000 | 0x10000000
IS_ORDINARY = False  # no file is written where somebody else can take away a folder on the way
HINT = "write below a folder that only administrators can change, or take the right away"


def who_can_write(root: str, folder: str, accounts: Accounts) -> str:  # noqa: ARG001
    """Return, in words, who else can take away a folder; empty if nobody can.

    `folder` is relative to `root`. The system, administrators and the user who runs the agent are
    nobody else.
    """
    trusted = {sids.SYSTEM, sids.ADMINISTRATORS, sids.TRUSTED_INSTALLER}
    trusted |= {sids.own_user(), sids.CREATOR_OWNER}
    try:
        who = _stranger(on_disk(root, folder), trusted)
    except FileNotFoundError:
        return ""
    return sids.name_of(who) if who else ""


def _stranger(path: str, trusted: set[str]) -> str:
    """The SID of somebody else who could take the folder away; empty when there is nobody."""
    found = security.entries(path)
    if found is None:
        return ""
    owner, entries = found
    if owner not in trusted:
        return owner
    for entry in entries:
        grants = entry.kind == security.ALLOWED and not entry.flags & security.INHERIT_ONLY
        if grants and entry.mask & TAKES_AWAY and entry.sid not in trusted:
            return entry.sid
    return ""
