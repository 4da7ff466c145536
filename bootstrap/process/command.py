"""A command: its words, how a message spells them, and what to do when it fails."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bootstrap.process.result import CommandResult

PLACEHOLDER = "{path}"  # the word of a check that stands for the staged file
MAX_SPELLED = 120  # characters of a command: a script is cut
NOT_SHOWN = "what it wrote is not shown, for it may tell a secret"
MISSING = "install it in the image, or correct the command"


def takes_path(check: tuple[str, ...]) -> bool:
    """Whether a check reads the staged file."""
    return any(PLACEHOLDER in word for word in check)


def spelled(command: Sequence[str]) -> str:
    """The whole command as a shell would take it, in one line; `{path}` stays as it is."""
    from shlex import quote

    def word(text: str) -> str:
        bare = text.replace(PLACEHOLDER, "path")
        return text if quote(bare) == bare else quote(text)

    line = " ".join(" ".join(map(word, command)).split())
    return line if len(line) <= MAX_SPELLED else f"{line[:MAX_SPELLED]}…"


def program(command: Sequence[str]) -> str:
    """Return the program of a command for everybody, without any word of a whole line in one."""
    import re

    return command[0] if re.fullmatch(r"[\w@%+,./:\\-]+", command[0]) else "its command"


def cure(ended: CommandResult, command: Sequence[str], *, private: bool, by_hand: str) -> str:
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
