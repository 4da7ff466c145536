"""The progress and the result of a run: `/run/imds-bootstrap/status.json`, for every user.

A run writes it when it begins and when it ends. Every user of the machine may read it, so it holds
only names, numbers, places and texts that are marked as `Public`; `schema/status.schema.json` says
what a reader may rely on.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import time
from contextlib import contextmanager, suppress

from bootstrap import __version__
from bootstrap.errors import BootstrapError, InternalError, NotPermitted, Public
from bootstrap.fs.root import resolve_in_root
from bootstrap.layout import EVENTS, RUNTIME
from bootstrap.problem import is_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

STATUS_FILE = f"{RUNTIME}/status.json"
STATUS_MODE = 0o644
SCHEMA = 1  # raised when a field changes its meaning or goes
MAX_BYTES = 16 << 20  # bytes: far more than any status, far less than memory
READ_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
ELSEWHERE = f"another warning is not for everybody: {EVENTS}"
FINISHED = ("configured", "unchanged", "kept", "disabled")


class Status:
    """The status of one run; `record` is the document itself.

    `clock` gives monotonic seconds, `now` seconds since 1970.
    """

    def __init__(self, *, clock: Callable[[], float], now: Callable[[], float]) -> None:
        self._clock = clock
        self._began = clock()
        self._now = now
        self._stage: str | None = None  # the one that is at work, or did not come to its end
        self.record: dict[str, Any] = {
            "schema": SCHEMA,
            "result": "running",
            "agent_version": __version__,
            "pid": os.getpid(),
            "started_at": timestamp(now()),
            "stages": {},
        }

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure one stage of the run, in seconds; a stage that is entered again adds to it."""
        began, self._stage = self._clock(), name
        try:
            yield
            self._stage = None
        finally:
            stages = self.record["stages"]
            stages[name] = round(stages.get(name, 0) + self._clock() - began, 3)

    def pick(self, environment: str | None) -> None:
        """Record the environment that was picked; a tag's text that is not a name is left out."""
        self.record["environment"] = environment if is_name(environment or "") else None

    def warn(self, text: str) -> None:
        """Add a warning for a person; it never changes the result of a run.

        If it is not for every user, the status only says where to read it.
        """
        warnings = self.record.setdefault("warnings", [])
        shown = text if isinstance(text, Public) else ELSEWHERE
        if shown not in warnings:
            warnings.append(shown)

    def end(self, result: str, **fields: Any) -> None:
        """Set the result of the run; fields that are None are left out."""
        self.record.update({name: value for name, value in fields.items() if value is not None})
        self.record.update(
            result=result,
            finished_at=timestamp(self._now()),
            seconds=round(self._clock() - self._began, 3),
        )

    def fail(self, error: BaseException) -> None:
        """Set an error as the result of the run, without what is not for every user.

        An error that is no Exception, such as KeyboardInterrupt, means that a signal ended the run.
        """
        if not isinstance(error, Exception):
            self.end("interrupted", signal=_signal_of(error), stage=self._stage)
            return
        if not isinstance(error, BootstrapError):
            fault = Public(f"{InternalError.about}: {type(error).__name__}")
            error = InternalError(fault)
        self.end("failed", exit_code=error.exit_code, error=error.as_public(), stage=self._stage)

    def publish(self, root: str = "/") -> None:
        """Write the status file; a machine that cannot hold one is configured all the same."""
        from bootstrap.fs import atomic

        text = json.dumps(self.record, indent=1, ensure_ascii=False)
        content = f"{text}\n".encode(errors="backslashreplace")  # a path may be no UTF-8
        with suppress(OSError):
            atomic.write_file(STATUS_FILE, content, mode=STATUS_MODE, root=root)
            _begin()

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return self._clock() - self._began


def read_status(root: str = "/") -> dict[str, Any] | None:
    """Return the status of the last run since the machine was started; None if there was none.

    A run whose status is `running` although its process is gone is `interrupted`. Raises
    NotPermitted when the file may not be read.
    """
    try:
        record = json.loads(_read(resolve_in_root(STATUS_FILE, root)))
    except PermissionError as error:
        raise NotPermitted(
            f"reading the status {error.filename}: {error.strerror}",
            hint="it is for everybody to read: give its folder the mode 0755 and the file 0644",
        ) from error
    except (OSError, ValueError, RecursionError):  # none, or not one of ours
        return None
    if not isinstance(record, dict) or record.get("schema") != SCHEMA or "result" not in record:
        return None
    if not _has_begun():
        return None
    if record["result"] == "running" and not _is_alive(record.get("pid")):
        record["result"] = "interrupted"
    return record


if sys.platform == "win32":
    from bootstrap.report.boot_marker_windows import begin as _begin
    from bootstrap.report.boot_marker_windows import has_begun as _has_begun
    from bootstrap.report.boot_marker_windows import is_there as _is_there
else:

    def _begin() -> None:
        """Do nothing: /run is empty until there is a status of this boot."""

    def _has_begun() -> bool:
        return True

    def _is_there(pid: int) -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True  # another user's process
        return True


def _read(path: str) -> bytes:
    """Return the content of a regular file, without waiting for a pipe or a device."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise ValueError
    with open(os.open(path, READ_FLAGS), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # it has just become one
            raise ValueError
        return file.read(MAX_BYTES)


def _signal_of(error: BaseException) -> str | None:
    """Return the name of the signal that ended a run; SystemExit has 128 and its number."""
    import signal  # only a run that is stopped asks, and has it already

    if isinstance(error, KeyboardInterrupt):
        return "SIGINT"
    code = error.code if isinstance(error, SystemExit) else None
    with suppress(ValueError):
        return signal.Signals(code - 128).name if isinstance(code, int) else None
    return None


def _is_alive(pid: object) -> bool:
    return isinstance(pid, int) and pid > 0 and _is_there(pid)


def timestamp(seconds: float) -> str:
    """Return seconds since 1970 as text by RFC 3339, in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
