"""Lay the wheels of a folder out as one tree of pure Python: `collect.py WHEELS TREE`.

Compiled parts are left out; each library that has one does without. So are tests, type stubs, and
the records of an installation that never took place. Licences stay, each beside its METADATA.
"""

import re
import sys
from pathlib import Path
from zipfile import ZipFile

LEFT_OUT = re.compile(
    r"\.(so|pyd|pyi|pyx|pxd|c|h)$|/py\.typed$|/tests?/|/benchmarks/|/_emscripten/|"
    r"\.dist-info/(RECORD|WHEEL|INSTALLER|REQUESTED|top_level\.txt|entry_points\.txt)$"
)


def main() -> None:
    """Lay them out; ends with a message when two wheels hold the same file."""
    wheels, tree = map(Path, sys.argv[1:])
    for wheel in sorted(wheels.glob("*.whl")):
        with ZipFile(wheel) as archive:
            for name in archive.namelist():
                if name.endswith("/") or LEFT_OUT.search(name):
                    continue
                if (tree / name).exists():
                    sys.exit(f"{wheel.name} and a wheel before it both hold {name}")
                archive.extract(name, tree)


if __name__ == "__main__":
    main()
