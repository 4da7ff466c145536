r"""The part of `unsafe_path` that differs by system, for Windows.

By default every user may make new folders in C:\ and in ProgramData, but that right does not let
them touch what is there. A user who may remove a folder, rename it or change its owner or its list
can put another folder in its place.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101  (nothing imports it elsewhere)

from bootstrap.fs import security_windows as security
from bootstrap.fs import sids_windows as sids
from bootstrap.fs.path import on_disk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.fs.accounts import Accounts

# FILE_DELETE_CHILD, DELETE, WRITE_DAC, WRITE_OWNER, GENERIC_WRITE and GENERIC_ALL
TAKES_AWAY = 0x40 | 0x10000 | 0x40000 | 0x80000 | 0x40000000 | 0x10000000
IS_ORDINARY = False  # no file may be written below such a folder
HINT = "write below a folder that only administrators can change, or take the right away"


def who_can_write(root: str, folder: str, accounts: Accounts) -> str:  # noqa: ARG001
    """Return the account, in words, that can replace a folder; empty if only trusted ones can.

    `folder` is relative to `root`. The system, the administrators, TrustedInstaller and the user
    that runs the agent are trusted. The result is empty for a folder that does not exist yet.
    """
    trusted = {sids.SYSTEM, sids.ADMINISTRATORS, sids.TRUSTED_INSTALLER}
    trusted |= {sids.own_user(), sids.CREATOR_OWNER}
    try:
        sid = _stranger(on_disk(root, folder), trusted)
    except FileNotFoundError:
        return ""
    return sids.name_of(sid) if sid else ""


def _stranger(path: str, trusted: set[str]) -> str:
    """Return the SID of an account that is not trusted and can replace the folder, or ""."""
    acl = security.entries(path)
    if acl is None:
        return ""
    owner, entries = acl
    if owner not in trusted:
        return owner
    for entry in entries:
        grants = entry.kind == security.ALLOWED and not entry.flags & security.INHERIT_ONLY
        if grants and entry.mask & TAKES_AWAY and entry.sid not in trusted:
            return entry.sid
    return ""
