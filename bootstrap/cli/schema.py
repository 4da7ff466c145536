"""Print a JSON Schema 2020-12, for an editor or for a check in a pipeline.

document: image documents and userData; settings: agent.yaml; status: status.json; machine: the
file that `emulate` serves.
"""

from __future__ import annotations

import sys

from bootstrap import resources

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `schema`."""
    parser.add_argument("name", choices=("document", "settings", "status", "machine"))


def run(options: argparse.Namespace) -> int:
    """Print the schema exactly as it is packaged."""
    sys.stdout.write(resources.read(f"schema/{options.name}.schema.json"))
    return 0
