from __future__ import annotations

import os
import stat
import struct

import pytest

from bootstrap.apply.attributes import ACL

USER, MASK = 0x02, 0x10
# Owner rw, user 1234 rw, group r, mask rw, others r: what `setfacl -m u:1234:rw` makes of 0644.
LIST = ((0x01, 6, -1), (USER, 6, 1234), (0x04, 4, -1), (MASK, 6, -1), (0x20, 4, -1))
WITH_LIST = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in LIST)


def entries(path):
    """The access control list of a file: permissions by tag."""
    raw = os.getxattr(path, ACL)
    return {tag: permissions for tag, permissions, _ in struct.iter_unpack("<HHI", raw[4:])}


def give(path, name, value):
    """Set an attribute; skip where the file system has none."""
    try:
        os.setxattr(path, name, value)
    except OSError as error:
        pytest.skip(f"no attributes here: {error}")


def test_attributes_go_to_the_new_file(machine, wanted):
    """What somebody has attached to a file stays attached when its content is replaced."""
    give(machine.put("/a", "old\n"), "user.note", b"mine")
    machine.apply(wanted("/a"))
    assert machine.path("/a").read_text() == "new\n"
    assert os.getxattr(machine.path("/a"), "user.note") == b"mine"


def test_access_list_goes_to_the_new_file_within_its_mode(machine, wanted):
    """The new file has the old one's list, of which nothing is wider than the mode asked for."""
    give(machine.put("/a", "old\n"), ACL, WITH_LIST)
    machine.apply(wanted("/a", mode=0o640))
    found = entries(machine.path("/a"))
    assert found == {0x01: 6, USER: 6, 0x04: 4, MASK: 4, 0x20: 0}
    assert stat.S_IMODE(machine.path("/a").stat().st_mode) == 0o640


def test_staged_file_is_closed_although_it_has_a_list(machine, wanted, monkeypatch):
    """The list alone opens the file to nobody before its owner and mode are final."""
    give(machine.put("/a", "old\n"), ACL, WITH_LIST)
    modes = []
    fchmod = os.fchmod

    def watch(descriptor, mode):
        modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        fchmod(descriptor, mode)

    planned = machine.plan(wanted("/a", mode=0o600))
    monkeypatch.setattr(os, "fchmod", watch)
    machine.begin(planned).close()
    assert set(modes) == {0}
