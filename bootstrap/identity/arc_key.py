"""The proof that Azure Arc requires: the content of a key file that only trusted users can read.

The process that listens at Arc's port names the file and receives its content. So this module
reads only a file that the real agent could have named. Otherwise any process that took the port
could read root's files. The folder is opened first, then the file below it, once and without
following links. The checks apply to the open file, so replacing the file in between has no effect.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import contextmanager

from bootstrap.fs.root import resolve_in_root
from bootstrap.http.responses import printable
from bootstrap.http.retry import PermanentError
from bootstrap.secret import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

__all__ = ["DISTRUST", "MAX_KEY", "SUFFIX", "TOKENS", "read_key", "realm_of"]

SUFFIX = ".key"
# Bytes. https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication
MAX_KEY = 4096

DISTRUST = (
    "this is not how the Azure Connected Machine agent answers: see which process listens at the "
    "endpoint (ss -ltnp), and whether IDENTITY_ENDPOINT is right"
)
_MAY_NOT_READ = "run as root, or as a member of the group himds, which may read Arc's key files"

if sys.platform == "win32":
    from bootstrap.identity.arc_files_windows import TOKENS, opened, split
else:
    TOKENS = "/var/opt/azcmagent/tokens"
    _FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    # Without O_NONBLOCK, opening a FIFO in place of the file would block the agent for ever.
    _FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

    def split(path: str) -> tuple[str, str]:
        """Return the folder and the name of a path."""
        folder, _, name = path.rpartition("/")
        return folder, name

    @contextmanager
    def opened(name: str, folder: str) -> Iterator[int]:
        """Yield the descriptor of a file in a folder, open for reading.

        Raises `OSError` if the file or the folder is a link or cannot be opened.
        """
        tokens = os.open(folder, _FOLDER_FLAGS)
        try:
            file = os.open(name, _FILE_FLAGS, dir_fd=tokens)
        finally:
            os.close(tokens)
        try:
            yield file
        finally:
            os.close(file)


def realm_of(challenge: str) -> str:
    """Return the path of the file that `WWW-Authenticate: Basic realm=<file>` names.

    Raises `PermanentError` for any other challenge, such as several of them.
    """
    scheme, _, parameter = challenge.partition(" ")
    name, _, value = parameter.partition("=")
    file = value.strip()
    if len(file) > 1 and file[0] == file[-1] == '"':
        file = file[1:-1]
    plain = file.isascii() and file.isprintable() and not any(mark in file for mark in '",')
    if scheme.lower() != "basic" or name.strip().lower() != "realm" or not file or not plain:
        raise PermanentError(
            "challenge", "sent a challenge that does not name a key file", hint=DISTRUST
        )
    return file


def read_key(realm: str, root: str = "/") -> Secret:
    """Return the unchanged content of the key file `realm`, which is a path below `root`.

    Raises `PermanentError` unless the file is directly in `TOKENS`, ends in `.key`, is a regular
    file with
    one name and at most `MAX_KEY` bytes, and holds only characters that a header may hold.
    """
    folder, name = split(realm)
    if folder != TOKENS or not name.endswith(SUFFIX) or name == SUFFIX:
        _refuse(realm, f"is not a *{SUFFIX} directly in {TOKENS}")
    try:
        with opened(name, resolve_in_root(TOKENS, root)) as file:
            return Secret(_content(realm, file))
    except PermissionError as error:
        raise PermanentError(
            "key-file", _sentence(realm, "may not be read"), hint=_MAY_NOT_READ
        ) from error
    except OSError as error:
        why = f"cannot be opened: {error.strerror}"
        if error.errno == errno.ELOOP:  # the error of O_NOFOLLOW for a link
            why = "is a link"
        raise PermanentError("key-file", _sentence(realm, why), hint=DISTRUST) from error


def _content(realm: str, file: int) -> str:
    status = os.fstat(file)
    if not stat.S_ISREG(status.st_mode):
        _refuse(realm, "is not a regular file")
    if status.st_nlink > 1:
        _refuse(realm, "has other names: it is a hard link")
    with open(file, "rb", closefd=False) as stream:
        content = stream.read(MAX_KEY + 1)  # the size in its status may be wrong
    if len(content) > MAX_KEY:
        _refuse(realm, f"is larger than {MAX_KEY} bytes")
    if not content:
        _refuse(realm, "is empty")
    # The check is on the bytes, because the error of a decoder would hold the content.
    if not content.isascii() or not content.decode("ascii").isprintable():
        _refuse(realm, "holds what cannot stand in a header")
    return content.decode("ascii")


def _refuse(realm: str, why: str) -> NoReturn:
    raise PermanentError("key-file", _sentence(realm, why), hint=DISTRUST)


def _sentence(realm: str, why: str) -> str:
    return f"named the key file {printable(realm)!r}, which {why}; nothing of it was sent"
