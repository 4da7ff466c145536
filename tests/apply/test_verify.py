from __future__ import annotations

import os

import pytest

from bootstrap.state.manifest import verify


def drift(machine):
    found = verify(machine.written.values(), root=str(machine.root))
    return {one.path: one.reasons for one in found}


def test_files_as_they_were_left(machine, wanted):
    """Right after a commit nothing has drifted."""
    machine.put("/data/real", "")
    machine.path("/link").symlink_to("/data/real")
    machine.apply(wanted("/a", mode=0o600), wanted("/link", symlink="follow"))
    assert drift(machine) == {}


def test_each_difference_has_a_name(machine, wanted, as_root):
    """Content, mode, owner and group are told apart, and a file can differ in all of them."""
    machine.apply(*(wanted(f"/{name}") for name in "abcde"))
    machine.put("/a", "other\n")
    machine.path("/b").chmod(0o640)
    os.chown(machine.path("/c"), 1234, 77)
    machine.path("/d").unlink()
    assert drift(machine) == {
        "/a": ("content",),
        "/b": ("mode",),
        "/c": ("owner", "group"),
        "/d": ("missing",),
    }


@pytest.mark.parametrize("thing", ["link", "folder", "pipe"])
def test_something_else_in_its_place(machine, wanted, thing):
    """A link, a folder or a pipe where the file was is drift, and is not read."""
    machine.apply(wanted("/a"))
    path = machine.path("/a")
    path.unlink()
    make = {"link": lambda: path.symlink_to("/b"), "folder": path.mkdir}
    make.get(thing, lambda: os.mkfifo(path))()
    assert drift(machine) == {"/a": ("not a regular file",)}


def test_once_is_only_missed(machine, wanted):
    """What happens to a file written once is its owner's business, unless it is gone."""
    machine.apply(wanted("/a", when="once"))
    machine.put("/a", "mine\n", 0o777)
    assert drift(machine) == {}
    machine.path("/a").unlink()
    assert drift(machine) == {"/a": ("missing",)}


def test_unreadable_folder_is_drift_and_no_crash(machine, wanted):
    """Links that go in circles where a folder was are told, not raised."""
    machine.apply(wanted("/etc/a"))
    machine.path("/etc/a").unlink()
    machine.path("/etc").rmdir()
    machine.path("/etc").symlink_to("/etc")
    assert drift(machine) == {"/etc/a": ("Too many levels of symbolic links",)}


def test_drift_is_repaired(machine, wanted):
    """A run after drift makes the file what it was."""
    machine.apply(wanted("/a", mode=0o600))
    machine.put("/a", "other\n", 0o666)
    machine.apply(wanted("/a", mode=0o600))
    assert drift(machine) == {}
    assert machine.path("/a").read_text() == "new\n"
