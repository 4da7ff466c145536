"""The events of a run, one line each: `imds.ready attempt=3 elapsed=2.1s`.

Events go to standard error. If that is the journal, each line begins with its priority (`<6>`), as
in sd-daemon(3). On Windows they go to the Event Log, too. On a terminal the priority is left out,
and a progress line may follow.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TextIO

    from bootstrap.http.pacing import Attempt

ERROR, WARNING, NOTICE, INFO, DEBUG = 3, 4, 5, 6, 7  # syslog(3)
ERASE_LINE = "\r\x1b[K"


class Log:
    """A writer of events to `stream`.

    `level` is a syslog priority; events with a higher number, which are less severe, are left out.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        level: int = INFO,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._stream = stream or sys.stderr
        self._level = level
        self._journal = _is_journal(self._stream, environ or {})
        self._terminal = self._stream.isatty()
        self._progress = False

    def event(self, priority: int, name: str, **fields: Any) -> None:
        """Write one event; a field that is None is left out, a text with spaces is quoted."""
        if priority > self._level:
            return
        words = [f"{key}={_word(value)}" for key, value in fields.items() if value is not None]
        self._line(priority, " ".join([name, *words]))

    def warning(self, text: str) -> None:
        """Write a sentence for a person; a warning never changes an exit code."""
        if self._level >= WARNING:
            from bootstrap.report.diagnostic import printable  # an unchanged boot has no warnings

            line = " ".join(printable(text).splitlines())  # no name in the text can begin a line
            self._line(WARNING, f"warning: {line}")

    def error(self, text: str) -> None:
        """Write the lines of a diagnostic; in the journal each begins with its priority."""
        for line in text.splitlines():
            self._line(ERROR, line)

    def progress(self, text: str) -> bool:
        """Replace the line that shows a wait; return False if there is no terminal to show it."""
        if not self._terminal or self._level < INFO:
            return False
        self._write(f"{ERASE_LINE}{self._fitting(text)}")
        self._progress = True
        return True

    def end_progress(self) -> None:
        """Erase the line that shows a wait, so that the next output begins a line."""
        if self._progress:
            self._write(ERASE_LINE)
            self._progress = False

    def _fitting(self, text: str) -> str:
        """Return the text cut to one row of the terminal: a second row could not be erased."""
        try:
            columns = os.get_terminal_size(self._stream.fileno()).columns
        except (OSError, ValueError):  # ValueError: a stream without a descriptor
            return text
        if columns < 1 or len(text) < columns:  # a serial console gives the width 0
            return text
        return f"{text[: columns - 2]}…"

    def _line(self, priority: int, text: str) -> None:
        _record(priority, text)
        prefix = f"<{priority}>" if self._journal else ""
        erase = ERASE_LINE if self._progress else ""
        self._progress = False
        self._write(f"{erase}{prefix}{text}\n")

    def _write(self, text: str) -> None:
        with suppress(OSError):  # a full disk or a closed pipe must not interrupt a run
            self._stream.write(text)
            self._stream.flush()


if sys.platform == "win32":
    from bootstrap.report.event_log_windows import record as _record
else:

    def _record(priority: int, text: str) -> None:
        """Do nothing: on this system standard error already goes to the journal."""


def _word(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.1f}s"  # every float in an event is a time
    text = str(value)
    if text and text.isprintable() and not any(c in text for c in ' "='):
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Return whether this stream is the journal's socket, by the test in systemd.exec(5)."""
    expected = environ.get("JOURNAL_STREAM", "")
    if not expected:
        return False
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):  # ValueError: a stream without a descriptor
        return False
    return expected == f"{status.st_dev}:{status.st_ino}"


def retry_reporter(
    log: Log, event: str, service: str, *, deadline: float, clock: Callable[[], float]
) -> Callable[[Attempt], None]:
    """Return a function that logs each failed request to `service` as `event`.

    A terminal shows one line that changes, with the seconds until `deadline` (on `clock`).
    """

    def report(attempt: Attempt) -> None:
        if attempt.outcome == "ok":
            return
        left = max(0.0, deadline - clock())
        often = "once" if attempt.number == 1 else f"{attempt.number} times"
        # The line fits into 80 columns for at least an hour.
        line = (
            f"waiting for {service}: {attempt.outcome}; asked {often} in {attempt.elapsed:.0f} s, "
            f"giving up in {left:.0f} s"
        )
        priority = DEBUG if log.progress(line) else INFO
        log.event(
            priority,
            event,
            attempt=attempt.number,
            outcome=attempt.outcome,
            detail=attempt.detail or None,
            wait=attempt.wait,
        )

    return report
