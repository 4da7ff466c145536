"""The errors of this room, told from what the system said."""

from __future__ import annotations

import errno

from bootstrap import ELEVATE
from bootstrap.errors import NotPermitted, Problem, Public, UnsafeDestination, WriteError
from bootstrap.fs import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bootstrap.errors import BootstrapError
    from bootstrap.process.result import Ended

SPELLED_AT_MOST = 120  # characters of a command: a script is cut
NOT_SHOWN = "what it wrote is not shown, for it may tell a secret"
MISSING = "install it in the image, or correct the command"
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


def told(error: OSError, doing: str, *, path: str, origin: str = "") -> BootstrapError:
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


def spelled(command: Sequence[str]) -> str:
    """The whole command as a shell would take it, in one line; `{path}` stays as it is."""
    from shlex import quote

    from bootstrap.apply.transaction.journal_entry import PLACEHOLDER

    def word(text: str) -> str:
        bare = text.replace(PLACEHOLDER, "path")
        return text if quote(bare) == bare else quote(text)

    line = " ".join(" ".join(map(word, command)).split())
    return line if len(line) <= SPELLED_AT_MOST else f"{line[:SPELLED_AT_MOST]}…"


def program(command: Sequence[str]) -> str:
    """Return the program of a command for everybody, without any word of a whole line in one."""
    import re

    return command[0] if re.fullmatch(r"[\w@%+,./:\\-]+", command[0]) else "its command"


def cure(ended: Ended, command: Sequence[str], *, private: bool, by_hand: str) -> str:
    """What to do about a command that failed: what it wrote, or with `private` how to see it."""
    if ended.kind == "missing":
        return MISSING
    if ended.kind == "unstarted":
        return ""
    if ended.kind == "late":
        from bootstrap.config.systemd_lint import CURE, waits_for_a_unit

        if waits_for_a_unit(command):
            return CURE
    if private:
        return f"{NOT_SHOWN}; {by_hand}"
    return f"it wrote: {ended.output}" if ended.output else ""


def together(errors: Sequence[BootstrapError]) -> BootstrapError:
    """One error for all of them: of their own class where they agree on it."""
    if len(errors) == 1:
        return errors[0]
    kinds = {type(error) for error in errors}
    kind = kinds.pop() if len(kinds) == 1 else WriteError
    problems = [problem for error in errors for problem in error.problems]
    message = Public(f"{len(problems)} things stand in the way of writing the files")
    return kind(message, problems=problems)
