r"""Paths of Windows as documents write them: `C:\\Shop\\shop.toml`, or `C:/Shop/shop.toml`."""

from __future__ import annotations

DRIVE = 2  # characters: a letter and a colon


def has_drive(path: str) -> bool:
    """Whether a path begins with a drive, and so is one of Windows."""
    return path[1:DRIVE] == ":" and path[:1].isascii() and path[:1].isalpha()


def folded(path: str) -> str:
    """The path in the spelling by which two of the same file are equal.

    Windows does not tell capitals apart, nor slashes from backslashes; other systems do.
    """
    return path.replace("\\", "/").casefold() if has_drive(path) else path
