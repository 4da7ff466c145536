"""Compile a tree for the Python that runs this: `bytecode.py TREE OUTPUT_FOLDER`.

Writes one file, named after what this Python's bytecode is known by: a marshalled mapping of
module names to their code, marshalled and compressed. launcher.py reads it.
"""

import marshal
import os
import sys
import zlib
from importlib.util import MAGIC_NUMBER

ARCHIVE = "imds-bootstrap.pyz"  # where a traceback says that the code lies


def main() -> None:
    """Compile and write."""
    tree, output = sys.argv[1:]
    codes = {name: zlib.compress(compiled(tree, path), 9) for name, path in modules(tree)}
    os.makedirs(output, exist_ok=True)
    name = f"{sys.implementation.cache_tag}-{MAGIC_NUMBER[:2].hex()}"
    with open(os.path.join(output, name), "wb") as file:
        marshal.dump(codes, file)
    version = sys.version.partition(" ")[0]
    sys.stdout.write(f"bytecode for Python {version} ({name}): {len(codes)} modules\n")


def modules(tree: str) -> list[tuple[str, str]]:
    """Each module's name and its path from the tree, in order."""
    found = []
    for folder, _, names in os.walk(tree):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), tree)
            if name.endswith(".py") and path != "__main__.py":
                dotted = path.removesuffix(".py").replace(os.sep, ".")
                found.append((dotted.removesuffix(".__init__"), path))
    return sorted(found)


def compiled(tree: str, path: str) -> bytes:
    """Return the code of one module, marshalled."""
    with open(os.path.join(tree, path), "rb") as file:
        source = file.read()
    return marshal.dumps(compile(source, f"{ARCHIVE}/{path}", "exec", dont_inherit=True))


if __name__ == "__main__":
    main()
