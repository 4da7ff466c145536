"""Commands of the document, run as argument lists: the only module that starts processes."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from bootstrap.process.result import MAX_OUTPUT, CommandResult, output_tail, unstarted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from subprocess import Popen

MAX_PIPE = 65536  # bytes that wait in a pipe: pipe(7)
POLL_INTERVAL = 0.05  # seconds between two looks at a command that is silent
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
INHERITED = ("PATH", "HOME", "TZ")


def run(
    command: Sequence[str], *, timeout: float, clock: Callable[[], float] = time.monotonic
) -> CommandResult:
    """Run a command to its end, or kill it and all that descends from it after `timeout` seconds.

    With no time at all it is not started: killed as it begins, it might do half of its work.
    It gets no shell, no standard input, no descriptor of this process, `/` as its folder and a
    small environment: `PATH`, `HOME`, `TZ`, and `LANG=C.UTF-8`. What it leaves running in the
    background when it succeeds is left alone.
    """
    if timeout <= 0:
        return CommandResult("was not started, for no time was left", kind="unstarted")
    import subprocess  # 20 ms, which an unchanged boot does not pay

    deadline = clock() + timeout
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=_environment(),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return unstarted(error)
    tail = bytearray()
    try:
        in_time = _follow(process, tail, deadline, clock)
    finally:
        _put_to_rest(process)
    if not in_time:
        return CommandResult(
            f"did not end within {round(timeout, 1):g} s", output_tail(tail), "late"
        )
    return CommandResult(_reason(process.returncode), output_tail(tail))


def exists(program: str) -> bool:
    """Whether there is such a program to run."""
    from shutil import which

    return which(program, path=_environment()["PATH"]) is not None


def run_filter(
    command: Sequence[str], content: bytes, *, timeout: float
) -> tuple[CommandResult, bytes]:
    """Run a command that makes something of its standard input: how it ended, and what it made.

    What it says on standard error is dropped, for it may tell of the content.
    """
    import subprocess

    try:
        ended = subprocess.run(
            command,
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=_environment(),
            start_new_session=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return CommandResult(f"did not end within {timeout:g} s"), b""
    except (OSError, ValueError) as error:
        return unstarted(error), b""
    return CommandResult(_reason(ended.returncode)), ended.stdout


def _environment() -> dict[str, str]:
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {"PATH": SEARCH_PATH, "LANG": "C.UTF-8", **inherited}


def _follow(
    process: Popen[bytes], tail: bytearray, deadline: float, clock: Callable[[], float]
) -> bool:
    """Read the output until the command ends; False when the deadline comes first.

    A child that it left in the background may hold the pipe open for ever, and write for ever, so
    the end of the command counts, and not the end of its output.
    """
    while process.poll() is None:
        left = deadline - clock()
        if left <= 0:
            return False
        _drain(process, tail, min(left, POLL_INTERVAL))
    for _ in range(MAX_PIPE // MAX_OUTPUT):
        if not _drain(process, tail, 0):
            break
    return True


def _drain(process: Popen[bytes], tail: bytearray, seconds: float) -> bool:
    """Take one piece of output, waiting for it or for the end; False when there was none."""
    import select
    from subprocess import TimeoutExpired

    if process.stdout is None or process.stdout.closed:
        with suppress(TimeoutExpired):
            process.wait(seconds)
        return False
    descriptor = process.stdout.fileno()
    if not select.select([descriptor], [], [], seconds)[0]:
        return False
    piece = os.read(descriptor, MAX_OUTPUT)
    tail += piece
    del tail[:-MAX_OUTPUT]
    if not piece:
        process.stdout.close()
    return bool(piece)


def _put_to_rest(process: Popen[bytes]) -> None:
    """Kill a command that still runs and all that descends from it, and close what is open."""
    if process.poll() is None:
        from bootstrap.process import kill_tree

        kill_tree.end(process.pid)
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _reason(status: int) -> str:
    import signal

    if status >= 0:
        return f"ended with status {status}" if status else ""
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:  # a real-time signal has a number and no name
        return f"was killed by signal {-status}"
