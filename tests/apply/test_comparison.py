"""One wanted file against what stands there: refused, changed, recorded."""

from __future__ import annotations

import hashlib
import os

import pytest

from bootstrap.apply.plan import compare
from bootstrap.errors import WriteError

IN_PLACE = "say `in_place: true`, and the content is written over, for it cannot be replaced"


@pytest.mark.parametrize("fields", [{}, {"content": "old\n", "mode": 0o600}])
def test_a_mount_point_is_refused_by_the_plan(machine, wanted, mounted, fields):
    """What cannot be replaced is told before anything is done, with the way out."""
    path = machine.put("/etc/hosts", "old\n")
    with mounted("--bind", path, path):
        with pytest.raises(WriteError) as caught:
            machine.plan(wanted("/etc/hosts", origin="a.yaml:3:5", **fields))
        assert caught.value.message == "/etc/hosts: it is a mount point"
        (problem,) = caught.value.problems
        assert (problem.message, problem.path) == ("it is a mount point", "/etc/hosts")
        assert (problem.where, problem.hint) == ("a.yaml:3:5", IN_PLACE)
        (change,) = machine.plan(wanted("/etc/hosts", in_place=True, **fields)).changes
        assert change.in_place
        assert machine.plan(wanted("/etc/hosts", "old\n")).changes == ()


def test_a_file_that_could_not_be_put_back_is_not_written_over(machine, wanted, monkeypatch):
    """Its old content has to fit into memory; one that is replaced keeps its own file."""
    monkeypatch.setattr(compare, "MAX_CONTENT", 10)
    machine.put("/a", "x" * 11)
    with pytest.raises(WriteError) as caught:
        machine.plan(wanted("/a", in_place=True, origin="a.yaml:3:5"))
    message = "it is too long to be written over: it could not be put back"
    (problem,) = caught.value.problems
    assert caught.value.message == f"/a: {message}"
    assert (problem.message, problem.path, problem.where) == (message, "/a", "a.yaml:3:5")
    assert problem.hint == ""
    (change,) = machine.plan(wanted("/a")).changes
    assert change.before.content is None
    machine.put("/a", "x" * 10)
    (change,) = machine.plan(wanted("/a", in_place=True)).changes
    assert change.before.content == b"x" * 10


def test_a_long_file_is_compared_with_a_long_content(machine, wanted, monkeypatch):
    """As much is read as is wanted, and no more than it takes to see that they differ."""
    monkeypatch.setattr(compare, "MAX_CONTENT", 10)
    machine.put("/a", "x" * 20)
    assert machine.plan(wanted("/a", "x" * 20)).changes == ()
    (change,) = machine.plan(wanted("/a", "x" * 19)).changes
    assert (change.action, change.before.content) == ("update", None)


def change_of(machine, *arguments, **fields):
    (change,) = machine.plan(*arguments, **fields).changes
    return change


def test_what_a_change_is(machine, wanted):
    """Its kind, why, and what was there, as the plan shows and the commit needs it."""
    machine.put("/old", "old\n", 0o600)
    machine.put("/same", "new\n", 0o600)
    machine.path("/link").symlink_to("old")
    options = {
        "backup": True,
        "check": ("true",),
        "origin": "a.yaml:1:1",
        "check_origin": "a.yaml:2:1",
    }
    new = change_of(machine, wanted("/srv/new", in_place=True, **options))
    old = change_of(machine, wanted("/old", in_place=True, **options))
    same = change_of(machine, wanted("/same", in_place=True, **options))
    link = change_of(machine, wanted("/link", symlink="replace", in_place=True, **options))
    assert [one.action for one in (new, old, same, link)] == [
        "create",
        "update",
        "attributes",
        "update",
    ]
    # A file that is not there cannot be written over, and a link is to be replaced.
    assert [one.in_place for one in (new, old, same, link)] == [False, True, True, False]
    # A new mode alone needs no copy of the content.
    assert [one.backup for one in (new, old, same, link)] == [True, True, False, True]
    assert [one.reasons for one in (new, old, same, link)] == [
        ("new", "folder /srv"),
        ("content", "mode 0600 → 0644"),
        ("mode 0600 → 0644",),
        ("replaces a link to old",),
    ]
    assert new.before is None
    assert (old.before.content, old.before.access.mode) == (b"old\n", 0o600)
    assert (link.before.content, link.before.link) == (b"", "old")
    assert link.before.access.mode == 0o777
    for one in (new, old, same, link):
        assert (one.after.content, one.after.access.mode) == (b"new\n", 0o644)
        assert (one.check, one.origin, one.check_origin) == (
            ("true",),
            "a.yaml:1:1",
            "a.yaml:2:1",
        )
        assert not one.secret
        assert not one.untrusted
        assert one.place.relative == one.path.lstrip("/")
    for one in (old, same, link):
        status = machine.path(one.path).lstat()
        assert one.before.stamp[:3] == (status.st_ino, status.st_mtime_ns, status.st_mode)


def test_what_is_recorded(machine, wanted):
    """What the state needs to verify the file, to prune it and to judge the next change."""
    options = {"mode": 0o640, "when": "once", "symlink": "follow"}
    planned = machine.plan(wanted("/a", secret=True, **options), wanted("/b", in_place=True))
    a, b = planned.written
    assert (a.path, a.sha256) == ("/a", hashlib.sha256(b"new\n").hexdigest())
    assert (a.mode, a.uid, a.gid) == (0o640, os.geteuid(), os.getegid())
    assert (a.ours, a.once, a.follow, a.secret, a.in_place) == (True, True, True, True, False)
    assert (b.ours, b.once, b.follow, b.secret, b.in_place) == (True, False, False, False, True)
    assert (a.attributes, b.attributes) == (None, None)


def test_what_was_there_as_wanted_is_recorded_as_found(machine, wanted):
    """It becomes ours when we change its content, and stays ours from then on."""
    machine.put("/a", "new\n", 0o600)
    (found,) = machine.plan(wanted("/a", mode=0o600)).written
    assert (found.ours, found.attributes is None) == (False, False)
    (dressed,) = machine.plan(wanted("/a", mode=0o644)).written
    assert (dressed.ours, dressed.mode) == (False, 0o644)
    (ours,) = machine.plan(wanted("/a", "newer\n")).written
    assert ours.ours
    machine.apply(wanted("/a", "newer\n"))
    (ours,) = machine.plan(wanted("/a", "newer\n")).written
    assert ours.ours


def test_a_file_that_is_written_once_is_recorded_as_found(machine, wanted):
    """One that was there is not ours; one that we wrote stays so, and what it was then."""
    seed = wanted("/a", when="once")
    machine.put("/a", "somebody's\n", 0o600)
    (found,) = machine.plan(seed).written
    assert (found.ours, found.once, found.mode) == (False, True, 0o600)
    machine.path("/a").unlink()
    machine.apply(wanted("/a"))
    (ours,) = machine.plan(wanted("/a", "newer\n", when="once")).written
    assert (ours.ours, ours.once) == (True, True)
    assert ours.sha256 == hashlib.sha256(b"new\n").hexdigest()


def test_an_old_secret_is_marked_until_it_is_gone(machine, wanted):
    """A file that held one is shown by no plan that replaces it."""
    machine.apply(wanted("/a", "hunter2", secret=True))
    assert change_of(machine, wanted("/a", "plain")).secret
    assert change_of(machine, wanted("/a", "other", secret=True)).secret
    machine.put("/b", "plain\n")
    assert not change_of(machine, wanted("/b", "other")).secret


def test_a_file_written_over_keeps_its_attributes(machine, wanted):
    """Only a new file in its place has to be given them."""
    path = machine.put("/a", "old\n")
    try:
        os.setxattr(path, "user.mark", b"x")
    except OSError:
        pytest.skip("this file system has no such attributes")
    over = change_of(machine, wanted("/a", in_place=True))
    assert (over.before.attributes, over.after.attributes) == ({}, {})
    replaced = change_of(machine, wanted("/a"))
    assert replaced.before.attributes == replaced.after.attributes
    assert replaced.after.attributes["user.mark"] == b"x"


@pytest.mark.usefixtures("as_root")
def test_a_folder_of_others_is_marked(machine, wanted):
    """What is done there is done with that in mind; an ordinary folder is not."""
    folder = machine.path("/srv/app")
    folder.mkdir(parents=True)
    os.chown(folder, 1234, 0)
    assert change_of(machine, wanted("/srv/app/a")).untrusted
    assert not change_of(machine, wanted("/srv/a")).untrusted


def test_where_no_such_folder_is_ordinary_it_is_refused(machine, wanted, monkeypatch, as_root):
    """A system without descriptors of folders writes nothing where others could interfere."""
    folder = machine.path("/srv/app")
    folder.mkdir(parents=True)
    os.chown(folder, 1234, 0)
    monkeypatch.setattr(compare, "IS_ORDINARY", False)
    with pytest.raises(WriteError) as caught:
        machine.plan(wanted("/srv/app/a", origin="a.yaml:3:5"))
    (problem,) = caught.value.problems
    assert problem.message == "its owner 1234 can write to its folder /srv/app"
    assert (problem.path, problem.where) == ("/srv/app/a", "a.yaml:3:5")
    assert problem.hint == "make it a folder, or write below a folder that only root can write to"
