"""Kill a command with all its descendants.

Its process group is not all of it: a process leaves the group by setsid(2), which `setsid`,
`script` and `su` call. Processes that still descend from the command by their parents, or are in
its session, are found in /proc. Each is stopped when it is found, so that it cannot start another
process, and cannot end and leave its children to init. Only when all are stopped are they killed.

A process whose parents have ended before has become a daemon, and is left alone: handlers may start
daemons, and under systemd a daemon ends with the unit. To find daemons, this process would have to
become their reaper (PR_SET_CHILD_SUBREAPER) before it is known that a command takes too long. It
would then be the reaper of every daemon that a handler has started as intended.
"""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # noqa: S101  (Windows has `jobs_windows`)

import os
import signal
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PARENT, SESSION, START_TIME = 1, 3, 19  # fields behind the name in /proc/PID/stat: proc_pid_stat(5)


def end(pid: int) -> None:
    """Kill a child of this process that has not been waited for, and all its descendants."""
    known: dict[tuple[int, str], int] = {}
    try:
        os.kill(pid, signal.SIGSTOP)
        while new := [process for process in _family(pid) if process not in known]:
            known.update((process, _stop(process)) for process in new)
        for descriptor in known.values():
            _send(descriptor, signal.SIGKILL)
    finally:
        for descriptor in filter(None, known.values()):
            os.close(descriptor)
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def _family(pid: int) -> Iterator[tuple[int, str]]:
    """Yield the id and the start time of each descendant of a process or member of its session."""
    processes = {number: fields for number in _processes() if (fields := _fields(number))}
    family = {pid}
    while True:
        members = {
            number
            for number, fields in processes.items()
            if int(fields[PARENT]) in family or int(fields[SESSION]) == pid
        }
        if members <= family:
            break
        family |= members
    yield from ((number, processes[number][START_TIME]) for number in family - {pid})


def _processes() -> list[int]:
    """Return the ids of all processes."""
    with suppress(OSError):  # without /proc only the group is killed
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return []


def _fields(pid: int) -> list[str]:
    """Return the fields behind the name in /proc/PID/stat; none if there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return []


def _stop(process: tuple[int, str]) -> int:
    """Stop a process, given by its id and its start time, and return a descriptor of it.

    Returns 0 if the process has ended, even if its id has become another's.
    """
    pid, start_time = process
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return 0
    fields = _fields(pid)  # of the process that the descriptor refers to
    if fields and fields[START_TIME] == start_time:
        _send(descriptor, signal.SIGSTOP)
        return descriptor
    os.close(descriptor)
    return 0


def _send(descriptor: int, number: int) -> None:
    """Send a signal to the process of that descriptor; 0 is none."""
    with suppress(OSError):
        if descriptor:
            signal.pidfd_send_signal(descriptor, number)
