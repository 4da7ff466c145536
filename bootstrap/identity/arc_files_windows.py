"""Where the agent of Azure Arc and its key files are on Windows, and how they are opened.

https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101  (nothing imports it elsewhere)

import errno
import ntpath
import os
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = "AzureConnectedMachineAgent"
_PROGRAMS = os.environ.get("ProgramFiles", r"C:\Program Files")  # noqa: SIM112
_DATA = os.environ.get("ProgramData", r"C:\ProgramData")  # noqa: SIM112
AGENT = rf"{_PROGRAMS}\{_NAME}\himds.exe"
TOKENS = rf"{_DATA}\{_NAME}\Tokens"
_FLAGS = os.O_RDONLY | os.O_BINARY | os.O_NOINHERIT
_REPARSE_POINT = 0x400


def split(path: str) -> tuple[str, str]:
    """Return the folder and the name of a path.

    A folder that is TOKENS in upper or lower case is returned as TOKENS. It is returned as empty if
    the name could be another file's: with a dot at its start or end, a colon or a tilde.
    """
    folder, name = ntpath.split(path.replace("/", "\\"))
    plain = "." not in (name[:1], name[-1:]) and ":" not in name and "~" not in name
    if folder.casefold() == TOKENS.casefold():
        folder = TOKENS if plain else ""
    return folder, name


@contextmanager
def opened(name: str, folder: str) -> Iterator[int]:
    """Open a file of that folder for reading and yield its descriptor; neither may be a link.

    Only the system and administrators may write there, so the file cannot be swapped between the
    check and the opening. Raises OSError (ELOOP) for a link.
    """
    path = ntpath.join(folder, name)
    for step in (folder, path):
        if os.lstat(step).st_file_attributes & _REPARSE_POINT:
            raise OSError(errno.ELOOP, "it is a link", step)
    descriptor = os.open(path, _FLAGS)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
