"""Folders that other users can write to: below them no link is followed.

A user who can write to a folder can replace what is in it with a link or with another folder, and
so have a file written, kept or removed in the wrong place. systemd-tmpfiles(8) calls this an unsafe
path transition.
"""

from __future__ import annotations

import sys

if sys.platform == "win32":
    from bootstrap.apply.plan._unsafe_path_windows import HINT, IS_ORDINARY, who_can_write
else:
    from bootstrap.apply.plan._unsafe_path_posix import HINT, IS_ORDINARY, who_can_write

__all__ = ["HINT", "IS_ORDINARY", "who_can_write"]
