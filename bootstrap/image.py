"""What the image carries: its documents, its templates, its schema for values.

Everything is read as bytes and hashed; text is made of it only by a run that goes on.
"""

from __future__ import annotations

import os
import stat
from hashlib import sha256

from bootstrap import CONFIGURATION, ELEVATE, ENDINGS, resources
from bootstrap.errors import ImageError, InvalidDocument, NotPermitted, Problem, Public
from bootstrap.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import NoReturn

    from bootstrap.document import Source

DOCUMENT_FOLDER = f"{CONFIGURATION}/config.d"
# What every image may have, and need not have. What else the settings name must be there.
DEFAULT_VALUES_SCHEMA = f"{CONFIGURATION}/values.schema.json"
DEFAULT_TEMPLATES = f"{CONFIGURATION}/templates"
WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0)  # Windows has no pipe among its files
MAX_FILE = 1024 * 1024  # bytes of one document or template: far beyond what a person writes
MAX_FILES = 2000  # templates in all folders: beyond it a folder was named that holds other things


class Image(Frozen):
    """The image's part of the configuration, as bytes.

    `documents` are in the order in which they apply; `templates` maps a template's name
    (`shop/shop.toml.j2`) to the file it is in and its content; `values_schema` is the file and its
    content, or None where the image has none. `digest` changes when any of them does.
    """

    documents: tuple[tuple[str, bytes], ...]
    templates: Mapping[str, tuple[str, bytes]]
    values_schema: tuple[str, bytes] | None
    digest: str


def read_image(root: str, *, templates: Sequence[str], values_schema: str) -> Image:
    """Read the image whose file system begins at `root`.

    `templates` are the template folders in search order, `values_schema` the file of the values'
    schema; only the default ones may be absent. Raises ImageError when something that the settings
    name is not there or cannot be read, NotPermitted when this user may not read it.
    """
    documents = tuple(_read_documents(root))
    found = read_templates(root, templates)
    schema = _read_schema(root, values_schema)
    whole = sha256()
    for name, (path, content) in sorted(found.items()):
        whole.update(f"template {name} {path} {len(content)}\n".encode() + content)
    for name, content in (*documents, *([schema] if schema else [])):
        whole.update(f"{name} {len(content)}\n".encode() + content)
    return Image(
        documents=documents,
        templates=found,
        values_schema=schema,
        digest=whole.hexdigest(),
    )


def decode(name: str, content: bytes) -> str:
    """The text of one of the image's files; raises ImageError when it is not UTF-8."""
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = Problem("this byte is not UTF-8 text", where=f"{name}:{line}")
        message = Public("a file of the image cannot be read as text")
        raise ImageError(message, problems=[problem]) from None


def parse_schema(name: str, content: bytes) -> Source:
    """Return a JSON Schema for values, from its file; raises ImageError where it is no document."""
    from bootstrap.document import parse

    try:
        return parse(decode(name, content), name)
    except InvalidDocument as error:
        raise ImageError(
            Public("the image's schema for values cannot be read"), problems=error.problems
        ) from None


def shipped_templates() -> dict[str, tuple[str, bytes]]:
    """The templates that ship with the program, like `Image.templates`."""
    names = [name.removeprefix("templates/") for name in resources.names("templates")]
    return {
        name: (f"shipped {name}", resources.read(f"templates/{name}").encode())
        for name in names
        if not name.startswith("image/")  # the sample image is there to be copied
    }


def _read_documents(root: str) -> Iterator[tuple[str, bytes]]:
    for name in sorted(_list(root, DOCUMENT_FOLDER)):
        if name.endswith(ENDINGS) and not name.startswith("."):
            yield f"image config.d/{name}", _read(root, f"{DOCUMENT_FOLDER}/{name}")


def read_templates(root: str, folders: Sequence[str]) -> dict[str, tuple[str, bytes]]:
    """Read the templates of these folders below `root`, like `Image.templates`; raises alike."""
    found: dict[str, tuple[str, bytes]] = {}
    for folder in folders:
        for name in _walk(root, folder):
            path = os.path.join(folder, name)
            if name not in found:
                found[name] = (path, _read(root, path))
            if len(found) > MAX_FILES:
                told = f"reading the templates in {folder}: there are more than {MAX_FILES} files"
                hint = Public("name a folder in `templates` that holds templates only")
                raise ImageError(Public(told), hint=hint)
    return found


def _walk(root: str, top: str) -> Iterator[str]:
    """The files below a folder, relative to it, without hidden ones and editors' copies."""

    def refuse(error: OSError) -> None:
        if not (top == DEFAULT_TEMPLATES and isinstance(error, FileNotFoundError)):
            _refuse(top, error)

    start = _below(root, top)
    for folder, folders, files in os.walk(start, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith(".") and not name.endswith("~"):
                path = os.path.relpath(os.path.join(folder, name), start)
                yield path.replace(os.sep, "/")


def _read_schema(root: str, path: str) -> tuple[str, bytes] | None:
    try:
        os.lstat(_below(root, path))
    except FileNotFoundError:
        if path == DEFAULT_VALUES_SCHEMA:
            return None
    except OSError as error:
        _refuse(path, error)
    return path, _read(root, path)


def _read(root: str, path: str) -> bytes:
    try:
        # A pipe would be waited for without end, and no deadline runs here.
        with open(_below(root, path), "rb", opener=_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ImageError(Public(f"reading {path} of the image: it is not a file"))
            content = file.read(MAX_FILE + 1)
    except OSError as error:
        _refuse(path, error)
    if len(content) > MAX_FILE:
        raise ImageError(
            Public(f"reading {path} of the image: it is larger than {MAX_FILE} bytes"),
            hint=Public("documents, templates and the schema are text that a person writes"),
        )
    return content


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | WITHOUT_WAITING)


def _list(root: str, folder: str) -> list[str]:
    try:
        return os.listdir(_below(root, folder))
    except FileNotFoundError:
        return []
    except OSError as error:
        _refuse(folder, error)


def _refuse(path: str, error: OSError) -> NoReturn:
    doing = Public(f"reading {path} of the image: {error.strerror}")
    if isinstance(error, PermissionError):
        raise NotPermitted(doing, hint=ELEVATE) from error
    hint = Public("make it, or name another one in the settings")
    raise ImageError(doing, hint=hint if isinstance(error, FileNotFoundError) else "") from error


def _below(root: str, path: str) -> str:
    return os.path.join(root, path.lstrip("/"))
