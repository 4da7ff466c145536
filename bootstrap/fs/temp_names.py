"""The names of files during a commit: in the folder of their target, and easy to recognise."""

from __future__ import annotations

import os

MARK = "imds-bootstrap"
BACKUP = f".{MARK}.bak"  # the last suffix, so that no `*.conf` of an application matches it
LITTER = "litter-"  # the prefix of a journal that only lists left-over files
MAX_SUFFIX = 64  # bytes: no program recognises files by a longer one
MAX_NAME = 255  # bytes: NAME_MAX of every file system that Linux boots from


def token() -> str:
    """Return a random part for names: 12 hexadecimal digits."""
    return os.urandom(6).hex()


def staged_name(name: str, token: str) -> str:
    """Return the name of a new file before it is renamed into place.

    It keeps the suffix of the file, because checks may depend on it.
    """
    stem, suffix = os.path.splitext(name)
    if len(os.fsencode(suffix)) > MAX_SUFFIX:
        stem, suffix = name, ""
    return _hidden(stem, f".{MARK}-{token}{suffix}")


def kept_name(name: str, token: str) -> str:
    """Return the name of the old file until the commit is final; no staged file has such a name."""
    return _hidden(name, f".{MARK}-{token}~")


def _hidden(stem: str, ending: str) -> str:
    """Return a name that begins with a dot, the stem cut to fit into MAX_NAME bytes."""
    room = MAX_NAME - len(os.fsencode(ending)) - 1
    return f".{os.fsdecode(os.fsencode(stem)[:room])}{ending}"
