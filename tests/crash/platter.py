"""What a disk holds when the power fails: the calls of a run, replayed on a disk with a cache.

A kill loses nothing, for the cache outlives the process; a power cut loses what was not flushed.
How much of it depends on the file system, so both ends are tried: `flushed` is a disk that kept
nothing but what was flushed, `ordered` one that kept every name in order (as a journal does) and
of each file only what was flushed.
"""

import codecs
import os
import re
import shutil
from pathlib import Path

from tracing import ACCESS, CONTENT, FLUSHES, FOLDERS, LINKS, MARKS, OPENS, REMOVALS, RENAMES
from victim import NOTE, read_note, write_note

DESCRIPTOR = re.compile(r"(\d+)<")
NUMBER = re.compile(r"(\d+)\)?$")
TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
FLAGS = re.compile(r"O_\w+")


class File:
    """A file's content, mode and note, in the cache and on the disk."""

    def __init__(self, content=b"", mode=0, note=b""):
        self.content = self.safe_content = content
        self.mode = self.safe_mode = mode
        self.note = self.safe_note = note

    def flush(self):
        """Bring it to the disk."""
        self.safe_content, self.safe_mode, self.safe_note = self.content, self.mode, self.note


class Link:
    """A symbolic link; it is flushed with the folder that names it."""

    def __init__(self, target):
        self.target = target


class Folder:
    """A folder's names and mode, in the cache and on the disk."""

    def __init__(self, mode=0):
        self.names, self.safe_names = {}, {}
        self.mode = self.safe_mode = mode

    def flush(self):
        """Bring it to the disk."""
        self.safe_names, self.safe_mode = dict(self.names), self.mode


class Platter:
    """A disk that holds everything below `root`, and what a run then did to it."""

    def __init__(self, root):
        self.root = str(root)
        self._inodes = {}
        self._top = self._read(Path(root))
        self._descriptors = {}

    def _read(self, path):
        status = path.lstat()
        known = self._inodes.get(status.st_ino)
        if known is not None:
            return known
        if path.is_symlink():
            node = Link(os.readlink(path))
        elif path.is_dir():
            node = Folder(status.st_mode & 0o7777)
            node.names = {one.name: self._read(one) for one in path.iterdir()}
            node.flush()
        else:
            node = File(path.read_bytes(), status.st_mode & 0o7777, read_note(path))
        self._inodes[status.st_ino] = node
        return node

    def do(self, call):
        """Let the cache see one more call."""
        if call.name in OPENS:
            self._open(call)
        elif call.name in (*CONTENT, *FLUSHES, *ACCESS, "fsetxattr"):
            self._use(call)
        elif call.name in FOLDERS:
            folder, name = self._at(call.path)
            folder.names[name] = Folder(_octal(call.operands))
        elif call.name in REMOVALS:
            folder, name = self._at(call.path)
            del folder.names[name]
        elif call.name in (*RENAMES, *LINKS):
            self._name(call)
        else:
            assert call.name in MARKS, f"{call} is not known here"

    def _open(self, call):
        folder, name = self._at(call.path)
        if name not in folder.names:
            folder.names[name] = File(mode=_octal(call.operands))
        node = folder.names[name]
        if isinstance(node, File) and "O_TRUNC" in call.operands:
            node.content = b""
        appends = "O_APPEND" in call.operands
        self._descriptors[call.descriptor] = [node, len(node.content) if appends else 0]

    def _use(self, call):
        opened = self._descriptors[int(DESCRIPTOR.match(call.operands)[1])]
        node, at = opened
        if call.name in FLUSHES:
            node.flush()
        elif call.name == "fchmod":
            node.mode = _octal(call.operands)
        elif call.name == "fsetxattr":
            name, node.note = (_bytes(text) for text in TEXT.findall(call.operands))
            assert name == NOTE.encode(), "no other attribute is known here"
        elif call.name == "ftruncate":
            size = int(NUMBER.search(call.operands)[1])
            node.content = node.content[:size].ljust(size, b"\0")
        elif call.name in ("write", "pwrite64"):
            text = _bytes(TEXT.search(call.operands)[1])
            assert len(text) == call.descriptor, "the whole write has to be known"
            at = at if call.name == "write" else int(NUMBER.search(call.operands)[1])
            node.content = node.content[:at] + text + node.content[at + len(text) :]
            opened[1] = at + len(text)

    def _name(self, call):
        folder, name = self._at(call.path)
        if call.name.startswith("symlink"):
            folder.names[name] = Link(TEXT.search(call.operands)[1])
            return
        origin, old = self._at(call.source)
        folder.names[name] = origin.names[old]
        if call.name in RENAMES:
            del origin.names[old]

    def _at(self, path):
        """The folder of a path, as the cache has it, and the name in it."""
        *above, name = path.removeprefix(self.root).strip("/").split("/")
        folder = self._top
        for one in above:
            folder = folder.names[one]
        if not name:  # the root itself
            return Folder(), ""
        return folder, name

    def flushed(self, root):
        """The tree after a power cut that lost everything that could be lost."""
        self._restore(root, names=lambda folder: folder.safe_names)

    def ordered(self, root):
        """The tree after a power cut that lost contents, but kept names."""
        self._restore(root, names=lambda folder: folder.names)

    def _restore(self, root, names):
        shutil.rmtree(root)
        written = {}
        self._write(self._top, Path(root), names, written)

    def _write(self, node, path, names, written):
        if isinstance(node, Link):
            path.symlink_to(node.target)
        elif isinstance(node, Folder):
            path.mkdir()
            for name, one in names(node).items():
                self._write(one, path / name, names, written)
            path.chmod(node.mode if names(node) is node.names else node.safe_mode)
        elif node in written:
            os.link(written[node], path)
        else:
            path.write_bytes(node.safe_content)
            if node.safe_note:
                write_note(path, node.safe_note)
            path.chmod(node.safe_mode)
            written[node] = path


def _bytes(text):
    """What strace shows as a text."""
    return codecs.decode(text, "unicode_escape").encode("latin-1")


def _octal(operands):
    """The last operand as the mode that it is."""
    return int(operands.rpartition(", ")[2], 8)
