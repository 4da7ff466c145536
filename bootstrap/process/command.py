"""A command: its words, how a message spells them, and what to do when it fails."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bootstrap.process.result import CommandResult

PLACEHOLDER = "{path}"  # in a check, replaced with the path of the staged file
MAX_SPELLED = 120  # characters of a command in a message: a script is cut
NOT_SHOWN = "what it wrote is not shown, for it may tell a secret"
MISSING = "install it in the image, or correct the command"


def takes_path(check: tuple[str, ...]) -> bool:
    """Return whether a check reads the staged file."""
    return any(PLACEHOLDER in word for word in check)


def spelled(command: Sequence[str]) -> str:
    """Return the whole command, quoted for a shell, in one line; `{path}` is not replaced."""
    from shlex import quote

    def word(text: str) -> str:
        bare = text.replace(PLACEHOLDER, "path")
        return text if quote(bare) == bare else quote(text)

    line = " ".join(" ".join(map(word, command)).split())
    return line if len(line) <= MAX_SPELLED else f"{line[:MAX_SPELLED]}…"


def program(command: Sequence[str]) -> str:
    """Return the program of a command for messages that every user may read.

    It is "its command" if the program may be a whole command line: that may hold a secret.
    """
    import re

    return command[0] if re.fullmatch(r"[\w@%+,./:\\-]+", command[0]) else "its command"


def cure(ended: CommandResult, command: Sequence[str], *, private: bool, by_hand: str) -> str:
    """Return the hint for a command that failed: its output, or with `private` how to see it."""
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
