"""Write the archive: `archive.py TREE BYTECODE_FOLDER FILE`; dated by SOURCE_DATE_EPOCH."""

import os
import sys
import time
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

SHEBANG = b"#!/usr/bin/env python3\n"
EARLIEST = 315532800  # 1980, before which no archive can be dated


def main() -> None:
    """Write it."""
    tree, bytecode, target = map(Path, sys.argv[1:])
    moment = time.gmtime(max(EARLIEST, int(os.environ["SOURCE_DATE_EPOCH"])))[:6]
    with target.open("wb") as file:
        file.write(SHEBANG)
        with ZipFile(file, "w") as archive:
            for path in files(tree):
                add(archive, path.relative_to(tree).as_posix(), path, moment, ZIP_DEFLATED)
            for path in files(bytecode):  # is compressed in itself
                add(archive, f"bytecode/{path.name}", path, moment, ZIP_STORED)
    target.chmod(0o755)
    sys.stdout.write(f"{target}: {target.stat().st_size} bytes\n")


def files(folder: Path) -> list[Path]:
    """Return the files below a folder, in the same order everywhere."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def add(archive: ZipFile, name: str, path: Path, moment: tuple[int, ...], method: int) -> None:
    """Add one file, with nothing of this machine in its entry."""
    entry = ZipInfo(name, moment)  # type: ignore[arg-type]
    entry.create_system = 3  # Unix, also where it is not
    entry.external_attr = 0o100644 << 16
    archive.writestr(entry, path.read_bytes(), method, 9)


if __name__ == "__main__":
    main()
