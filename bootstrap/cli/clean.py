"""Forget this machine: the step before an image is captured.

The state and the status go; the files that were written stay, for they belong to the machine. The
next run, on whatever machine that is, starts afresh.
"""

from __future__ import annotations

import sys

from bootstrap.cli.options import context_of, print_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

LOCK_WAIT = 10.0  # seconds: a run that is at work may end, but nobody waits for IMDS here


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`clean` takes nothing of its own."""


def run(options: argparse.Namespace) -> int:
    """Forget, and print what was removed."""
    from bootstrap.apply.transaction import recovery
    from bootstrap.state import store
    from bootstrap.state.lock import Lock

    context = context_of(options)
    with Lock(root=context.root, wait=LOCK_WAIT, clock=context.clock, sleep=context.sleep):
        if recovered := recovery.recover(root=context.root):
            context.log.warning(recovered.text)
        removed = store.remove_state(root=context.root)
    if options.format == "json":
        print_json({"removed": list(removed)})
    else:
        for path in removed:
            sys.stdout.write(f"removed  {path}\n")
        sys.stdout.write(f"clean: {'done' if removed else 'there was nothing to forget'}\n")
    return 0
