"""How a run goes and how it ended: `/run/imds-bootstrap/status.json`, for everybody to read.

It is written when a run begins and when it ends. Every user of the machine may read it, so it holds
names, numbers, places and texts that are marked as `Public`; `schema/status.schema.json` says what
a reader may rely on.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import time
from contextlib import contextmanager, suppress

from bootstrap import EVENTS, RUNTIME, __version__
from bootstrap.errors import BootstrapError, InternalError, NotPermitted, Public
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
    """What is told of one run; `record` is the document itself.

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
        """Say which environment is in force; a text of a tag that is no name is left out."""
        self.record["environment"] = environment if is_name(environment or "") else None

    def warn(self, text: str) -> None:
        """Add words for a person; a warning never changes how a run ends.

        Of one that is not for everybody it only says where to read it.
        """
        told = self.record.setdefault("warnings", [])
        shown = text if isinstance(text, Public) else ELSEWHERE
        if shown not in told:
            told.append(shown)

    def end(self, result: str, **fields: Any) -> None:
        """The run has ended so; fields that are None are left out."""
        self.record.update({name: value for name, value in fields.items() if value is not None})
        self.record.update(
            result=result,
            finished_at=timestamp(self._now()),
            seconds=round(self._clock() - self._began, 3),
        )

    def fail(self, error: BaseException) -> None:
        """The run has ended in an error, of which only what is for everybody is told.

        An error that is no fault, such as KeyboardInterrupt, says that a signal ended the run.
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
    """The status of the last run since the machine was started; None when there was none.

    A run that says it is running although its process is gone is `interrupted`. Raises
    NotPermitted when the file may not be read.
    """
    try:
        record = json.loads(_read(os.path.join(root, STATUS_FILE.lstrip("/"))))
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
    from bootstrap.windows.report.boot_marker import begin as _begin
    from bootstrap.windows.report.boot_marker import has_begun as _has_begun
    from bootstrap.windows.report.boot_marker import is_there as _is_there
else:

    def _begin() -> None:
        """Remember that there is a status of this boot: /run is empty until there is one."""

    def _has_begun() -> bool:
        return True

    def _is_there(pid: int) -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True  # somebody else's process
        return True


def _read(path: str) -> bytes:
    """The content of a regular file; nobody waits for a pipe or a device in its place."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise ValueError
    with open(os.open(path, READ_FLAGS), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # it has just become one
            raise ValueError
        return file.read(MAX_BYTES)


def _signal_of(error: BaseException) -> str | None:
    """The name of the signal that unwound a run; SystemExit has 128 and its number."""
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
    """Seconds since 1970 as RFC 3339 has them, in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
