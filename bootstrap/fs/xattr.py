"""Extended attributes: which of them a file keeps when this agent writes it.

    security.selinux          the label: the policy's for the path, else the recorded one
    system.posix_acl_access   the access list: exactly the recorded one
    security.capability       privileges: one that was added since is removed, none is copied
    user.*                    notes: the recorded ones are kept or restored, others may be added

Recorded (`left`) are the attributes that the file had when this agent last wrote it, or found it as
it was wanted. All other attributes are ignored. `security.ima` and `security.evm` are checksums
that the kernel keeps of each file by itself. `trusted.*` holds what file systems such as overlayfs
and GlusterFS store of their files, and would be wrong on a copy. The attributes of a file that is
written in place are left alone: they belong to the one who mounted it there.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress

from bootstrap.fs import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bootstrap.fs.path import Place

SELINUX = "security.selinux"
ACL = "system.posix_acl_access"
CAPABILITY = "security.capability"
NOTES = "user."
ACL_HEADER = 4  # bytes: the version, in linux/posix_acl_xattr.h
ACL_ENTRY = 8  # bytes, little-endian: tag (2), permissions (2), id (4)
ACL_MODE_TAGS = frozenset({0x01, 0x10, 0x20})  # ACL_USER_OBJ, ACL_MASK, ACL_OTHER: chmod sets these
ARE_KNOWN = hasattr(os, "listxattr")  # on Linux
UNSUPPORTED = frozenset({errno.EOPNOTSUPP, errno.ENOSYS})


def counts(name: str) -> bool:
    """Return whether the agent compares and keeps attributes of this name."""
    return name in {SELINUX, ACL, CAPABILITY} or name.startswith(NOTES)


def get_all(place: Place) -> dict[str, bytes]:
    """Return the attributes of the file that count; none if its file system has none.

    In an access list the rights that the mode repeats are cleared: they are compared, and repaired,
    as the mode.
    """
    if sys.platform != "linux":
        return {}
    values = {}
    with suppress(OSError), read.opened_file(place) as descriptor:
        for name in filter(counts, _names(descriptor)):
            with suppress(OSError):  # the attribute was removed meanwhile
                value = os.getxattr(descriptor, name)
                values[name] = _closed(value) if name == ACL else value
    return values


def wanted(
    present: Mapping[str, bytes], left: Mapping[str, bytes] | None, label: bytes = b""
) -> dict[str, bytes]:
    """Return the attributes that a file should get.

    `present` are those that it has, `left` those that are recorded (None if unknown), `label` is
    the policy's (empty if it has none).
    """
    attributes = dict(present)
    if left is not None:
        attributes.pop(ACL, None)
        if CAPABILITY not in left:
            attributes.pop(CAPABILITY, None)
        kept = ((name, value) for name, value in left.items() if name != CAPABILITY)
        attributes.update((name, value) for name, value in kept if counts(name))
    if label:
        attributes[SELINUX] = label
    return attributes


def differences(present: Mapping[str, bytes], expected: Mapping[str, bytes]) -> tuple[str, ...]:
    """Return in which respects they differ, as texts for people.

    Values are shown of labels only; other attributes are named.
    """
    return tuple(_differences(present, expected))


def _differences(present: Mapping[str, bytes], expected: Mapping[str, bytes]) -> Iterator[str]:
    """Yield one text for each difference, sorted by attribute."""
    for name in sorted(present.keys() | expected.keys()):
        old, new = present.get(name), expected.get(name)
        if name == SELINUX and not _same_label(old, new):
            yield f"label {_shown(old)} → {_shown(new)}"
        elif name == ACL and old != new:
            yield "access list"
        elif name not in {SELINUX, ACL} and old != new and (name != CAPABILITY or new is None):
            yield f"attribute {name if name.isprintable() else ascii(name)}"


def _same_label(old: bytes | None, new: bytes | None) -> bool:
    """Return whether two labels are equal.

    Labels of the kernel end in a zero byte; labels of `setfattr` and of the policy do not.
    """
    return (old or b"").rstrip(b"\0") == (new or b"").rstrip(b"\0")


def _shown(label: bytes | None) -> str:
    """Return a label as a text for people."""
    if not label:
        return "none"
    return "".join(
        c if c.isprintable() else "?" for c in label.rstrip(b"\0").decode("ascii", "replace")
    )


def set_all(descriptor: int, attributes: Mapping[str, bytes], *, is_new: bool) -> None:
    """Set the attributes of a staged file of mode 0; its mode stays 0.

    Does nothing if its file system has no attributes. A file that replaces no other `is_new`: it
    keeps the access list that its folder gives to new files.
    """
    if sys.platform != "linux":
        return
    has = _names(descriptor)
    for name, value in attributes.items() if ARE_KNOWN else ():
        if name != CAPABILITY and not (name in has and _same(descriptor, name, value)):
            _set(descriptor, name, value)
    if ACL in has and ACL not in attributes and not is_new:
        os.removexattr(descriptor, ACL)


def like(place: Place) -> Callable[[int], None]:
    """Return a function that sets the attributes of the file on a copy, given by its descriptor."""
    attributes = get_all(place)
    return lambda descriptor: set_all(descriptor, attributes, is_new=False)


def _names(descriptor: int) -> list[str]:
    """Return the names of all attributes; none if its file system has none."""
    if sys.platform != "linux":
        return []
    try:
        return os.listxattr(descriptor) if ARE_KNOWN else []
    except OSError:
        return []


def _same(descriptor: int, name: str, value: bytes) -> bool:
    """Return whether the file has this label already, so that no right to change it is needed."""
    if sys.platform != "linux":
        return False
    return name == SELINUX and _same_label(os.getxattr(descriptor, name), value)


def _set(descriptor: int, name: str, value: bytes) -> None:
    """Set an attribute; do nothing if the file system has none."""
    if sys.platform != "linux":
        return
    try:
        os.setxattr(descriptor, name, value)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise


def _closed(acl: bytes) -> bytes:
    """Return the list without the rights that the mode gives: the mode is set last."""
    entries = (acl[at : at + ACL_ENTRY] for at in range(ACL_HEADER, len(acl), ACL_ENTRY))
    return acl[:ACL_HEADER] + b"".join(
        one[:2] + bytes(2) + one[4:] if one[0] in ACL_MODE_TAGS and not one[1] else one
        for one in entries
    )
