from __future__ import annotations


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
    assert planned.notes == ("kept /etc/b: somebody changed it since it was written",)


def test_file_that_was_there_already_stays(machine, wanted):
    """A file that was as wanted before this agent came is not this agent's to remove."""
    machine.put("/etc/b", "new\n")
    machine.apply(wanted("/etc/b"))
    assert machine.apply(prune=True).changes == ()
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
