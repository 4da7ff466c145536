"""Extended attributes: which of them a file that this agent writes has to keep, and how.

    security.selinux          the label: what the policy says of the path, else what was left
    system.posix_acl_access   the access list: exactly what was left
    security.capability       a privilege: one that was added since goes, and none is handed on
    user.*                    notes: those that were left stay as they were; another may be added

`left` means: when this agent had last written the file, or found it as it was wanted. Nothing else
counts. `security.ima` and `security.evm` are sums that the kernel keeps of each file by itself;
`trusted.*` is how file systems such as overlayfs and GlusterFS know their files, and a copy of it
would be a lie. What a file that is written in place wears is up to whoever mounted it there.
"""

from __future__ import annotations

import errno
import os
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
ACL_MODE_TAGS = frozenset({0x01, 0x10, 0x20})  # ACL_USER_OBJ, ACL_MASK, ACL_OTHER: what chmod sets
ARE_KNOWN = hasattr(os, "listxattr")  # to Linux
UNSUPPORTED = frozenset({errno.EOPNOTSUPP, errno.ENOSYS})


def counts(name: str) -> bool:
    """Whether an attribute of this name is any business of ours."""
    return name in {SELINUX, ACL, CAPABILITY} or name.startswith(NOTES)


def get_all(place: Place) -> dict[str, bytes]:
    """The attributes that count of what stands at the place; none where that knows none.

    Of an access list, what the mode says of it is left out: it is told, and repaired, as mode.
    """
    found = {}
    with suppress(OSError), read.opened_file(place) as descriptor:
        for name in filter(counts, _names(descriptor)):
            with suppress(OSError):  # it is gone meanwhile
                value = os.getxattr(descriptor, name)
                found[name] = _closed(value) if name == ACL else value
    return found


def wanted(
    present: Mapping[str, bytes], left: Mapping[str, bytes] | None, label: bytes = b""
) -> dict[str, bytes]:
    """What a file that has `present` shall have: `left`, where that is known, and the label."""
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


def differences(present: Mapping[str, bytes], attributes: Mapping[str, bytes]) -> tuple[str, ...]:
    """In which respects they differ, for people: names, and the values of labels alone."""
    return tuple(_differences(present, attributes))


def _differences(present: Mapping[str, bytes], attributes: Mapping[str, bytes]) -> Iterator[str]:
    for name in sorted(present.keys() | attributes.keys()):
        old, new = present.get(name), attributes.get(name)
        if name == SELINUX and not _same_label(old, new):
            yield f"label {_shown(old)} → {_shown(new)}"
        elif name == ACL and old != new:
            yield "access list"
        elif name not in {SELINUX, ACL} and old != new and (name != CAPABILITY or new is None):
            yield f"attribute {name if name.isprintable() else ascii(name)}"


def _same_label(old: bytes | None, new: bytes | None) -> bool:
    """The kernel's labels end in a zero byte; `setfattr` and the policy's own have none."""
    return (old or b"").rstrip(b"\0") == (new or b"").rstrip(b"\0")


def _shown(label: bytes | None) -> str:
    if not label:
        return "none"
    return "".join(
        c if c.isprintable() else "?" for c in label.rstrip(b"\0").decode("ascii", "replace")
    )


def set_all(descriptor: int, attributes: Mapping[str, bytes], *, is_new: bool) -> None:
    """Give a staged file of mode 0 its attributes, and keep its mode 0.

    Where its file system knows none, it goes without. A file that replaces none `is_new`: it also
    has what its folder gives to new files.
    """
    has = _names(descriptor)
    for name, value in attributes.items() if ARE_KNOWN else ():
        if name != CAPABILITY and not (name in has and _same(descriptor, name, value)):
            _set(descriptor, name, value)
    if ACL in has and ACL not in attributes and not is_new:
        os.removexattr(descriptor, ACL)


def like(place: Place) -> Callable[[int], None]:
    """What gives a copy the attributes of what stands at the place."""
    attributes = get_all(place)
    return lambda descriptor: set_all(descriptor, attributes, is_new=False)


def _names(descriptor: int) -> list[str]:
    try:
        return os.listxattr(descriptor) if ARE_KNOWN else []
    except OSError:
        return []


def _same(descriptor: int, name: str, value: bytes) -> bool:
    """Whether the kernel gave it already, so that nobody has to be allowed to change it."""
    return name == SELINUX and _same_label(os.getxattr(descriptor, name), value)


def _set(descriptor: int, name: str, value: bytes) -> None:
    try:
        os.setxattr(descriptor, name, value)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise


def _closed(acl: bytes) -> bytes:
    """The list with all that the mode will say still taken away: a file opens with its mode."""
    entries = (acl[at : at + ACL_ENTRY] for at in range(ACL_HEADER, len(acl), ACL_ENTRY))
    return acl[:ACL_HEADER] + b"".join(
        one[:2] + bytes(2) + one[4:] if one[0] in ACL_MODE_TAGS and not one[1] else one
        for one in entries
    )
