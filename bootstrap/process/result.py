"""How a command came to its end, whatever the system that it ran on."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    Kind = Literal["ran", "missing", "unstarted", "late"]

MAX_OUTPUT = 8192  # bytes of a command's output that are kept: its end
MAX_LINES = 20


class CommandResult:
    """How a command came to its end.

    `failure` is empty when it succeeded, else what it did ("ended with status 2"); `output` is the
    end of what it wrote to standard output and standard error, which may hold what a file holds.
    `kind` tells a command that ran from one that is not there, was not started, or took too long.
    """

    __slots__ = ("failure", "kind", "output")

    def __init__(self, reason: str, output: str = "", kind: Kind = "ran") -> None:
        self.failure = reason
        self.output = output
        self.kind = kind


def unstarted(error: OSError | ValueError) -> CommandResult:
    """A command that the system did not start."""
    kind: Kind = "missing" if isinstance(error, FileNotFoundError) else "unstarted"
    why = getattr(error, "strerror", None) or error
    return CommandResult(f"could not be started: {why}", kind=kind)


def output_tail(tail: bytearray) -> str:
    """The last lines of what a command wrote, without what would steer a terminal."""
    lines = tail.decode("utf-8", "replace").splitlines()[-MAX_LINES:]
    return "\n".join("".join(c if c.isprintable() else " " for c in line) for line in lines).strip()
