"""Which files are mount points: on Windows only folders can be."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101  (nothing imports it elsewhere)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.windows.fs.path import Place


def is_mount_point(_: Place) -> bool:
    """Never: a file can always be replaced, unless somebody has it open."""
    return False
