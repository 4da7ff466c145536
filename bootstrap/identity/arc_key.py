"""The proof that Azure Arc asks for: the content of a key file that only trusted users can read.

Whoever answers at Arc's port names the file and gets its content. So only a file is read that the
real agent could have meant: otherwise any process that got hold of the port could have root's
files read out to it. The folder is opened first and the file below it, once, without following a
link; what is checked is what was opened, so that a swap in between changes nothing.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import contextmanager

from bootstrap.http.responses import printable
from bootstrap.http.retry import PermanentError
from bootstrap.secret import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

SUFFIX = ".key"
# Bytes. https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication
MAX_KEY = 4096

DISTRUST = (
    "this is not how the Azure Connected Machine agent answers: see which process listens at the "
    "endpoint (ss -ltnp), and whether IDENTITY_ENDPOINT is right"
)
_MAY_NOT_READ = "run as root, or as a member of the group himds, which may read Arc's key files"

if sys.platform == "win32":
    from bootstrap.windows.identity.arc_files import TOKENS, opened, split
else:
    TOKENS = "/var/opt/azcmagent/tokens"
    _FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    # Without O_NONBLOCK, a FIFO in the place of the file would hold the agent for ever.
    _FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

    def split(path: str) -> tuple[str, str]:
        """The folder and the name of a path."""
        folder, _, name = path.rpartition("/")
        return folder, name

    @contextmanager
    def opened(name: str, folder: str) -> Iterator[int]:
        """A file of that folder, opened for reading; neither is a link."""
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
    """The file that `WWW-Authenticate: Basic realm=<file>` names.

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
    """The content of the key file `realm`, as it is; the file is looked for below `root`.

    Raises `PermanentError` unless it lies directly in `TOKENS`, ends in `.key`, is a regular file
    with one
    name and at most `MAX_KEY` bytes, and holds what can stand in a header.
    """
    folder, name = split(realm)
    if folder != TOKENS or not name.endswith(SUFFIX) or name == SUFFIX:
        _refuse(realm, f"is not a *{SUFFIX} directly in {TOKENS}")
    try:
        with opened(name, os.path.join(root, TOKENS.lstrip("/"))) as file:
            return Secret(_content(realm, file))
    except PermissionError as error:
        raise PermanentError(
            "key-file", _sentence(realm, "may not be read"), hint=_MAY_NOT_READ
        ) from error
    except OSError as error:
        why = f"cannot be opened: {error.strerror}"
        if error.errno == errno.ELOOP:  # what O_NOFOLLOW makes of a link
            why = "is a link"
        raise PermanentError("key-file", _sentence(realm, why), hint=DISTRUST) from error


def _content(realm: str, file: int) -> str:
    status = os.fstat(file)
    if not stat.S_ISREG(status.st_mode):
        _refuse(realm, "is not a regular file")
    if status.st_nlink > 1:
        _refuse(realm, "has other names: it is a hard link")
    with open(file, "rb", closefd=False) as stream:
        content = stream.read(MAX_KEY + 1)  # whatever size the file tells
    if len(content) > MAX_KEY:
        _refuse(realm, f"is larger than {MAX_KEY} bytes")
    if not content:
        _refuse(realm, "is empty")
    # Asked of the bytes: the error of a decoder would carry the content along.
    if not content.isascii() or not content.decode("ascii").isprintable():
        _refuse(realm, "holds what cannot stand in a header")
    return content.decode("ascii")


def _refuse(realm: str, why: str) -> NoReturn:
    raise PermanentError("key-file", _sentence(realm, why), hint=DISTRUST)


def _sentence(realm: str, why: str) -> str:
    return f"named the key file {printable(realm)!r}, which {why}; nothing of it was sent"
