"""Commands of the document, run as argument lists: the only module that starts processes.

`_runner_posix` and `_runner_windows` have the parts that differ by system.
"""

from __future__ import annotations

import sys
import time

from bootstrap.process.result import CommandResult, output_tail, unstarted

if sys.platform == "win32":
    from bootstrap.process._runner_windows import exists, finish, reason_of, run_filter, start
else:
    from bootstrap.process._runner_posix import exists, finish, reason_of, run_filter, start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["exists", "run", "run_filter"]


def run(
    command: Sequence[str], *, timeout: float, clock: Callable[[], float] = time.monotonic
) -> CommandResult:
    """Run a command to its end, or end it and all that it started after `timeout` seconds.

    If no time is left it is not started, because a command that is killed at once may have done
    half of its work. It gets no shell, no standard input, no descriptor or handle of this process,
    the root as its folder and a small environment: on POSIX systems `PATH`, `HOME`, `TZ`, and
    `LANG=C.UTF-8`. Processes that it leaves in the background when it succeeds are left alone.
    """
    if timeout <= 0:
        return CommandResult("was not started, for no time was left", kind="unstarted")
    deadline = clock() + timeout
    try:
        running = start(command)
    except (OSError, ValueError) as error:
        return unstarted(error)
    tail = bytearray()
    status = finish(running, tail, deadline, clock)
    if status is None:
        return CommandResult(
            f"did not end within {round(timeout, 1):g} s", output_tail(tail), "late"
        )
    return CommandResult(reason_of(status), output_tail(tail))
