"""Which files are mount points, such as a container's `/etc/hosts`: they cannot be replaced."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.fs.path import Place

MOUNTS = "/proc/self/mountinfo"
MOUNTED_ON = 4  # the field of the mount point: proc_pid_mountinfo(5)
ESCAPES = ((b"\\", b"\\134"), (b" ", b"\\040"), (b"\t", b"\\011"), (b"\n", b"\\012"))


def is_mount_point(place: Place) -> bool:
    """Return whether something is mounted on the file; False where the system has no such list.

    On Windows always False: only folders can be mount points.
    """
    if sys.platform == "win32":
        return False
    # Below the root a place has no links. If there is one now, another user has put it there, and
    # the path is that of no mount point.
    path = os.fsencode(os.path.join(os.path.realpath(place.root), place.relative))
    for plain, escaped in ESCAPES:
        path = path.replace(plain, escaped)
    with suppress(FileNotFoundError), open(MOUNTS, "rb") as mounts:
        return any(line.split(b" ")[MOUNTED_ON] == path for line in mounts)
    return False
