"""Races for a path: whoever owns the folder of a file swaps what is in it at the worst moment.

The adversary of most tests is deterministic: it acts once, before the n-th call to the file system,
for every n. The last test lets real processes race for a minute.
"""

from __future__ import annotations

import mmap
import os
import signal
import tempfile
import time
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest

from bootstrap.apply.plan.plan import plan
from bootstrap.apply.transaction import recovery
from bootstrap.apply.transaction.commit import commit
from bootstrap.apply.transaction.journal import Journal
from bootstrap.config.model import FileSpec
from bootstrap.errors import BootstrapError
from bootstrap.render.rendered import Rendered
from bootstrap.state import paths

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="other users need root")

OWNER, TEAM = 1234, 2345
SECRET = "root's secret"
CALLS = ("open", "lstat", "mkdir", "link", "replace", "unlink", "readlink", "rmdir", "listdir")


def seen(path):
    """What an attacker could want to change."""
    status = path.stat()
    return path.is_file() and path.read_bytes(), status.st_mode, status.st_uid


class Tree:
    """A machine with an application's folder, and folders of root's that must stay as they are."""

    def __init__(self, root):
        self.root = root
        self.conf = root / "srv/app/conf"
        self.conf.mkdir(parents=True)
        (root / "etc").mkdir()
        for name in ("a", "new", "secret"):
            (root / "etc" / name).write_text(f"{SECRET} {name}")
            (root / "etc" / name).chmod(0o600)
        (root / "var/lib/imds-bootstrap").mkdir(parents=True)
        (self.conf / "a").write_text("old\n")
        (self.conf / "keys").mkdir(mode=0o700)
        (self.conf / "keys/key").write_text("a key\n")
        for path in (root / "srv/app", self.conf, self.conf / "a"):
            os.chown(path, OWNER, OWNER)
        self.written = {}

    def plan(self, *files, prune=False):
        """Plan these files, as a run does."""
        return plan(files, root=str(self.root), written=self.written, prune=prune)

    def commit(self, planned):
        """Carry a plan out, as a run does; leaves the journal when it fails in between."""
        transaction = commit(planned, journal=Journal(paths.JOURNAL, str(self.root)), timeout=5)
        transaction.confirm()
        transaction.close()

    def attempt(self, job):
        """Run a job; False when it was refused, and then what it had begun is undone."""
        try:
            planned = self.plan(*JOBS[job], prune=job == "prune")
            self.commit(planned)
        except BootstrapError:
            with suppress(BootstrapError):
                recovery.recover(root=str(self.root))
            # What cannot be undone while the folder is away would be the next run's.
            (self.root / paths.JOURNAL.lstrip("/")).unlink(missing_ok=True)
            return False
        self.written = {record.path: record for record in planned.written}
        return True

    def outside(self):
        """Everything in root's folder: content, mode and owner."""
        return {path.name: seen(path) for path in (self.root / "etc").iterdir()}

    def keys(self):
        """The folder of root's that lies beside the files, wherever it is by now."""
        key = next(self.root.glob("srv/**/key"))
        return seen(key), seen(key.parent)

    def leaks(self):
        """The files below the application's folder that hold root's content, but for hard links."""
        inodes = {path.stat().st_ino for path in (self.root / "etc").iterdir()}
        files = [path for path in (self.root / "srv").rglob("*") if not path.is_symlink()]
        return [
            path
            for path in files
            if path.is_file()
            and path.stat().st_ino not in inodes
            and SECRET in path.read_text(errors="replace")
        ]


def link_folder(tree):
    """Put a link to root's folder in the place of the folder."""
    if not tree.conf.is_symlink():
        tree.conf.rename(tree.conf.with_name("away"))
        tree.conf.symlink_to(tree.root / "etc")


def link_file(tree):
    """Put a hard link to root's file in the place of the file."""
    (tree.conf / "a").unlink(missing_ok=True)
    os.link(tree.root / "etc/secret", tree.conf / "a")


def link_deeper(tree):
    """Put a link in the place of a folder as soon as it has been made."""
    deeper = tree.conf / "deep"
    if deeper.is_dir() and not deeper.is_symlink():
        deeper.rename(tree.conf / "away")
        deeper.symlink_to(tree.root / "etc")


def give_folder_of_root(tree):
    """Put a folder of root's, which lies beside it, in the place of one that has been made."""
    deeper, keys = tree.conf / "deep", tree.conf / "keys"
    if deeper.is_dir() and keys.is_dir():
        deeper.rename(tree.conf / "away")
        keys.rename(deeper)


def nothing(_):
    """Leave it so."""


def bring_back(tree):
    """Take the link away again, and put the folder back."""
    if tree.conf.is_symlink():
        tree.conf.unlink()
        tree.conf.with_name("away").rename(tree.conf)


def rendered(path, **keys):
    """A file as the renderer gives it."""
    return Rendered(spec=FileSpec(path=path, content="", **keys), content=b"new\n", secret=False)


JOBS = {
    "update": [rendered("/srv/app/conf/a", backup=True)],
    "create": [rendered("/srv/app/conf/new"), rendered("/srv/app/conf/deep/er/new")],
    "in place": [rendered("/srv/app/conf/a", in_place=True)],
    "in place, with a backup": [rendered("/srv/app/conf/a", in_place=True, backup=True)],
    "prune": [],
}


def run(tree, job):
    """Plan and commit; an error is an outcome like any other."""
    with suppress(BootstrapError):
        tree.commit(tree.plan(*JOBS[job], prune=job == "prune"))


@pytest.fixture
def adversary(monkeypatch):
    """A function that has `act` done before the n-th call to the file system, `undo` after it."""
    originals = {name: getattr(os, name) for name in CALLS}
    monkeypatch.setattr(os, "fsync", lambda _: None)  # nothing here is about power cuts

    def lie_in_wait(act, number, undo=lambda: None):
        calls = [0]

        def interposed(original):
            def call(*arguments, **keywords):
                calls[0] += 1
                if calls[0] != number:
                    return original(*arguments, **keywords)
                for name, one in originals.items():
                    setattr(os, name, one)
                act()
                try:
                    return original(*arguments, **keywords)
                finally:
                    undo()

            return call

        for name, original in originals.items():
            monkeypatch.setattr(os, name, interposed(original))
        return calls

    yield lie_in_wait
    monkeypatch.undo()


def prepared(root, job):
    """A tree in which a job has something to do."""
    tree = Tree(root)
    if job == "prune":
        first = tree.plan(rendered("/srv/app/conf/a"))
        tree.commit(first)
        tree.written = {record.path: record for record in first.written}
    return tree


SWAPS = [
    ("update", link_folder, nothing),
    ("update", link_folder, bring_back),
    ("update", link_file, nothing),
    ("create", link_folder, nothing),
    ("create", link_deeper, nothing),
    ("create", give_folder_of_root, nothing),
    ("in place", link_file, nothing),
    ("in place, with a backup", link_folder, nothing),
    ("in place, with a backup", link_folder, bring_back),
    ("in place, with a backup", link_file, nothing),
    ("prune", link_folder, nothing),
    ("prune", link_folder, bring_back),
    ("prune", link_file, nothing),
]


@pytest.mark.parametrize(("job", "act", "undo"), SWAPS)
def test_whenever_a_folder_is_swapped_nothing_is_touched_outside(
    tmp_path, adversary, job, act, undo
):
    """For every moment of a run: no file of root's is written, removed, given away or copied."""
    total = adversary(lambda: None, -1)
    run(prepared(tmp_path / "counted", job), job)
    moments = total[0]
    assert moments > 20
    for number in range(1, moments + 1):
        tree = prepared(tmp_path / f"{number}", job)
        before = tree.outside(), tree.keys()
        adversary(lambda tree=tree: act(tree), number, lambda tree=tree: undo(tree))
        run(tree, job)
        assert (tree.outside(), tree.keys()) == before, f"moment {number}"
        assert tree.leaks() == [], f"moment {number}"


@pytest.mark.parametrize("act", [link_folder, link_file])
@pytest.mark.parametrize("job", ["update", "create", "in place, with a backup", "prune"])
def test_whenever_it_is_swapped_in_a_recovery_nothing_is_touched_outside(
    tmp_path, adversary, job, act
):
    """The same for a run that died after its first rename, and the next run that undoes it."""

    def interrupted(name):
        tree = prepared(tmp_path / name, job)
        planned = tree.plan(*JOBS[job], prune=job == "prune")
        commit(planned, journal=Journal(paths.JOURNAL, str(tree.root)), timeout=5)
        return tree

    def recover(tree):
        with suppress(BootstrapError):
            recovery.recover(root=str(tree.root))

    tree = interrupted("counted")
    total = adversary(lambda: None, -1)
    recover(tree)
    for number in range(1, total[0] + 1):
        adversary(lambda: None, -1)
        tree = interrupted(f"{number}")
        before = tree.outside(), tree.keys()
        adversary(lambda tree=tree: act(tree), number)
        recover(tree)
        assert (tree.outside(), tree.keys()) == before, f"moment {number}"
        assert tree.leaks() == [], f"moment {number}"


def swap_for_ever(app, target, swaps):
    """Swap the folder for a link and back, as fast as can be; counts in the shared `swaps`."""
    os.chdir(app)
    for number in count():
        away = f"away-{number}"  # another one once the agent has made the folder anew meanwhile
        with suppress(OSError):
            while True:
                with suppress(FileNotFoundError):
                    os.rename("conf", away)
                os.symlink(target, "conf")
                swaps[:8] = (int.from_bytes(swaps[:8], "little") + 1).to_bytes(8, "little")
                os.unlink("conf")
                os.rename(away, "conf")


@contextmanager
def racing(app, target, *, user, group):
    """Let another user's process swap the folder; gives the shared count of its swaps."""
    swaps = mmap.mmap(-1, 8)
    if not (racer := os.fork()):
        try:
            os.setgroups([])
            os.setresgid(group, group, group)
            os.setresuid(user, user, user)
            swap_for_ever(app, target, swaps)
        finally:
            os._exit(1)
    try:
        yield swaps
    finally:
        os.kill(racer, signal.SIGKILL)
        os.waitpid(racer, 0)


@pytest.fixture
def open_folder():
    """A folder that other users can come to, as they cannot to those that pytest makes."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        yield Path(folder)


@pytest.mark.crash
@pytest.mark.parametrize(
    ("user", "group", "mode"), [(OWNER, OWNER, 0o755), (0, TEAM, 0o2775)], ids=["owner", "member"]
)
def test_a_minute_of_racing_gets_no_file_out(open_folder, user, group, mode):
    """Somebody who swaps the folder for a link as fast as he can moves no file to root's folder."""
    os.chmod(open_folder, 0o755)
    tree = Tree(open_folder / "root")
    app = tree.conf.parent
    for path in (app, tree.conf):
        os.chown(path, user, group)
        path.chmod(mode)
    before = tree.outside()
    ended = {True: 0, False: 0}
    with racing(app, tree.root / "etc", user=user or 4321, group=group) as swaps:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            for job in ("update", "create", "prune"):
                ended[tree.attempt(job)] += 1
            assert tree.outside() == before
        swapped = int.from_bytes(swaps[:8], "little")
    print(f"{swapped} swaps; {ended[True]} runs wrote, {ended[False]} were refused")
    assert swapped > 1000
    assert ended[True]
    assert tree.outside() == before
