from __future__ import annotations

import os

import pytest

from bootstrap.errors import UnsafeDestination

pytestmark = pytest.mark.usefixtures("as_root")
STRANGER = 1234


@pytest.mark.parametrize(
    ("owner", "mode", "who"),
    [
        ((STRANGER, 0), 0o755, "its owner 1234"),
        ((STRANGER, 0), 0o1777, "its owner 1234"),
        ((0, 0), 0o777, "everybody"),
        ((0, STRANGER), 0o775, "the group 1234"),
    ],
)
def test_folder_of_a_stranger_is_refused(machine, wanted, owner, mode, who):
    """A file is not written where somebody else could put a link; the error says who."""
    folder = machine.path("/srv/app")
    (folder / "conf").mkdir(parents=True)
    os.chown(folder, *owner)
    folder.chmod(mode)
    before = machine.tree()
    with pytest.raises(UnsafeDestination) as caught:
        machine.apply(wanted("/etc/a"), wanted("/srv/app/conf/b"))
    assert caught.value.problems[0].message == f"{who} can write to its folder /srv/app"
    assert machine.tree() == before


@pytest.mark.parametrize(("group", "mode"), [(STRANGER, 0o755), (0, 0o775), (0, 0o1777)])
def test_folder_that_no_stranger_can_rearrange_is_fine(machine, wanted, group, mode):
    """Groups that may not write, root's own group and sticky folders do no harm."""
    folder = machine.path("/srv/app")
    folder.mkdir(parents=True)
    os.chown(folder, 0, group)
    folder.chmod(mode)
    machine.apply(wanted("/srv/app/b"))
    assert (folder / "b").read_text() == "new\n"


def test_owner_of_the_file_is_no_stranger(machine, wanted):
    """Whom the document gives the file may own its folder; whom an old file belongs to may not."""
    folder = machine.path("/home/shop")
    folder.mkdir(parents=True)
    os.chown(folder, STRANGER, STRANGER)
    machine.apply(wanted("/home/shop/a", owner="1234"))
    assert (folder / "a").stat().st_uid == STRANGER
    with pytest.raises(UnsafeDestination):
        machine.apply(wanted("/home/shop/a", "other\n"))


def test_link_in_a_folder_of_a_stranger_is_not_followed(machine, wanted):
    """A stranger's link to a folder of root's does not make the way to it safe."""
    machine.path("/etc").mkdir()
    folder = machine.path("/srv/app")
    folder.mkdir(parents=True)
    (folder / "conf").symlink_to("/etc")
    os.chown(folder, STRANGER, 0)
    with pytest.raises(UnsafeDestination):
        machine.apply(wanted("/srv/app/conf/passwd"))
    assert os.listdir(machine.path("/etc")) == []
