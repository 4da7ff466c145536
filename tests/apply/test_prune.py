from __future__ import annotations

import os


def test_file_that_is_no_longer_wanted_goes(machine, wanted):
    """With `prune`, a file that this agent wrote and nobody wants any more is removed."""
    machine.apply(wanted("/etc/a"), wanted("/etc/b"))
    planned = machine.apply(wanted("/etc/a"), prune=True)
    assert [(change.action, change.path) for change in planned.changes] == [("remove", "/etc/b")]
    assert sorted(path.name for path in machine.path("/etc").iterdir()) == ["a"]
    assert list(machine.written) == ["/etc/a"]


def test_nothing_goes_without_prune(machine, wanted):
    """Without `prune` nothing is ever removed."""
    machine.apply(wanted("/etc/a"), wanted("/etc/b"))
    assert machine.apply(wanted("/etc/a")).changes == ()
    assert machine.path("/etc/b").exists()


def test_file_changed_by_hand_stays(machine, wanted):
    """A file that somebody changed since is kept, and a note says so."""
    machine.apply(wanted("/etc/b"))
    machine.put("/etc/b", "by hand\n")
    planned = machine.apply(prune=True)
    assert planned.changes == ()
    assert planned.notes == ("kept /etc/b: it was changed after this agent wrote it",)


def test_file_that_was_there_already_stays(machine, wanted):
    """A file that was as wanted before this agent came is not this agent's to remove."""
    machine.put("/etc/b", "new\n")
    machine.apply(wanted("/etc/b"))
    planned = machine.apply(prune=True)
    assert (planned.changes, planned.notes) == ((), ())
    assert machine.path("/etc/b").exists()


def test_file_stays_ours_while_it_is_unchanged(machine, wanted):
    """A file written by the first run can still be removed after runs that left it alone."""
    for _ in range(3):
        machine.apply(wanted("/etc/b"))
    assert [change.action for change in machine.apply(prune=True).changes] == ["remove"]


def test_file_wanted_under_another_path_stays(machine, wanted):
    """A file that is wanted by another of its paths is not removed by its old one."""
    machine.path("/data").mkdir()
    machine.path("/etc").symlink_to("/data")
    machine.apply(wanted("/etc/b"))
    assert machine.apply(wanted("/data/b"), prune=True).changes == ()
    assert machine.path("/data/b").exists()


def test_file_that_is_gone_is_not_missed(machine, wanted):
    """A file that somebody removed already needs no removal; nor does one behind a file."""
    machine.apply(wanted("/etc/b"), wanted("/srv/x/c"))
    machine.path("/etc/b").unlink()
    machine.path("/srv/x/c").unlink()
    machine.path("/srv/x").rmdir()
    machine.put("/srv/x", "a file")
    planned = machine.apply(prune=True)
    assert (planned.changes, planned.notes) == ((), ())


def test_removed_secret_is_marked(machine, wanted):
    """The plan to remove a file that held a secret says that its content must not be shown."""
    machine.apply(wanted("/etc/b", "hunter2", secret=True))
    (change,) = machine.plan(prune=True).changes
    assert change.secret


def test_the_change_says_what_goes_and_why(machine, wanted):
    """The plan shows the content that goes, as it does for any change."""
    machine.apply(wanted("/etc/b", "content\n", mode=0o640))
    planned = machine.plan(prune=True)
    (change,) = planned.changes
    assert (change.action, change.path, change.after) == ("remove", "/etc/b", None)
    assert change.reasons == ("no longer in the configuration",)
    assert change.before.content == b"content\n"
    assert change.before.access.mode == 0o640
    assert not change.secret
    assert planned.notes == ()


def test_a_file_that_cannot_be_looked_at_is_kept(machine, wanted, monkeypatch):
    """A note says why in the system's words; the others go."""
    machine.apply(wanted("/etc/a"), wanted("/etc/b"), wanted("/etc/c"))
    errors = {"a": OSError(5, "Input/output error"), "b": OSError("strange")}
    real = os.lstat

    def refuse(name, **arguments):
        if name in errors:
            raise errors[name]
        return real(name, **arguments)

    monkeypatch.setattr(os, "lstat", refuse)
    planned = machine.plan(prune=True)
    assert [change.path for change in planned.changes] == ["/etc/c"]
    assert planned.notes == ("kept /etc/a: Input/output error", "kept /etc/b: strange")


def test_a_file_whose_content_cannot_be_read_is_kept(machine, wanted, monkeypatch):
    """It may be somebody else's by now."""
    machine.apply(wanted("/etc/a"))

    def refuse(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "read", refuse)
    planned = machine.plan(prune=True)
    assert (planned.changes, planned.notes) == ((), ("kept /etc/a: Input/output error",))


def test_a_link_that_came_later_is_not_followed(machine, wanted):
    """A file that was none of a link's is not what a link in its place leads to."""
    machine.apply(wanted("/b"))
    machine.put("/data/b", "new\n")
    machine.path("/b").unlink()
    machine.path("/b").symlink_to("/data/b")
    planned = machine.plan(prune=True)
    assert planned.changes == ()
    assert planned.notes == ("kept /b: it was changed after this agent wrote it",)


def test_the_file_behind_a_link_goes(machine, wanted):
    """What was written through a link is what is removed."""
    machine.path("/data").mkdir()
    machine.path("/a").symlink_to("/data/a")
    machine.apply(wanted("/a", symlink="follow"))
    assert machine.path("/data/a").exists()
    machine.apply(prune=True)
    assert os.listdir(machine.path("/data")) == []
    assert machine.path("/a").is_symlink()
