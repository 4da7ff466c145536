from __future__ import annotations

import os
import socket

import pytest

from bootstrap.errors import UnsafeDestination, WriteError


def test_plan_changes_nothing(machine, wanted):
    """Planning leaves every file as it was, and makes no folder."""
    machine.put("/etc/a", "old\n")
    before = machine.tree()
    planned = machine.plan(wanted("/etc/a"), wanted("/srv/deep/b"))
    assert [change.action for change in planned.changes] == ["update", "create"]
    assert machine.tree() == before


def test_plan_after_commit_is_empty(machine, wanted):
    """What was committed needs no further change."""
    files = wanted("/etc/a", mode=0o640), wanted("/srv/b")
    machine.apply(*files)
    planned = machine.plan(*files)
    assert planned.changes == ()
    assert planned.unchanged == ("/etc/a", "/srv/b")
    assert list(planned.written) == list(machine.written.values())


def test_reasons_say_what_differs(machine, wanted, as_root):
    """Each respect in which a file differs is a reason, in words."""
    machine.put("/etc/passwd", "root:x:0:0::/:/bin/sh\nshop:x:1234:1234::/:/bin/sh\n")
    machine.put("/etc/group", "root:x:0:\nweb:x:77:\n")
    machine.put("/etc/a", "old\n", 0o644)
    machine.put("/etc/b", "new\n", 0o600)
    planned = machine.plan(
        wanted("/etc/a", mode=0o640, owner="shop", group="web"),
        wanted("/etc/b"),
        wanted("/srv/x/c"),
    )
    assert [change.reasons for change in planned.changes] == [
        ("content", "mode 0644 → 0640", "owner root → shop", "group root → web"),
        ("mode 0600 → 0644",),
        ("new", "folder /srv", "folder /srv/x"),
    ]
    assert [change.action for change in planned.changes] == ["update", "attributes", "create"]
    assert planned.changes[0].after.access.uid == 1234


def test_names_come_from_the_tree_below_root(machine, wanted):
    """An owner is looked up in the tree's own passwd, not in the running system's."""
    machine.put("/etc/passwd", "shopd:x:4321:4321::/:/bin/sh\nbroken line\n")
    with pytest.raises(WriteError) as caught:
        machine.plan(wanted("/a", owner="root"))
    assert "there is no user 'root'" in caught.value.message
    assert machine.plan(wanted("/a", owner="shopd")).changes[0].after.access.uid == 4321


def test_owner_may_be_a_number(machine, wanted):
    """Digits stand for themselves, as far as ids go."""
    access = machine.plan(wanted("/a", owner="65000", group="7")).changes[0].after.access
    assert (access.uid, access.gid) == (65000, 7)
    with pytest.raises(WriteError):
        machine.plan(wanted("/a", owner="4294967295"))
    with pytest.raises(WriteError):
        machine.plan(wanted("/a", owner="9" * 5000))


def test_all_problems_are_told_together(machine, wanted):
    """Every problem of every file is in the one error, with the place that asked for the file."""
    machine.put("/etc/passwd", "shop:x:1:1::/:\n")
    machine.put("/etc/group", "shop:x:1:\n")
    machine.path("/folder").mkdir()
    machine.path("/link").symlink_to("/etc")
    machine.put("/file", "x")
    with pytest.raises(WriteError) as caught:
        machine.plan(
            wanted("/a", owner="shopp", group="nobody-at-all", origin="userData:4:5"),
            wanted("/folder"),
            wanted("/link"),
            wanted("/file/b"),
            wanted("/c", notify=("shopd",)),
            handlers={"shop"},
        )
    problems = [(problem.path, problem.message) for problem in caught.value.problems]
    assert problems == [
        ("/a", "there is no user 'shopp'"),
        ("/a", "there is no group 'nobody-at-all'"),
        ("/folder", "a folder is in the way"),
        ("/link", "it is a symbolic link to /etc"),
        ("/file/b", "/file is not a folder"),
        ("/c", "there is no handler 'shopd'"),
    ]
    assert caught.value.problems[0].hint == "did you mean shop?"
    assert caught.value.problems[0].where == "userData:4:5"


def test_pipe_and_socket_are_refused(machine, wanted):
    """A pipe or a socket is neither read, which would hang, nor replaced."""
    os.mkfifo(machine.path("/pipe"))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(machine.path("/sock")))
        with pytest.raises(UnsafeDestination) as caught:
            machine.plan(wanted("/pipe"), wanted("/sock"))
    assert [problem.path for problem in caught.value.problems] == ["/pipe", "/sock"]


def test_two_files_with_one_place_are_refused(machine, wanted):
    """Two paths that lead to the same file are an error, even through links."""
    machine.path("/data").mkdir()
    machine.path("/etc").symlink_to("/data")
    with pytest.raises(WriteError, match="same file as /etc/a"):
        machine.plan(wanted("/etc/a"), wanted("/data/a"))


def test_a_file_of_windows_is_refused(machine, wanted):
    """A document for Windows names no file here, not even one with a strange name."""
    with pytest.raises(WriteError, match="a path of Windows, and this machine runs none"):
        machine.plan(wanted("C:\\Shop\\shop.ini"))


def test_file_below_a_file_is_refused(machine, wanted):
    """One file cannot be another's folder."""
    with pytest.raises(WriteError, match="not a folder"):
        machine.plan(wanted("/etc/a/b"), wanted("/etc/a"))


def test_once_leaves_an_existing_file_alone(machine, wanted):
    """`when: once` writes a file that is missing, and never touches one that is there."""
    file = wanted("/etc/seed", "first\n", when="once")
    machine.apply(file)
    machine.put("/etc/seed", "edited\n")
    assert machine.plan(wanted("/etc/seed", "second\n", when="once")).changes == ()
    machine.path("/etc/seed").unlink()
    assert [change.action for change in machine.plan(file).changes] == ["create"]


def test_handlers_are_due_once_in_order_of_first_mention(machine, wanted):
    """Handlers come in the order in which the files mention them first, and only for contents."""
    machine.put("/same", "new\n")
    machine.put("/mode", "new\n", 0o600)
    planned = machine.plan(
        wanted("/same", notify=("z", "idle")),
        wanted("/mode", notify=("attributes",)),
        wanted("/one", notify=("b", "z")),
        wanted("/two", notify=("a", "b")),
        handlers=["z", "idle", "attributes", "b", "a"],
    )
    assert planned.handlers == ("z", "b", "a")


def test_pending_handlers_stay_due(machine, wanted):
    """A handler that was due before is due now, unless it no longer exists."""
    machine.put("/same", "new\n")
    planned = machine.plan(
        wanted("/same", notify=("reload",)),
        handlers=["reload", "other"],
        pending=["gone", "other", "reload"],
    )
    assert planned.changes == ()
    assert planned.handlers == ("reload", "other")


def test_contents_are_not_in_the_representation(machine, wanted):
    """A plan that ends up in a traceback shows no content."""
    machine.put("/a", "hunter1")
    planned = machine.plan(wanted("/a", "hunter2", secret=True))
    assert "hunter" not in repr(planned.changes[0].before)
    assert "hunter" not in repr(planned)
    assert planned.changes[0].secret


def test_what_held_a_secret_is_marked_until_it_is_replaced(machine, wanted):
    """The difference from an old file with a secret to a new one without must not be shown."""
    machine.apply(wanted("/a", "hunter2", secret=True))
    assert machine.plan(wanted("/a", "plain")).changes[0].secret
    machine.apply(wanted("/a", "plain"))
    assert not machine.plan(wanted("/a", "plainer")).changes[0].secret


@pytest.mark.parametrize("path", ["/link", "/folder/journal.json"])
def test_no_link_leads_into_the_agents_own_folders(machine, wanted, path):
    """What the agent remembers is not written over by way of a link."""
    machine.path("/link").symlink_to("/var/lib/imds-bootstrap/journal.json")
    machine.path("/folder").symlink_to("/var/lib/imds-bootstrap")
    with pytest.raises(UnsafeDestination, match="keeps its own files"):
        machine.plan(wanted(path, symlink="follow"))
