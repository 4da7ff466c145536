"""The part of `runner` that differs by system, for POSIX systems."""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # noqa: S101  (Windows has a module of its own)

import os
from contextlib import suppress

from bootstrap.process.result import MAX_OUTPUT, CommandResult, unstarted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from subprocess import Popen

MAX_PIPE = 65536  # bytes that a pipe holds: pipe(7)
POLL_INTERVAL = 0.05  # seconds between two polls of a command that writes nothing
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
INHERITED = ("PATH", "HOME", "TZ")


def start(command: Sequence[str]) -> Popen[bytes]:
    """Start a command in a session of its own; raises OSError or ValueError if that fails."""
    import subprocess  # 20 ms, which an unchanged boot does not pay

    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        env=_environment(),
        start_new_session=True,
    )


def finish(
    process: Popen[bytes], tail: bytearray, deadline: float, clock: Callable[[], float]
) -> int | None:
    """Read the end of the output into `tail` until the command ends, and return its status.

    Returns None if the deadline comes first. A command that still runs then, or when an exception
    ends the wait, is killed with all its descendants.
    """
    try:
        in_time = _follow(process, tail, deadline, clock)
    finally:
        _kill_and_close(process)
    return process.returncode if in_time else None


def exists(program: str) -> bool:
    """Return whether there is such a program to run."""
    from shutil import which

    return which(program, path=_environment()["PATH"]) is not None


def run_filter(
    command: Sequence[str], content: bytes, *, timeout: float
) -> tuple[CommandResult, bytes]:
    """Run a filter on `content`; return its result and its standard output, in bytes.

    Its standard error is dropped, because it may quote the content.
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
    return CommandResult(reason_of(ended.returncode)), ended.stdout


def _environment() -> dict[str, str]:
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {"PATH": SEARCH_PATH, "LANG": "C.UTF-8", **inherited}


def _follow(
    process: Popen[bytes], tail: bytearray, deadline: float, clock: Callable[[], float]
) -> bool:
    """Read the output until the command ends; return False if the deadline comes first.

    A child in the background may hold the pipe open for ever, and write for ever. So the end of the
    command counts, and not the end of its output.
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
    """Wait for a piece of output or for the end and read it; return False if there was none."""
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


def _kill_and_close(process: Popen[bytes]) -> None:
    """Kill a command that still runs, with all its descendants, and close its pipe."""
    if process.poll() is None:
        from bootstrap.process import kill_tree_posix

        kill_tree_posix.end(process.pid)
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def reason_of(status: int) -> str:
    """Return why a command failed, by its status; empty if it succeeded."""
    import signal

    if status >= 0:
        return f"ended with status {status}" if status else ""
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:  # a real-time signal has a number and no name
        return f"was killed by signal {-status}"
