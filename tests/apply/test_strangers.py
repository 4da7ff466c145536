"""Folders that others can write to: an ordinary place for files, and no way beyond."""

from __future__ import annotations

import errno
import os
import struct

import pytest

from bootstrap.apply.plan.unsafe_links import unsafe_links
from bootstrap.document import parse
from bootstrap.errors import UnsafeDestination, WriteError

pytestmark = pytest.mark.usefixtures("as_root")
STRANGER = 1234
WRITABLE = [
    ((STRANGER, 0), 0o755, "its owner 1234"),
    ((STRANGER, 0), 0o555, "its owner 1234"),  # who could give himself the right
    ((STRANGER, 0), 0o1777, "its owner 1234"),
    ((0, 0), 0o777, "everybody"),
    ((0, 0), 0o1777, "everybody"),
    ((0, STRANGER), 0o775, "the group 1234"),
    ((0, STRANGER), 0o2770, "the group 1234"),
]


@pytest.fixture
def app(machine):
    """The folder of an application, and a folder of root's beside it."""
    machine.path("/etc").mkdir()
    folder = machine.path("/srv/app")
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("writable", WRITABLE)
@pytest.mark.parametrize("depth", ["", "/deeper"])
def test_a_link_below_it_is_not_followed(machine, wanted, app, writable, depth):
    """Nothing is written where a link leads that others could have made; the error says who."""
    owner, mode, who = writable
    (app / "deeper").mkdir()
    (app / f".{depth}/conf").symlink_to("/etc")
    os.chown(app, *owner)
    app.chmod(mode)
    before = machine.tree()
    with pytest.raises(UnsafeDestination) as caught:
        machine.apply(wanted("/etc/a"), wanted(f"/srv/app{depth}/conf/b", owner="1234"))
    message = f"/srv/app{depth}/conf is a link, and {who} can write to its folder /srv/app"
    assert [problem.message for problem in caught.value.problems] == [message]
    assert machine.tree() == before


@pytest.mark.parametrize(("owner", "mode"), [writable[:2] for writable in WRITABLE])
def test_it_is_an_ordinary_place(machine, wanted, app, owner, mode):
    """Files are written there on the first run and on the second, whoever they are given to."""
    os.chown(app, *owner)
    app.chmod(mode)
    files = [wanted("/srv/app/a"), wanted("/srv/app/made/b", owner="1234", backup=True)]
    machine.apply(*files)
    assert machine.plan(*files).changes == ()
    machine.apply(wanted("/srv/app/a", "x\n"), wanted("/srv/app/made/b", "x\n", owner="1234"))
    assert (app / "made/b").read_text() == "x\n"
    assert (app / "made/b").stat().st_uid == STRANGER
    assert (app / "made").stat().st_uid == owner[0]


@pytest.mark.parametrize("symlink", ["refuse", "follow"])
def test_a_link_in_the_files_own_place_is_not_followed(machine, wanted, app, symlink):
    """`symlink: follow` follows links that root has made, and no others."""
    machine.put("/etc/passwd", "root\n")
    (app / "conf").symlink_to("/etc/passwd")
    os.chown(app, STRANGER, 0)
    with pytest.raises(UnsafeDestination, match="/srv/app/conf"):
        machine.apply(wanted("/srv/app/conf", symlink=symlink))
    assert machine.path("/etc/passwd").read_text() == "root\n"
    machine.apply(wanted("/srv/app/conf", symlink="replace"))
    assert (app / "conf").read_text() == "new\n"
    assert machine.path("/etc/passwd").read_text() == "root\n"


def test_links_of_root_are_followed(machine, wanted, app):
    """Where only root can write, a link means what it says: /var/run is /run."""
    machine.path("/run").mkdir()
    machine.path("/var").mkdir()
    machine.path("/var/run").symlink_to("/run")
    (app / "current").symlink_to("releases/1")
    machine.apply(wanted("/var/run/a"), wanted("/srv/app/current/b", symlink="follow"))
    assert machine.path("/run/a").read_text() == "new\n"
    assert (app / "releases/1/b").read_text() == "new\n"


def test_a_link_itself_gives_nobody_a_right(machine, wanted):
    """Every link has the mode 0777, and says nothing of who can write to what it leads to."""
    machine.path("/run").mkdir()
    machine.path("/var").mkdir()
    machine.path("/var/run").symlink_to("../run")
    assert machine.path("/var/run").lstat().st_mode & 0o777 == 0o777
    file = wanted("/var/run/shop/a", backup=True)
    (change,) = machine.apply(file).changes
    assert not change.untrusted
    assert change.place.relative == "run/shop/a"
    assert machine.plan(file).changes == ()
    machine.apply(wanted("/var/run/shop/a", "newer\n", backup=True))
    assert machine.path("/run/shop/a.imds-bootstrap.bak").read_text() == "new\n"
    machine.apply(prune=True)
    assert not machine.path("/run/shop/a").exists()
    machine.path("/run").chmod(0o777)
    machine.path("/run/shop/conf").symlink_to("/etc")
    with pytest.raises(UnsafeDestination) as caught:
        machine.plan(wanted("/var/run/shop/conf/a"))
    (problem,) = caught.value.problems
    who = "everybody can write to its folder /run"
    assert problem.message == f"/run/shop/conf is a link, and {who}"


def test_a_link_of_root_into_it_leads_there_and_no_further(machine, wanted, app):
    """Root's link to an application's folder is followed; what is in that folder is not."""
    machine.path("/opt").mkdir()
    machine.path("/opt/shop").symlink_to("/srv/app")
    (app / "conf").symlink_to("/etc")
    os.chown(app, STRANGER, 0)
    machine.apply(wanted("/opt/shop/a"))
    assert (app / "a").read_text() == "new\n"
    with pytest.raises(UnsafeDestination):
        machine.apply(wanted("/opt/shop/conf/a"))


TAGS = {"u": 0x01, "user": 0x02, "g": 0x04, "group": 0x08, "mask": 0x10, "o": 0x20}  # posix_acl.h


def give_list(path, kind, *named):
    """Give a file an access list: the mode 0775 and these entries; skipped where there are none."""
    entries = [("u", 7, -1), ("g", 5, -1), ("mask", 7, -1), ("o", 5, -1), *named]
    wanted = {tag: (tag, rights, number) for tag, rights, number in entries}.values()
    packed = [
        struct.pack("<HHI", TAGS[tag], rights, number & 0xFFFFFFFF)
        for tag, rights, number in sorted(wanted, key=lambda entry: TAGS[entry[0]])
    ]
    try:
        os.setxattr(path, f"system.posix_acl_{kind}", struct.pack("<I", 2) + b"".join(packed))
    except OSError as error:
        if error.errno == errno.EOPNOTSUPP:
            pytest.skip("this file system has no access lists")
        raise


@pytest.mark.parametrize(
    ("entries", "who"),
    [
        ([("user", 7, 1234)], "the user 1234"),
        ([("group", 7, 1234)], "the group 1234"),
        ([("user", 7, 1234), ("mask", 5, -1)], ""),
        ([("user", 5, 1234)], ""),
        ([("user", 7, 0)], ""),
    ],
)
def test_an_access_list_counts(machine, wanted, app, entries, who):
    """A right to write that a list gives is a right to write, as far as its mask lets it."""
    give_list(app, "access", *entries)
    (app / "conf").symlink_to("/etc")
    if who:
        with pytest.raises(UnsafeDestination, match="/srv/app/conf") as caught:
            machine.apply(wanted("/srv/app/conf/b"))
        assert f"{who} can write" in caught.value.problems[0].message
    else:
        machine.apply(wanted("/srv/app/conf/b"))


def test_prune_removes_nothing_beyond_a_link(machine, wanted, app):
    """A file that is no longer wanted is kept, and said, where its folder has become a link."""
    (app / "conf").mkdir()
    os.chown(app, STRANGER, 0)
    machine.apply(wanted("/srv/app/conf/a"))
    machine.put("/etc/a", "new\n")
    (app / "conf").rename(app / "away")
    (app / "conf").symlink_to("/etc")
    planned = machine.plan(prune=True)
    assert planned.changes == ()
    (note,) = planned.notes
    assert note.startswith("kept /srv/app/conf/a: /srv/app/conf is a link, and its owner 1234 can")


@pytest.mark.parametrize("folder", ["trusted", "untrusted"])
def test_nothing_is_written_in_place_through_a_second_name(machine, wanted, app, folder):
    """A hard link to somebody else's file is not written over."""
    secret = machine.put("/etc/secret", "root's\n", 0o600)
    os.link(secret, app / "a")
    if folder == "untrusted":
        os.chown(app, STRANGER, 0)
    with pytest.raises((UnsafeDestination, WriteError), match="/srv/app/a"):
        machine.apply(wanted("/srv/app/a", in_place=True))
    assert secret.read_text() == "root's\n"
    machine.apply(wanted("/srv/app/a"))  # by a rename the other name keeps its file
    assert secret.read_text() == "root's\n"


def test_no_access_list_is_handed_on_there(machine, wanted, app):
    """What others have put there, and their folders' defaults, open no file that we write."""
    os.chown(app, STRANGER, 0)
    target = app / "a"
    target.write_text("old\n")
    give_list(target, "access", ("user", 7, 1234))
    give_list(app, "default", ("user", 7, 1234))
    machine.apply(wanted("/srv/app/a", mode=0o640), wanted("/srv/app/b", mode=0o640))
    for name in ("a", "b"):
        assert "system.posix_acl_access" not in os.listxattr(app / name)
        assert (app / name).stat().st_mode & 0o777 == 0o640


def test_validate_tells_of_such_links_beforehand(machine, app):
    """On the machine, a document of the image is warned of before a run refuses its file."""
    (app / "conf").symlink_to("/etc")
    os.chown(app, STRANGER, 0)
    text = """\
version: 1
files: [{path: /srv/app/conf/a, content: x}, {path: /srv/app/b, content: x}]
environments: {prod: {files: [{path: /srv/app/conf/c, content: x}]}}
"""
    found = list(unsafe_links(parse(text, "a.yaml"), str(machine.root)))
    assert [one.where for one in found] == ["a.yaml:2:16", "a.yaml:3:38"]
    assert all("is a link, and its owner 1234" in one.message for one in found)
