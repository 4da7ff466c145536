"""How a command has ended, on every system."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    Kind = Literal["ran", "missing", "unstarted", "late"]

MAX_OUTPUT = 8192  # bytes of the end of a command's output that are kept
MAX_LINES = 20


class CommandResult:
    """How a command has ended.

    `failure` is empty if it succeeded, else says what happened ("ended with status 2"). `output` is
    the end of its standard output and standard error; it may quote the content of a file. `kind`
    is `ran`, or `missing` (no such program), `unstarted`, or `late` (it took too long).
    """

    __slots__ = ("failure", "kind", "output")

    def __init__(self, reason: str, output: str = "", kind: Kind = "ran") -> None:
        self.failure = reason
        self.output = output
        self.kind = kind


def unstarted(error: OSError | ValueError) -> CommandResult:
    """Return the result of a command that the system did not start."""
    kind: Kind = "missing" if isinstance(error, FileNotFoundError) else "unstarted"
    why = getattr(error, "strerror", None) or error
    return CommandResult(f"could not be started: {why}", kind=kind)


def output_tail(tail: bytearray) -> str:
    """Return the last lines of a command's output, control characters replaced with spaces."""
    lines = tail.decode("utf-8", "replace").splitlines()[-MAX_LINES:]
    return "\n".join("".join(c if c.isprintable() else " " for c in line) for line in lines).strip()
