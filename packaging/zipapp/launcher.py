"""`python3 imds-bootstrap.pyz`: the first file of the archive that Python reads.

It says in plain words when the Python is too old, so it is written for any. Then it does two
things before the program starts: modules come as bytecode where this Python's is in the archive,
and libraries come from the archive alone.
"""
# ruff: noqa: ANN001, ANN201, ANN202, ANN205 - annotations are a mistake of syntax to Python 2

import sys

OLDEST = (3, 10)
UNUSABLE = 78  # EX_CONFIG: what the image carries cannot be used
BYTECODE = "bytecode/"
# What `certificate: true` needs, and the emulator for its vaults. It is compiled for one Python
# and one processor, so it cannot be in here; the system's own is used where there is one.
FROM_THE_SYSTEM = ("cryptography", "cffi", "_cffi_backend", "typing_extensions")


def main():
    """Start the program; gives its exit code."""
    if sys.version_info < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        found = ".".join(map(str, sys.version_info[:3]))
        sys.stderr.write(
            "error: imds-bootstrap needs Python " + wanted + " or newer, and this is Python "
            + found + " (" + (sys.executable or "of unknown place") + ")\n"
            "  = help: name another one: python" + wanted + " imds-bootstrap.pyz\n"
        )  # fmt: skip
        return UNUSABLE
    use_bytecode(sys.path[0])
    use_no_other_libraries()
    from bootstrap.cli import main as program

    return program()


def use_bytecode(archive):
    """Take modules from this Python's bytecode in the archive; without any, sources do as well.

    All bytecode for one Python is one entry: Python reads an archive's whole table of contents at
    each start, and ten entries for each module would cost more than they save.
    """
    import marshal
    import zlib
    from _frozen_importlib_external import MAGIC_NUMBER  # importlib.util has it, but costs more
    from zipimport import zipimporter

    name = BYTECODE + sys.implementation.cache_tag + "-" + MAGIC_NUMBER[:2].hex()
    try:
        codes = marshal.loads(zipimporter(archive).get_data(name))  # noqa: S302 - as a .pyc is
    except (ImportError, OSError):  # unpacked into a folder, or made without this Python
        return

    class Importer(zipimporter):
        def get_code(self, fullname):
            code = codes.get(fullname)
            if code is None:
                return super().get_code(fullname)
            return marshal.loads(zlib.decompress(code))  # noqa: S302

        def get_filename(self, fullname):
            # zipimporter compiles the source to tell its name.
            last = "/__init__.py" if self.is_package(fullname) else ".py"
            return archive + "/" + self.prefix + fullname.rpartition(".")[2] + last

    sys.path_hooks.insert(0, Importer)
    sys.path_importer_cache.pop(archive, None)


def use_no_other_libraries():
    """Leave what else is installed alone: a library in here would take up with another version."""
    outside = [one for one in sys.path if "site-packages" in one or "dist-packages" in one]
    sys.path[:] = [one for one in sys.path if one not in outside]

    class Outside:
        @staticmethod
        def find_spec(fullname, path=None, target=None):
            if fullname.partition(".")[0] in FROM_THE_SYSTEM:
                from importlib.machinery import PathFinder

                return PathFinder.find_spec(fullname, path or outside, target)
            return None

    sys.meta_path.append(Outside)


if __name__ == "__main__":
    sys.exit(main())
