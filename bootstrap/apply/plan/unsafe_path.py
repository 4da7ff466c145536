"""Folders that others can write to: below them no link is followed.

Whoever can write to a folder can put a link, or another folder, in the place of what is in it, and
have a file written, kept or removed where it does not belong. systemd-tmpfiles(8) calls this an
unsafe path transition. Such a folder may well be an ordinary place for files: what is done below it
is done by descriptor, and never beyond a link.
"""

from __future__ import annotations

import os
import stat
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bootstrap.fs.accounts import Accounts

ROOT = 0
IS_ORDINARY = True  # files may be written below such a folder: every step is taken by descriptor
HINT = "make it a folder, or write below a folder that only root can write to"
ACL = "system.posix_acl_access"
ACL_HEADER, ACL_ENTRY = 4, 8  # bytes: linux/posix_acl_xattr.h
# Tags of its entries: linux/posix_acl.h. A mask bounds all but the owner's and everybody's.
USER, GROUP_OBJ, GROUP, MASK = 0x02, 0x04, 0x08, 0x10
WRITE = 0o2


def who_can_write(root: str, folder: str, accounts: Accounts) -> str:
    """Return, in words, who but root can write to a folder; empty if nobody can.

    `folder` is relative to `root`. The user who runs the agent counts as root. A folder that does
    not exist yet is written to by nobody. With the sticky bit others can still make new names.
    """
    path = os.path.join(root, folder)
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    return next(_writers(path, status, accounts), "")


def _writers(path: str, status: os.stat_result, accounts: Accounts) -> Iterator[str]:
    if status.st_uid not in {ROOT, os.geteuid()}:
        yield f"its owner {accounts.users.name(status.st_uid)}"
    if status.st_mode & stat.S_IWOTH:
        yield "everybody"
    if not status.st_mode & stat.S_IWGRP:  # with an access list these are its mask
        return
    own_groups = {ROOT, os.getegid()}
    granted = list(_granted(path)) or [(GROUP_OBJ, 0)]
    for tag, number in granted:
        if tag == USER and number not in {ROOT, os.geteuid()}:
            yield f"the user {accounts.users.name(number)}"
        group = status.st_gid if tag == GROUP_OBJ else number
        if tag in {GROUP, GROUP_OBJ} and group not in own_groups:
            yield f"the group {accounts.groups.name(group)}"


def _granted(path: str) -> Iterator[tuple[int, int]]:
    """Yield tag and id of each entry of the folder's access list that has the right to write."""
    try:
        acl = os.getxattr(path, ACL, follow_symlinks=False)
    except (OSError, AttributeError):  # there is none, or the system has none
        return
    yield (MASK, 0)  # there is a list: what the mode says of the group is its mask
    for at in range(ACL_HEADER, len(acl) - ACL_ENTRY + 1, ACL_ENTRY):
        tag, rights, number = struct.unpack_from("<HHI", acl, at)
        if rights & WRITE:
            yield tag, number
