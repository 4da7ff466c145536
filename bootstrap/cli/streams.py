"""The standard streams of a command: all three exist, and a failed write does not fail the command.

A command that has begun is carried out to its end: a run must not stop half way because its output
cannot be written. So the first error of a write (disk full, a failing device, a descriptor without
write permission) is saved, further output is dropped, and the error is reported at the end. A
reader that closes the pipe early is not an error: no more output is wanted, and the command ends
with SIGPIPE's exit code, like other shell commands.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

POLL_INTERVAL = 1.0  # seconds between two tries to write to a full pipe


class Output(io.RawIOBase):
    """Passes what is written on to `raw` until a write fails; `refusal` is that error.

    When a reader closes the pipe the command ends, unless the stream is only its `log`.
    """

    def __init__(self, raw: Any, *, log: bool) -> None:
        super().__init__()
        self._raw = raw
        self._log = log
        self.refusal: OSError | None = None

    def writable(self) -> bool:
        """Return True: the stream can always be written to."""
        return True

    def fileno(self) -> int:
        """Return the descriptor below."""
        return int(self._raw.fileno())

    def isatty(self) -> bool:
        """Return whether the descriptor below is a terminal."""
        return bool(self._raw.isatty())

    def write(self, data: Any) -> int:
        """Write what can be written, and return the number of bytes.

        Raises BrokenPipeError and no other error.
        """
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
        """Wait for room in a pipe that another process has set to non-blocking."""
        import select

        with suppress(OSError, ValueError):
            select.select([], [self.fileno()], [], POLL_INTERVAL)


def open_all() -> None:
    """Open all three standard streams, even if the caller closed them.

    Standard output and error escape characters that their encoding lacks, and save write errors.
    A file that is opened later must not get the descriptor of a standard stream.
    """
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r+", encoding="utf-8"))  # noqa: SIM115
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is getattr(sys, f"__{name}__") and isinstance(stream, io.TextIOWrapper):
            setattr(sys, name, _guarded(stream, log=name == "stderr"))


def _guarded(stream: io.TextIOWrapper, *, log: bool) -> TextIO:
    """Return the same stream with an `Output` between it and the system.

    It is buffered even with PYTHONUNBUFFERED, so that a reader that closes the pipe early cannot
    stop a command half way.
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
    """Write out what is buffered; return False when standard output did not take all of it.

    A reader that closed the pipe early is not reported: the command has done its work.
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
        # Redirected to the null device, because the interpreter would fail on the stream again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
