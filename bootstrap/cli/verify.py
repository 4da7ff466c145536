"""Check that the files are still as the last run left them. Asks nobody and changes nothing.

Exit code: 0 they are; 1 some have drifted; 66 this machine has not been configured yet.
"""

from __future__ import annotations

import sys

from bootstrap.cli.options import print_json
from bootstrap.errors import MissingInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from bootstrap.state.record import State


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare nothing: `verify` has no arguments of its own."""


def run(options: argparse.Namespace) -> int:
    """Print what has drifted."""
    from bootstrap.apply.transaction import recovery
    from bootstrap.report.changes import count
    from bootstrap.report.diagnostic import printable
    from bootstrap.state.manifest import verify

    state = _state(options.root)
    drift = verify(state.written.values(), root=options.root)
    if recovery.is_due(root=options.root):
        options.log.warning("a run was interrupted, and the next one settles it first")
    if options.format == "json":
        drifted = [{"path": one.path, "reasons": list(one.reasons)} for one in drift]
        print_json({"drift": drifted, "files": len(state.written)})
        return int(bool(drift))
    for one in drift:
        sys.stdout.write(f"drift  {printable(one.path)}  {', '.join(one.reasons)}\n")
    files = count(len(state.written), "file")
    result = f"{len(drift)} of {files} drifted" if drift else f"{files} as written"
    sys.stdout.write(f"verify: {result}\n")
    return int(bool(drift))


def _state(root: str) -> State:
    from bootstrap.platform.firmware import read_firmware
    from bootstrap.state import store

    vm_id = store.current(root=root) or read_firmware(root).vm_id
    state = store.load(vm_id, root=root).state if vm_id else None
    if state is None or not state.configured_at:
        raise MissingInput(
            "this machine has not been configured yet", hint="imds-bootstrap run configures it"
        )
    return state
