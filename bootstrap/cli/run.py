"""Configure this machine: wait for IMDS, decide, render, write, notify, record.

Exit code: 0 configured, unchanged, kept or disabled; 65 a document is not valid; 66 required input
is missing; 69 IMDS refuses for good; 73 a file could not be written; 75 the deadline passed or
another run is at work; 78 the agent's settings are wrong; 1 a handler failed.
"""

from __future__ import annotations

import sys

from bootstrap.cli.options import machine_of, print_json, seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


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
    parser.add_argument(
        "--offline", metavar="FILE", help="take a saved instance document instead of asking IMDS"
    )


def run(options: argparse.Namespace) -> int:
    """Run, and say on standard output how it ended."""
    if options.deadline is not None:
        options.assignments = [*options.assignments, f"deadline={options.deadline}"]
    if options.dry_run:
        from bootstrap.cli import plan

        options.diff = options.exit_code = False
        return plan.run(options)
    from bootstrap import agent

    status = agent.run(machine_of(options), force=options.force, offline=options.offline)
    if options.format == "json":
        print_json(status.record)
        return 0
    from bootstrap.report.changes import summarize

    sys.stdout.write(f"{summarize(status.record)}\n")
    return 0
