r"""Paths of Windows as documents write them: `C:\\Shop\\shop.toml`, or `C:/Shop/shop.toml`."""

from __future__ import annotations

DRIVE = 2  # characters: a letter and a colon


def has_drive(path: str) -> bool:
    """Return whether a path begins with a drive, so that it is one of Windows."""
    return path[1:DRIVE] == ":" and path[:1].isascii() and path[:1].isalpha()


def folded(path: str) -> str:
    """Return the path in a spelling that is equal for all paths of the same file.

    Windows ignores case, and treats slashes like backslashes; other systems do neither.
    """
    return path.replace("\\", "/").casefold() if has_drive(path) else path
