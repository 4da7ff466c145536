"""The standard streams of a command: all three are there, and what they refuse fails no command.

A command that has begun is carried out to its end: a run that was half way must not stop because
its words cannot be written. So a refusal (no room, a device that fails, a descriptor that nobody
may write to) is remembered, what follows is dropped, and the end tells of it. A reader who left
early is no refusal: nothing more is wanted, and the command ends as the shell's own ones do.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

POLL_INTERVAL = 1.0  # seconds between two tries to write to a pipe that is full


class Output(io.RawIOBase):
    """Hands what is written on to `raw` until it refuses; `refusal` is why.

    A reader who has left ends the command, unless what is written is only its `log`.
    """

    def __init__(self, raw: Any, *, log: bool) -> None:
        super().__init__()
        self._raw = raw
        self._log = log
        self.refusal: OSError | None = None

    def writable(self) -> bool:
        """Whether it can be written to: always."""
        return True

    def fileno(self) -> int:
        """Return the descriptor below."""
        return int(self._raw.fileno())

    def isatty(self) -> bool:
        """Return whether the descriptor below is a terminal."""
        return bool(self._raw.isatty())

    def write(self, data: Any) -> int:
        """Write what can be written and say how much; raises BrokenPipeError, and no other."""
        while self.refusal is None:
            try:
                written = self._raw.write(data)
            except OSError as error:
                if isinstance(error, BrokenPipeError) and not self._log:
                    raise
                self.refusal = error
                break
            if written is not None:
                return int(written)
            self._wait()
        return len(data)

    def _wait(self) -> None:
        """Wait for room in a pipe that does not block: somebody else has set it so."""
        import select

        with suppress(OSError, ValueError):
            select.select([], [self.fileno()], [], POLL_INTERVAL)


def open_all() -> None:
    """Have all three standard streams, whatever the caller closed, and let none fail on a letter.

    A file that is opened later must not come to lie where a command's output goes.
    """
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r+", encoding="utf-8"))  # noqa: SIM115
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is getattr(sys, f"__{name}__") and isinstance(stream, io.TextIOWrapper):
            setattr(sys, name, _guarded(stream, log=name == "stderr"))


def _guarded(stream: io.TextIOWrapper, *, log: bool) -> TextIO:
    """The same stream with an `Output` between it and the system.

    It is buffered whatever PYTHONUNBUFFERED says, so that a reader who leaves early cannot stop a
    command half way.
    """
    stream.flush()
    raw = getattr(stream.buffer, "raw", stream.buffer)
    return io.TextIOWrapper(
        io.BufferedWriter(Output(raw, log=log)),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.line_buffering,
    )


def close_all() -> bool:
    """Write out what is buffered; False when standard output did not take all of it.

    Of a reader who left early nobody complains: the command has done what it was asked.
    """
    _flush(sys.stdout)
    refusal = _refusal(sys.stdout)
    if refusal:
        with suppress(OSError):  # it can be as full as the other
            print(f"error: writing the output: {_why(refusal)}", file=sys.stderr)
    _flush(sys.stderr)
    return refusal is None


def _why(refusal: OSError) -> str:
    return refusal.strerror or f"{refusal}"


def _refusal(stream: TextIO) -> OSError | None:
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return raw.refusal if isinstance(raw, Output) else None


def _flush(stream: TextIO) -> None:
    try:
        stream.flush()
    except OSError:
        # Turned away from where it went, or the interpreter would fail on it once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
