"""A command that is ended, with everything that descends from it.

Its process group is not all of it: setsid(2), which `setsid`, `script` and `su` call, leaves that.
What still descends from the command by the line of its parents, or is in its session, is found in
/proc, and nobody can slip away: each is stopped when it is found, so that it neither starts another
nor ends and leaves its children to init, and only when all are stopped are they killed.

A process whose parents had ended before has become a daemon, and is not hunted: handlers are there
to start daemons, and under systemd such a one ends with the unit. To find it this process would
have to be its reaper (PR_SET_CHILD_SUBREAPER) before it is known that anything will take too long,
and would then be that of every daemon that was rightly started.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PARENT, SESSION, BORN = 1, 3, 19  # fields behind the name in /proc/PID/stat: proc_pid_stat(5)


def end(pid: int) -> None:
    """Kill a child of this process that has not been waited for, and all that descends from it."""
    known: dict[tuple[int, str], int] = {}
    try:
        os.kill(pid, signal.SIGSTOP)
        while found := [one for one in _family(pid) if one not in known]:
            known.update((one, _stop(one)) for one in found)
        for descriptor in known.values():
            _send(descriptor, signal.SIGKILL)
    finally:
        for descriptor in filter(None, known.values()):
            os.close(descriptor)
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def _family(pid: int) -> Iterator[tuple[int, str]]:
    """Who descends from a process or is in its session: ids, each with its time of birth."""
    everybody = {one: fields for one in _processes() if (fields := _fields(one))}
    family = {pid}
    while True:
        members = {
            one
            for one, fields in everybody.items()
            if int(fields[PARENT]) in family or int(fields[SESSION]) == pid
        }
        if members <= family:
            break
        family |= members
    yield from ((one, everybody[one][BORN]) for one in family - {pid})


def _processes() -> list[int]:
    with suppress(OSError):  # no /proc: then there is only the group
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return []


def _fields(pid: int) -> list[str]:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return []


def _stop(one: tuple[int, str]) -> int:
    """Stop a process; gives a descriptor of it, 0 when it is gone and its id another's."""
    pid, born = one
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return 0
    fields = _fields(pid)  # from here on the descriptor means whoever this is
    if fields and fields[BORN] == born:
        _send(descriptor, signal.SIGSTOP)
        return descriptor
    os.close(descriptor)
    return 0


def _send(descriptor: int, number: int) -> None:
    with suppress(OSError):
        if descriptor:
            signal.pidfd_send_signal(descriptor, number)
