"""Show what `run` would change, without changing anything.

The plan comes from the same code as that of `run`: what is said here is what will be done.
Exit code: 0; with --exit-code 1 when there is something to change.
"""

from __future__ import annotations

import sys

from bootstrap.cli.options import add_offline, context_of, print_json, use_color

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from bootstrap.apply.plan.change import Plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `plan` may be told."""
    parser.add_argument("--diff", action="store_true", help="show what changes in each file")
    parser.add_argument(
        "--exit-code", action="store_true", help="exit with 1 when there is something to change"
    )
    add_offline(parser)


def run(options: argparse.Namespace) -> int:
    """Print the plan."""
    from bootstrap import agent

    plan = agent.preview(context_of(options), offline=options.offline)
    for note in plan.notes:
        options.log.warning(note)
    if options.format == "json":
        print_json(_record(plan, diff=options.diff))
    else:
        _print(plan, options)
    return int(options.exit_code and bool(plan.changes or plan.handlers))


def _print(plan: Plan, options: argparse.Namespace) -> None:
    from bootstrap.report.changes import count, describe_plan

    color = use_color(options.color, sys.stdout)
    for line in describe_plan(plan, diff=options.diff, color=color):
        sys.stdout.write(f"{line}\n")
    would = f"{count(len(plan.changes), 'file')} would change, {len(plan.unchanged)} unchanged"
    sys.stdout.write(f"plan: {would}\n")


def _record(plan: Plan, *, diff: bool) -> dict[str, object]:
    from bootstrap.report.changes import change_record, describe_difference

    changes = []
    for change in plan.changes:
        record = change_record(change)
        if diff:
            record["diff"] = [line.removeprefix("    ") for line in describe_difference(change)]
        changes.append(record)
    return {
        "changes": changes,
        "unchanged": list(plan.unchanged),
        "handlers": list(plan.handlers),
    }
