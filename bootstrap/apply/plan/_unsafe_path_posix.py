"""The part of `unsafe_path` that differs by system, for POSIX systems.

A folder that other users can write to is often an ordinary place for files. So files may be written
below it: every step is taken by descriptor, and no link is followed.
"""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # noqa: S101  (Windows has a module of its own)

import os
import stat
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bootstrap.fs.accounts import Accounts

ROOT = 0
IS_ORDINARY = True  # files may be written below such a folder
HINT = "make it a folder, or write below a folder that only root can write to"
ACL = "system.posix_acl_access"
ACL_HEADER, ACL_ENTRY = 4, 8  # bytes: linux/posix_acl_xattr.h
# Tags of its entries: linux/posix_acl.h. The mask limits all entries but the owner's and others'.
USER, GROUP_OBJ, GROUP, MASK = 0x02, 0x04, 0x08, 0x10
WRITE = 0o2


def who_can_write(root: str, folder: str, accounts: Accounts) -> str:
    """Return the account, in words, that can write to a folder; empty if only root can.

    `folder` is relative to `root`. The user that runs the agent counts as root. The result is empty
    for a folder that does not exist yet. The sticky bit is ignored: with it, other users can still
    make new names.
    """
    path = os.path.join(root, folder)
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    return next(_writers(path, status, accounts), "")


def _writers(path: str, status: os.stat_result, accounts: Accounts) -> Iterator[str]:
    """Yield the owner, others, users and groups that can write to the folder, in words."""
    if status.st_uid not in {ROOT, os.geteuid()}:
        yield f"its owner {accounts.users.name(status.st_uid)}"
    if status.st_mode & stat.S_IWOTH:
        yield "everybody"
    if not status.st_mode & stat.S_IWGRP:  # with an access list these bits are its mask
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
    """Yield the tag and the id of each entry of the folder's access list that may write."""
    try:
        acl = os.getxattr(path, ACL, follow_symlinks=False)
    except (OSError, AttributeError):  # there is no list, or the system has no such lists
        return
    yield (MASK, 0)  # there is a list: the mode's group bits are its mask
    for at in range(ACL_HEADER, len(acl) - ACL_ENTRY + 1, ACL_ENTRY):
        tag, rights, number = struct.unpack_from("<HHI", acl, at)
        if rights & WRITE:
            yield tag, number
