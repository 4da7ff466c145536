"""Errors about files, from what the operating system said."""

from __future__ import annotations

import errno

from bootstrap import ELEVATE
from bootstrap.errors import NotPermitted, Problem, Public, UnsafeDestination, WriteError
from bootstrap.fs import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bootstrap.errors import BootstrapError

MOUNT_POINT = "say `in_place: true`, and the content is written over, for it cannot be replaced"
HINTS = {
    errno.EBUSY: MOUNT_POINT,
    errno.EROFS: "the file system is mounted read-only, or it is so for imds-bootstrap.service "
    "alone: name the folder in its ReadWritePaths= (below /home say ProtectHome=no too), as "
    "override.conf.example shows",
    errno.ENOSPC: "make room on the file system, or give it more",
    errno.EDQUOT: "make room on the file system, or raise the quota",
    errno.EEXIST: "something was put there since the plan was made; run again to plan anew",
    errno.EPERM: "if lsattr shows it or its folder as immutable (i) or append-only (a), "
    "`chattr -i -a` lets it be written; a set-user-ID or set-group-ID mode needs "
    "RestrictSUIDSGID=no in imds-bootstrap.service, as override.conf.example shows",
    errno.ELOOP: "a link stands where a folder is expected, or links go in circles",
}
# What Windows says in words of its own: system error codes.
IN_USE = 32
WINDOWS_HINTS = {
    5: "see its access list, and whether it is marked as read-only",
    IN_USE: "close the program that has it open, or stop its service before and start it after",
}


def refusal(message: str, *, path: str, origin: str = "", hint: str = "") -> WriteError:
    """A file that cannot be written as it is asked for; the message names and never quotes."""
    problem = Problem(Public(message), path=Public(path), where=origin, hint=Public(hint))
    return WriteError(Public(f"{path}: {message}"), problems=[problem])


def unsafe(message: str, *, path: str, origin: str = "", hint: str = "") -> UnsafeDestination:
    """A destination that this agent does not write through; the message names, never quotes."""
    problem = Problem(Public(message), path=Public(path), where=origin, hint=Public(hint))
    return UnsafeDestination(Public(f"{path}: {message}"), problems=[problem])


def from_os_error(error: OSError, doing: str, *, path: str, origin: str = "") -> BootstrapError:
    """What the system said, as an error that names the file and what was being done with it."""
    reason = error.strerror or f"{error}"
    code = getattr(error, "winerror", None)
    powerless = isinstance(error, PermissionError) and not read.is_privileged()
    kind = NotPermitted if powerless and code != IN_USE else WriteError
    hint = WINDOWS_HINTS.get(code) if code else HINTS.get(error.errno or 0)
    hint = ELEVATE if kind is NotPermitted else hint or ""
    message = Public(f"{doing}: {reason}")
    problem = Problem(message, path=Public(path), where=origin, hint=Public(hint))
    return kind(Public(f"{doing} {path}: {reason}"), problems=[problem])


def together(errors: Sequence[BootstrapError]) -> BootstrapError:
    """One error for all of them: of their own class where they agree on it."""
    if len(errors) == 1:
        return errors[0]
    kinds = {type(error) for error in errors}
    kind = kinds.pop() if len(kinds) == 1 else WriteError
    problems = [problem for error in errors for problem in error.problems]
    message = Public(f"{len(problems)} things stand in the way of writing the files")
    return kind(message, problems=problems)
