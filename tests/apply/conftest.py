from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager

import pytest

from bootstrap.apply.plan.plan import plan
from bootstrap.apply.transaction.commit import Transaction, commit
from bootstrap.apply.transaction.journal import Journal
from bootstrap.config.model import FileSpec
from bootstrap.render.rendered import Rendered
from bootstrap.state.manifest import as_left

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="ownership and mounts need root")


class Machine:
    """A tree that files are applied to, on the real file system."""

    def __init__(self, root):
        self.root = root
        self.written = {}

    def path(self, path):
        """The path of a name below the root."""
        return self.root / path.lstrip("/")

    def put(self, path, content, mode=0o644):
        """Make a file by hand, with its folders."""
        where = self.path(path)
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_text(content)
        where.chmod(mode)
        return where

    def plan(self, *files, **arguments):
        """Plan with what was written before."""
        arguments = {"written": self.written} | arguments
        return plan(files, root=str(self.root), **arguments)

    def commit(self, planned):
        """Commit and remember what was written."""
        self.begin(planned).close()
        written = {record.path: record for record in planned.written}
        self.written = as_left(written, root=str(self.root))

    def begin(self, planned, **arguments):
        """Commit, and leave the transaction open."""
        arguments = {"timeout": 10} | arguments
        return commit(planned, journal=self.journal(), **arguments)

    def plan_of_each_kind(self, wanted, *, removed, in_place):
        """A plan with a change of each kind: five files, in their order, and the one removed."""
        self.apply(wanted(removed, "written\n"))
        self.put("/etc/changed", "old\n", 0o600)
        self.put("/etc/mode", "new\n", 0o600)
        self.path("/etc/link").symlink_to("changed")
        self.put(in_place, "a longer old content\n", 0o640)
        options = {"/etc/link": {"symlink": "replace"}, in_place: {"in_place": True}}
        paths = ("/etc/changed", "/etc/mode", "/etc/link", in_place, "/srv/new/file")
        planned = self.plan(*(wanted(path, **options.get(path, {})) for path in paths), prune=True)
        assert len(planned.changes) == 6
        return planned

    def die_after(self, planned, steps, **memo):
        """Leave the disk as a process that died after so many files had their names."""
        transaction = Transaction(planned, self.journal(), "dead")
        transaction.begin(memo)
        transaction.prepare(timeout=1, run=None)
        for step in transaction._steps[:steps]:
            step.rename_into_place()
        return transaction

    def journal(self):
        """The journal of this tree."""
        return Journal("/journal.json", str(self.root))

    def apply(self, *files, **arguments):
        """Plan and commit."""
        planned = self.plan(*files, **arguments)
        self.commit(planned)
        return planned

    def tree(self):
        """Every name below the root, with content and access: what all-or-nothing compares."""
        return {
            str(path.relative_to(self.root)): self._look(path)
            for path in sorted(self.root.rglob("*"))
        }

    @staticmethod
    def _look(path):
        status = path.lstat()
        content = ""
        if path.is_symlink():
            content = str(path.readlink())
        elif path.is_file():
            content = path.read_text()
        return content, oct(status.st_mode), status.st_uid, status.st_gid


class Calls:
    """The system calls that flush, or change a name, in order, by their paths below the root."""

    def __init__(self, root):
        self._root = os.path.realpath(root)
        self.all = []

    def note(self, call, *paths):
        """Remember one call that has succeeded."""
        self.all.append((call, *(os.path.relpath(path, self._root) for path in paths)))

    def of(self, *names):
        """The calls of these names."""
        return [call for call in self.all if call[0] in names]

    def unflushed(self, *, until=None):
        """The folders in which names have changed since they were last flushed.

        A folder that is gone needs no flush; the one that held it does. `until` is a call.
        """
        folders = set()
        for call, *paths in self.all[: self.all.index(until) if until else None]:
            if call == "fsync":
                folders -= set(paths)
                continue
            if call == "rmdir":
                folders -= set(paths)
            folders |= {os.path.dirname(path) or "." for path in paths}
        return folders


@pytest.fixture
def calls(machine, monkeypatch):
    """Note what reaches the file system, from the moment when a test asks for it."""
    noted = Calls(machine.root)

    def opened(descriptor):
        return os.readlink(f"/proc/self/fd/{descriptor}")

    def note_names(name, real):
        def call(*names, **arguments):
            real(*names, **arguments)
            folder = arguments.get("dir_fd", arguments.get("src_dir_fd"))
            if folder is None:  # the tests' own
                return
            folder = opened(folder)
            noted.note(name, *(os.path.join(folder, one) for one in names if isinstance(one, str)))

        monkeypatch.setattr(os, name, call)

    for name in ("replace", "link", "symlink", "unlink", "mkdir", "rmdir"):
        note_names(name, getattr(os, name))
    real_open = os.open

    def open_file(name, flags, *mode, dir_fd=None):
        descriptor = real_open(name, flags, *mode, dir_fd=dir_fd)
        if flags & os.O_CREAT and dir_fd is not None:
            noted.note("create", opened(descriptor))
        return descriptor

    monkeypatch.setattr(os, "open", open_file)
    fsync = os.fsync

    def flush(descriptor):
        fsync(descriptor)
        noted.note("fsync", opened(descriptor))

    monkeypatch.setattr(os, "fsync", flush)
    return noted


@pytest.fixture
def machine(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    return Machine(root)


@pytest.fixture
def wanted():
    """A file as it shall be: `wanted("/etc/x", "content", mode=0o600)`."""

    def make(path, content="new\n", *, secret=False, **spec):
        spec = FileSpec(path=path, content=content, **spec)
        return Rendered(spec=spec, content=content.encode(), secret=secret)

    return make


@pytest.fixture
def umask():
    """Set the process's umask for one test."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


@pytest.fixture
def mounted():
    """Mount something for the time of a `with` statement; skip where that is not possible."""

    @contextmanager
    def mount(*arguments):
        done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, check=False)
        if done.returncode:
            pytest.skip(f"cannot mount here: {done.stderr.decode().strip()}")
        try:
            yield
        finally:
            subprocess.run(["umount", str(arguments[-1])], check=True)

    return mount


def pytest_collection_modifyitems(items):
    for item in items:
        if {"mounted", "as_root"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(needs_root)


@pytest.fixture
def as_root():
    """The test needs root: it is about ownership."""
