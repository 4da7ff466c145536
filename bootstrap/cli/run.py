"""Configure this machine: wait for IMDS, decide, render, write, notify, record.

Exit code: 0 configured, unchanged, kept or disabled; 65 a document is not valid; 66 required input
is missing; 69 IMDS refuses for good; 73 a file could not be written; 75 the deadline passed or
another run is at work; 78 the agent's settings are wrong; 1 a handler failed; 128 and its number
when a signal ended the run.
"""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager

from bootstrap.cli.options import add_offline, context_of, print_json, seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from types import FrameType
    from typing import NoReturn

# systemd stops a unit, a terminal goes away; Windows shuts down, or closes a console.
STOPS = ("SIGTERM", "SIGHUP", "SIGBREAK")
STOPPING = tuple(getattr(signal, name) for name in STOPS if hasattr(signal, name))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `run` may be told."""
    parser.add_argument("--dry-run", action="store_true", help="the same as `plan`")
    parser.add_argument(
        "--force",
        action="store_true",
        help="go all the way even when nothing seems to have changed",
    )
    parser.add_argument(
        "--deadline", type=seconds, metavar="SECONDS", help="the same as --set deadline=SECONDS"
    )
    add_offline(parser)


def run(options: argparse.Namespace) -> int:
    """Run, and say on standard output how it ended."""
    if options.deadline is not None:
        options.assignments = [*options.assignments, f"deadline={options.deadline}"]
    if options.dry_run:
        from bootstrap.cli import plan

        options.diff = options.exit_code = False
        return plan.run(options)
    from bootstrap import agent

    with _unwinding():
        status = agent.run(context_of(options), force=options.force, offline=options.offline)
    if options.format == "json":
        print_json(status.record)
        return 0
    from bootstrap.report.changes import summarize

    sys.stdout.write(f"{summarize(status.record)}\n")
    return 0


@contextmanager
def _unwinding() -> Iterator[None]:
    """Have a signal that stops the run unwind it, as SIGINT does.

    Commands are ended and files put back at once; handlers that were at work are due in the next
    run. A signal that is ignored, as under nohup, stays so.
    """
    heard = [number for number in STOPPING if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, _stop) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, _: FrameType | None) -> NoReturn:
    for one in STOPPING:
        signal.signal(one, signal.SIG_IGN)  # what is being put back is put back to its end
    raise SystemExit(128 + number)  # as a shell has it
