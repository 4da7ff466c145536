"""What files are called while a commit is under way: beside their target, and easy to recognise."""

from __future__ import annotations

import os

MARK = "imds-bootstrap"
BACKUP = f".{MARK}.bak"  # comes last, so that no `*.conf` of an application matches it
LITTER = "litter-"  # ends the name of a journal that only lists what is left over
MAX_SUFFIX = 64  # bytes: no program goes by a longer one
MAX_NAME = 255  # bytes: NAME_MAX of every file system that Linux boots from


def token() -> str:
    """A name part that nothing else in a folder has."""
    return os.urandom(6).hex()


def staged_name(name: str, token: str) -> str:
    """What a file is called before it is published; it keeps its suffix, for checks go by it."""
    stem, suffix = os.path.splitext(name)
    if len(os.fsencode(suffix)) > MAX_SUFFIX:
        stem, suffix = name, ""
    return _hidden(stem, f".{MARK}-{token}{suffix}")


def kept_name(name: str, token: str) -> str:
    """What the old file is called until the new one is final; no staged file is called so."""
    return _hidden(name, f".{MARK}-{token}~")


def _hidden(stem: str, ending: str) -> str:
    room = MAX_NAME - len(os.fsencode(ending)) - 1
    return f".{os.fsdecode(os.fsencode(stem)[:room])}{ending}"
