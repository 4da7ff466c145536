"""Commands of the document, run as argument lists: the only module that starts processes."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101  (nothing imports it elsewhere)

import os
import time
from contextlib import suppress

from bootstrap.process.result import MAX_OUTPUT, CommandResult, output_tail, unstarted
from bootstrap.windows import ROOT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from subprocess import Popen
    from threading import Thread

LAST_WORDS = 1.0  # seconds for what is still in the pipe when a command has ended
SUFFIXES = ("", ".exe", ".com")  # no `.bat`: it would be read by a shell
EXCEPTION = 0x80000000  # from here on a status is an exception's: 0xC0000005
INHERITED = (
    *("ALLUSERSPROFILE", "COMPUTERNAME", "COMSPEC", "NUMBER_OF_PROCESSORS", "OS", "PATH"),
    *("PATHEXT", "PROCESSOR_ARCHITECTURE", "PROGRAMDATA", "PROGRAMFILES", "PROGRAMFILES(X86)"),
    *("PSMODULEPATH", "SYSTEMDRIVE", "SYSTEMROOT", "TEMP", "TMP", "WINDIR"),
)


def run(
    command: Sequence[str], *, timeout: float, clock: Callable[[], float] = time.monotonic
) -> CommandResult:
    """Run a command to its end, or end it and all that it started after `timeout` seconds.

    With no time at all it is not started: killed as it begins, it might do half of its work.
    It gets no shell, no standard input, no handle of this process, the system drive as its folder
    and a small environment. What it leaves running in the background when it succeeds is left
    alone.
    """
    if timeout <= 0:
        return CommandResult("was not started, for no time was left", kind="unstarted")
    import subprocess

    from bootstrap.windows.process import jobs

    deadline = clock() + timeout
    try:
        process = subprocess.Popen(
            [_found(command[0]), *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env=_environment(),
            creationflags=jobs.FLAGS,
        )
        job = jobs.Job(process)
    except (OSError, ValueError) as error:
        return unstarted(error)
    tail = bytearray()
    reader = _reader(process, tail)
    try:
        in_time = _wait(process, deadline - clock())
    finally:
        if process.poll() is None:
            job.end()
            process.wait()
        job.close()
    reader.join(LAST_WORDS)
    if not in_time:
        return CommandResult(
            f"did not end within {round(timeout, 1):g} s", output_tail(tail), "late"
        )
    return CommandResult(_reason(process.returncode), output_tail(tail))


def exists(program: str) -> bool:
    """Whether there is such a program to run."""
    return os.path.isfile(_found(program))


def run_filter(
    command: Sequence[str], content: bytes, *, timeout: float
) -> tuple[CommandResult, bytes]:
    """Nothing here makes something of its standard input."""
    return CommandResult(f"is no program of Windows: {command[0]}"), b""


def _found(program: str) -> str:
    """The program's path: the folders of PATH are searched, and not the one we happen to be in."""
    if os.path.dirname(program):
        return program
    for folder in _environment().get("PATH", "").split(os.pathsep):
        for suffix in SUFFIXES:
            path = os.path.join(folder, program + suffix)
            if folder and os.path.isfile(path):
                return path
    return program


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in INHERITED if name in os.environ}


def _reader(process: Popen[bytes], tail: bytearray) -> Thread:
    """Somebody who reads what the command writes, for as long as anyone holds the pipe."""
    from threading import Thread

    stream = process.stdout
    assert stream is not None  # noqa: S101  (it was asked for)

    def read() -> None:
        with suppress(OSError, ValueError):
            while piece := os.read(stream.fileno(), MAX_OUTPUT):
                tail.extend(piece)
                del tail[:-MAX_OUTPUT]

    thread = Thread(target=read, daemon=True)
    thread.start()
    return thread


def _wait(process: Popen[bytes], seconds: float) -> bool:
    from subprocess import TimeoutExpired

    try:
        process.wait(max(0.0, seconds))
    except TimeoutExpired:
        return False
    return True


def _reason(status: int) -> str:
    if status >= EXCEPTION:
        return f"ended with status {status:#010X}".replace("0X", "0x")
    return f"ended with status {status}" if status else ""
