"""Which files are mount points, such as a container's `/etc/hosts`: they cannot be replaced."""

from __future__ import annotations

import os
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.fs.path import Place

MOUNTS = "/proc/self/mountinfo"
MOUNTED_ON = 4  # the field of it that says where: proc_pid_mountinfo(5)
ESCAPES = ((b"\\", b"\\134"), (b" ", b"\\040"), (b"\t", b"\\011"), (b"\n", b"\\012"))


def is_mount_point(place: Place) -> bool:
    """Whether something is mounted on the place; False where the system does not tell."""
    # Below the root there are no links in a place, or what others have made of it is no mount.
    path = os.fsencode(os.path.join(os.path.realpath(place.root), place.relative))
    for plain, escaped in ESCAPES:
        path = path.replace(plain, escaped)
    with suppress(FileNotFoundError), open(MOUNTS, "rb") as mounts:
        return any(line.split(b" ")[MOUNTED_ON] == path for line in mounts)
    return False
