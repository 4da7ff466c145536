"""The part of `runner` that differs by system, for Windows."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101  (nothing imports it elsewhere)

import os
from contextlib import suppress

from bootstrap.layout import ROOT
from bootstrap.process.result import MAX_OUTPUT, CommandResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from subprocess import Popen
    from threading import Thread

    from bootstrap.process.jobs_windows import Job

LAST_WORDS = 1.0  # seconds to read what is left in the pipe when a command has ended
SUFFIXES = ("", ".exe", ".com")  # no `.bat`: it would be read by a shell
EXCEPTION = 0x80000000  # a status from here on is an exception's, such as 0xC0000005
INHERITED = (
    *("ALLUSERSPROFILE", "COMPUTERNAME", "COMSPEC", "NUMBER_OF_PROCESSORS", "OS", "PATH"),
    *("PATHEXT", "PROCESSOR_ARCHITECTURE", "PROGRAMDATA", "PROGRAMFILES", "PROGRAMFILES(X86)"),
    *("PSMODULEPATH", "SYSTEMDRIVE", "SYSTEMROOT", "TEMP", "TMP", "WINDIR"),
)


def start(command: Sequence[str]) -> Job:
    """Start a command in a job of its own; raises OSError or ValueError if that fails."""
    import subprocess

    from bootstrap.process import jobs_windows

    process = subprocess.Popen(
        [_path_of(command[0]), *command[1:]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=ROOT,
        env=_environment(),
        creationflags=jobs_windows.FLAGS,
    )
    return jobs_windows.Job(process)


def finish(job: Job, tail: bytearray, deadline: float, clock: Callable[[], float]) -> int | None:
    """Read the end of the output into `tail` until the command ends, and return its status.

    Returns None if the deadline comes first. A command that still runs then, or when an exception
    ends the wait, is ended with all that it started.
    """
    process = job.process
    reader = _reader(process, tail)
    try:
        in_time = _wait(process, deadline - clock())
    finally:
        if process.poll() is None:
            job.end()
            process.wait()
        job.close()
    reader.join(LAST_WORDS)
    return process.returncode if in_time else None


def exists(program: str) -> bool:
    """Return whether there is such a program to run."""
    return os.path.isfile(_path_of(program))


def run_filter(
    command: Sequence[str],
    content: bytes,  # noqa: ARG001  (the POSIX runner takes it)
    *,
    timeout: float,  # noqa: ARG001
) -> tuple[CommandResult, bytes]:
    """Return that there is no such program: no filter is run on Windows."""
    return CommandResult(f"is no program of Windows: {command[0]}"), b""


def _path_of(program: str) -> str:
    """Return the program's path: the folders of PATH are searched, not the current one."""
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
    """Start a thread that reads the output for as long as any process holds the pipe open."""
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
    """Wait for the end of a command; return whether it came in time."""
    from subprocess import TimeoutExpired

    try:
        process.wait(max(0.0, seconds))
    except TimeoutExpired:
        return False
    return True


def reason_of(status: int) -> str:
    """Return why a command failed, by its status; empty if it succeeded."""
    if status >= EXCEPTION:
        return f"ended with status {status:#010X}".replace("0X", "0x")
    return f"ended with status {status}" if status else ""
