"""The files that ship with the program: `schema/` and `templates/`.

In a wheel or a zipapp they are inside the package; in a checkout and an editable install they are
beside it. The package's own loader reads them, so an archive needs no unpacking, and a boot saves
the time of importing `importlib.resources`.
"""

from __future__ import annotations

import os
from functools import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_PACKAGE = os.path.dirname(os.path.abspath(__file__))
_FOLDERS = (_PACKAGE, os.path.dirname(_PACKAGE))


def read(name: str) -> str:
    """Return the text of a shipped file, such as `schema/document.schema.json`.

    Raises FileNotFoundError if no file of that name ships.
    """
    loader: Any = __spec__.loader
    for folder in _FOLDERS:
        try:
            content: bytes = loader.get_data(os.path.join(folder, *name.split("/")))
        except OSError:
            continue
        return content.decode()
    raise FileNotFoundError(f"{name} does not ship with this program")


@cache
def names(folder: str) -> tuple[str, ...]:
    """Return the sorted names of the shipped files below `folder`, such as `templates`."""
    for top in _FOLDERS:
        path = os.path.join(top, folder)
        if os.path.isdir(path):
            return tuple(sorted(_walk(path, folder)))
    return tuple(sorted(_in_archive(folder)))


def _walk(path: str, folder: str) -> Iterator[str]:
    for parent, _, files in os.walk(path):
        below = os.path.relpath(parent, path)
        yield from (_slashed(os.path.join(folder, below, name)) for name in files)


def _slashed(path: str) -> str:
    return os.path.normpath(path).replace(os.sep, "/")


def _in_archive(folder: str) -> Iterator[str]:
    from zipfile import ZipFile

    with ZipFile(os.path.dirname(_PACKAGE)) as archive:
        prefix = f"{os.path.basename(_PACKAGE)}/"
        for name in archive.namelist():
            if name.startswith(f"{prefix}{folder}/") and not name.endswith("/"):
                yield name.removeprefix(prefix)
