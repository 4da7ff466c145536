"""Attributes that a replaced file hands on: SELinux label, access control list, `user.*`."""

from __future__ import annotations

import errno
import os
import struct
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.apply.place import Place

SELINUX = "security.selinux"
ACL = "system.posix_acl_access"
ACL_HEADER = 4  # bytes: the version, in linux/posix_acl_xattr.h
ACL_ENTRY = struct.Struct("<HHI")  # tag, permissions, id: struct posix_acl_xattr_entry
ACL_MODE_TAGS = frozenset({0x01, 0x10, 0x20})  # ACL_USER_OBJ, ACL_MASK, ACL_OTHER: what chmod sets
UNSUPPORTED = frozenset({errno.EOPNOTSUPP, errno.ENOSYS})


def carry(descriptor: int, like: Place) -> None:
    """Give a new file of mode 0 the attributes of the file that it replaces, and keep its mode 0.

    Where no such file is, or its file system knows no attributes, there is nothing to hand on.
    """
    try:
        names = os.listxattr(like.path, follow_symlinks=False)
    except OSError:
        return
    for name in names:
        if name in {SELINUX, ACL} or name.startswith("user."):
            _copy(descriptor, like, name)
    if ACL not in names:  # the folder's default list is for new files, and this one is not
        with suppress(OSError):
            os.removexattr(descriptor, ACL)


def _copy(descriptor: int, like: Place, name: str) -> None:
    value = os.getxattr(like.path, name, follow_symlinks=False)
    try:
        os.setxattr(descriptor, name, _closed(value) if name == ACL else value)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise


def _closed(acl: bytes) -> bytes:
    """The list with all that the mode will say still taken away: it opens with the mode."""
    entries = ACL_ENTRY.iter_unpack(acl[ACL_HEADER:])
    return acl[:ACL_HEADER] + b"".join(
        ACL_ENTRY.pack(tag, 0 if tag in ACL_MODE_TAGS else permissions, number)
        for tag, permissions, number in entries
    )
