from __future__ import annotations

import os
import stat
import struct
import subprocess
import sys

import pytest

import bootstrap
from bootstrap.apply.plan import preflight
from bootstrap.errors import CommandFailed
from bootstrap.frozen import replace
from bootstrap.fs import xattr
from bootstrap.fs.selinux import Policy
from bootstrap.fs.xattr import ACL, CAPABILITY, SELINUX
from bootstrap.state.manifest import verify

USER, MASK = 0x02, 0x10
# Owner rw, user 1234 rw, group r, mask rw, others r: what `setfacl -m u:1234:rw` makes of 0644.
LIST = ((0x01, 6, -1), (USER, 6, 1234), (0x04, 4, -1), (MASK, 6, -1), (0x20, 4, -1))
WITH_LIST = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in LIST)


def entries(path):
    """The access control list of a file: permissions by tag."""
    raw = os.getxattr(path, ACL)
    return {tag: permissions for tag, permissions, _ in struct.iter_unpack("<HHI", raw[4:])}


def set_all(path, name, value):
    """Set an attribute; skip where the file system has none."""
    try:
        os.setxattr(path, name, value)
    except OSError as error:
        pytest.skip(f"no attributes here: {error}")


def test_attributes_go_to_the_new_file(machine, wanted):
    """What somebody has attached to a file stays attached when its content is replaced."""
    set_all(machine.put("/a", "old\n"), "user.note", b"mine")
    machine.apply(wanted("/a"))
    assert machine.path("/a").read_text() == "new\n"
    assert os.getxattr(machine.path("/a"), "user.note") == b"mine"


def test_access_list_goes_to_the_new_file_within_its_mode(machine, wanted):
    """The new file has the old one's list, of which nothing is wider than the mode asked for."""
    set_all(machine.put("/a", "old\n"), ACL, WITH_LIST)
    machine.apply(wanted("/a", mode=0o640))
    found = entries(machine.path("/a"))
    assert found == {0x01: 6, USER: 6, 0x04: 4, MASK: 4, 0x20: 0}
    assert stat.S_IMODE(machine.path("/a").stat().st_mode) == 0o640


def test_staged_file_is_closed_although_it_has_a_list(machine, wanted, monkeypatch):
    """The list alone opens the file to nobody before its owner and mode are final."""
    set_all(machine.put("/a", "old\n"), ACL, WITH_LIST)
    modes = []
    fchmod = os.fchmod

    def watch(descriptor, mode):
        modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        fchmod(descriptor, mode)

    planned = machine.plan(wanted("/a", mode=0o600))
    monkeypatch.setattr(os, "fchmod", watch)
    machine.begin(planned).close()
    assert set(modes) == {0}


def drift(machine):
    """What `verify` finds, by path."""
    found = verify(machine.written.values(), root=str(machine.root))
    return {one.path: one.reasons for one in found}


def worn(path):
    """Every attribute of a file, by name."""
    return {name: os.getxattr(path, name) for name in sorted(os.listxattr(path))}


LABEL = b"system_u:object_r:shop_etc_t:s0"
OTHER_LABEL = b"unconfined_u:object_r:user_home_t:s0"
CAPABLE = bytes.fromhex("0100000200200000000000000000000000000000")  # cap_sys_admin=ep
REPAIRED = {
    "the label": (SELINUX, OTHER_LABEL, f"label {OTHER_LABEL.decode()} → {LABEL.decode()}"),
    "a note": ("user.note", b"other", "attribute user.note"),
    "a list that is wider": (ACL, WITH_LIST, "access list"),
    "a privilege": (CAPABILITY, CAPABLE, "attribute security.capability"),
}


@pytest.fixture
def dressed(machine, wanted, as_root):
    """A file as the agent left it, with a label and a note, in a tree with another one."""
    path = machine.put("/a", "old\n")
    set_all(path, SELINUX, LABEL)
    set_all(path, "user.note", b"mine")
    machine.apply(wanted("/a", mode=0o640), wanted("/b", mode=0o644))
    assert worn(path) == {SELINUX: LABEL, "user.note": b"mine"}
    return path


@pytest.mark.parametrize("what", REPAIRED)
def test_drift_in_attributes_is_told_and_repaired(machine, wanted, dressed, what):
    """What differs from how the file was left is planned, repaired and gone; nobody hears of it."""
    name, value, reason = REPAIRED[what]
    before = worn(dressed)
    os.setxattr(dressed, name, value)
    dressed.chmod(0o640)
    assert drift(machine) == {"/a": (reason,)}
    files = wanted("/a", mode=0o640, notify=("app",)), wanted("/b")
    planned = machine.apply(*files, handlers=("app",))
    assert [(one.path, one.action, one.reasons) for one in planned.changes] == [
        ("/a", "attributes", (reason,))
    ]
    assert planned.handlers == ()
    assert worn(dressed) == before
    assert drift(machine) == {}
    assert machine.plan(*files, handlers=("app",)).changes == ()


def test_plain_file_that_was_given_more_is_repaired(machine, wanted, dressed):
    """A file that was left without anything is drift once somebody is let in, or may do more."""
    plain = machine.path("/b")
    os.setxattr(plain, CAPABILITY, CAPABLE)
    os.setxattr(plain, ACL, WITH_LIST)
    plain.chmod(0o644)
    assert drift(machine) == {"/b": ("attribute security.capability", "access list")}
    machine.apply(wanted("/a", mode=0o640), wanted("/b", mode=0o644))
    assert worn(plain) == {}


@pytest.mark.parametrize("name", [SELINUX, "user.note"])
def test_attribute_that_somebody_took_is_given_back(machine, wanted, dressed, name):
    """A label and a note that are gone are drift, and come back."""
    before = worn(dressed)
    os.removexattr(dressed, name)
    assert len(drift(machine)["/a"]) == 1
    machine.apply(wanted("/a", mode=0o640), wanted("/b"))
    assert worn(dressed) == before


def test_access_list_that_somebody_took_is_given_back(machine, wanted, as_root):
    """Who was let in by a list is let in again, and by no more than the mode."""
    path = machine.put("/a", "old\n")
    set_all(path, ACL, WITH_LIST)
    machine.apply(wanted("/a", mode=0o640))
    os.removexattr(path, ACL)
    path.chmod(0o640)
    assert drift(machine) == {"/a": ("access list",)}
    machine.apply(wanted("/a", mode=0o640))
    assert entries(path)[USER] == 6
    assert drift(machine) == {}


def test_mode_of_a_file_with_a_list_is_told_as_mode(machine, wanted, as_root):
    """A mode is a part of the list, and differs only once."""
    path = machine.put("/a", "old\n")
    set_all(path, ACL, WITH_LIST)
    machine.apply(wanted("/a", mode=0o660))
    path.chmod(0o600)
    assert drift(machine) == {"/a": ("mode",)}


@pytest.mark.parametrize(
    "name", ["user.xdg.origin", "trusted.overlay.x", "security.ima", "security.evm"]
)
def test_what_others_keep_there_is_nobodys_drift(machine, wanted, dressed, name):
    """A note that is added, the kernel's sums and a file system's own marks are left alone."""
    try:
        os.setxattr(dressed, name, bytes.fromhex("0401") + b"x" * 20)
    except OSError as error:
        pytest.skip(f"this kernel does not take {name}: {error}")
    assert drift(machine) == {}
    assert machine.plan(wanted("/a", mode=0o640), wanted("/b")).changes == ()
    assert name in os.listxattr(dressed)


def test_drift_in_attributes_is_repaired_with_the_content(machine, wanted, dressed):
    """A new content does not keep what somebody has done to the old one's label."""
    before = worn(dressed)
    os.setxattr(dressed, SELINUX, OTHER_LABEL)
    os.setxattr(dressed, CAPABILITY, CAPABLE)
    machine.apply(wanted("/a", "newer\n", mode=0o640), wanted("/b"))
    assert dressed.read_text() == "newer\n"
    assert worn(dressed) == before


def test_file_that_was_deleted_comes_back_with_its_attributes(machine, wanted, dressed):
    """A file that is made again is made as it was left."""
    before = worn(dressed)
    dressed.unlink()
    machine.apply(wanted("/a", mode=0o640), wanted("/b"))
    assert worn(dressed) == before


def test_list_that_a_folder_gives_to_new_files_is_no_drift(machine, wanted, as_root):
    """What the kernel gave to a new file belongs to how it was left."""
    folder = machine.path("/etc")
    folder.mkdir()
    set_all(folder, "system.posix_acl_default", WITH_LIST)
    machine.apply(wanted("/etc/a", mode=0o640))
    assert entries(machine.path("/etc/a"))[USER] == 6
    assert drift(machine) == {}
    assert machine.plan(wanted("/etc/a", mode=0o640)).changes == ()
    machine.apply(wanted("/etc/a", "newer\n", mode=0o640))
    assert entries(machine.path("/etc/a"))[USER] == 6


def test_undo_puts_the_attributes_back(machine, wanted, dressed):
    """A repair that is taken back leaves what was there, drift and all."""
    os.setxattr(dressed, "user.note", b"other")
    before = worn(dressed)
    transaction = machine.begin(machine.plan(wanted("/a", "newer\n"), wanted("/b")))
    assert worn(dressed) != before
    transaction.roll_back()
    transaction.close()
    assert worn(dressed) == before


def test_copy_in_the_place_of_a_hard_link_keeps_the_attributes(
    machine, wanted, dressed, monkeypatch
):
    """Where a file can have one name only, what comes back is dressed as it was."""

    def refuse(*arguments, **keywords):
        raise PermissionError(1, "Operation not permitted")

    before = worn(dressed)
    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(CommandFailed):
        machine.apply(wanted("/a", "newer\n", check=("false",)), wanted("/b"))
    assert worn(dressed) == before


def test_privilege_is_not_handed_on(machine, wanted, as_root):
    """A file that may more than its reader is not made again: a privilege is given by no agent."""
    path = machine.put("/a", "new\n")
    set_all(path, CAPABILITY, CAPABLE)
    machine.apply(wanted("/a", mode=0o644))
    assert drift(machine) == {}
    path.chmod(0o600)
    machine.apply(wanted("/a", mode=0o644))
    assert worn(path) == {}


def test_mark_of_a_file_system_is_not_handed_on(machine, wanted, as_root):
    """What a file system notes of one file would be a lie on another, and is not remembered."""
    path = machine.put("/a", "old\n")
    set_all(path, "trusted.overlay.x", b"1")
    machine.apply(wanted("/a"))
    assert worn(path) == {}
    assert machine.written["/a"].attributes == {}


def test_attributes_are_remembered_before_they_are_written(machine, wanted, dressed):
    """A run that dies after its commit has remembered how its files were dressed."""
    planned = machine.plan(wanted("/a", "newer\n"), wanted("/b"))
    assert [record.attributes for record in planned.written] == [
        {SELINUX: LABEL, "user.note": b"mine"},
        {},
    ]


@pytest.mark.parametrize("option", [{"in_place": True}, {"when": "once"}])
def test_attributes_of_some_files_are_nobodys_drift(machine, wanted, as_root, option):
    """What is mounted brings its own attributes, and a file written once is its owner's."""
    path = machine.put("/a", "old\n" if "in_place" in option else "new\n", 0o600)
    set_all(path, SELINUX, LABEL)
    machine.apply(wanted("/a", mode=0o600, **option))
    assert os.getxattr(path, SELINUX) == LABEL
    os.setxattr(path, SELINUX, OTHER_LABEL)
    assert drift(machine) == {}
    assert machine.plan(wanted("/a", mode=0o600, **option)).changes == ()


def test_record_that_knows_no_attributes_finds_no_drift(machine, wanted, dressed):
    """A state of an older version says nothing of attributes: they are learned, not judged."""
    machine.written = {
        path: replace(record, attributes=None) for path, record in machine.written.items()
    }
    os.setxattr(dressed, "user.note", b"other")
    assert drift(machine) == {}
    assert machine.apply(wanted("/a", mode=0o640), wanted("/b")).changes == ()
    assert machine.written["/a"].attributes == {SELINUX: LABEL, "user.note": b"other"}


def test_check_that_lets_somebody_in_is_refused(machine, wanted, dressed):
    """A check may no more widen the file that it checks by a list than by its mode."""
    script = f"import os, sys; os.setxattr(sys.argv[1], {ACL!r}, {WITH_LIST!r})"
    check = (sys.executable, "-c", f"{script}; os.chmod(sys.argv[1], 0o640)", "{path}")
    with pytest.raises(CommandFailed, match="changed the file that it checks"):
        machine.apply(wanted("/a", "newer\n", mode=0o640, check=check), wanted("/b"))


def test_name_of_an_attribute_cannot_move_the_cursor(machine, wanted, dressed):
    """An attribute is named by whoever owns the file, and its name is shown to root."""
    machine.written["/a"].attributes["user.\x1b[2J"] = b"x"
    assert drift(machine) == {"/a": ("attribute 'user.\\x1b[2J'",)}


@pytest.fixture
def policy(tmp_path):
    """The machine's policy, as libselinux reads it."""
    contexts = tmp_path / "file_contexts"
    contexts.write_text(
        f"/.*\tsystem_u:object_r:default_t:s0\n"
        f"/etc/shop/(a|b|shop\\.toml)\t--\t{LABEL.decode()}\n"
        f"/none\t<<none>>\n"
    )
    found = Policy(enabled=str(contexts), contexts=str(contexts))
    if not found.label("/etc/x"):
        pytest.skip("there is no libselinux here")
    return found


def test_policy_is_asked_for_the_final_path(policy):
    """The label is the one that restorecon would give, and none where the policy says none."""
    assert policy.label("/etc/shop/shop.toml").rstrip(b"\0") == LABEL
    assert policy.label("/etc/shops").rstrip(b"\0") == b"system_u:object_r:default_t:s0"
    assert policy.label("/none") == b""


def test_policy_is_asked_only_where_it_is_in_force(policy, tmp_path):
    """A machine without SELinux, and a tree that is no running machine, have no policy."""
    assert Policy(enabled=str(tmp_path / "nothing")).label("/etc/shop/x") == b""
    assert Policy(str(tmp_path), enabled=str(tmp_path)).label("/etc/shop/x") == b""


def test_label_is_what_the_policy_says(machine, wanted, as_root, policy, monkeypatch):
    """New files and old ones get the policy's label before they have their name, and keep it."""
    monkeypatch.setattr(preflight, "Policy", lambda root: policy)
    path = machine.put("/etc/shop/a", "old\n")
    set_all(path, SELINUX, OTHER_LABEL)
    files = wanted("/etc/shop/a"), wanted("/etc/shop/b")
    machine.apply(*files)
    for name in "ab":
        assert worn(machine.path(f"/etc/shop/{name}")) == {SELINUX: LABEL + b"\0"}
    assert machine.plan(*files).changes == ()
    os.setxattr(path, SELINUX, OTHER_LABEL)
    assert drift(machine) == {"/etc/shop/a": (f"label {OTHER_LABEL.decode()} → {LABEL.decode()}",)}


def test_policy_has_no_say_over_what_is_mounted(machine, wanted, as_root, policy, monkeypatch):
    """A file that is written over keeps the label that it came with."""
    monkeypatch.setattr(preflight, "Policy", lambda root: policy)
    path = machine.put("/etc/shop/a", "new\n", 0o600)
    set_all(path, SELINUX, OTHER_LABEL)
    assert machine.plan(wanted("/etc/shop/a", mode=0o600, in_place=True)).changes == ()


def test_new_policy_is_followed_and_is_no_drift_afterwards(
    machine, wanted, dressed, policy, monkeypatch
):
    """A file that was relabelled to what the policy now says is as it shall be."""
    monkeypatch.setattr(policy, "label", lambda path: OTHER_LABEL + b"\0")
    monkeypatch.setattr(preflight, "Policy", lambda root: policy)
    os.setxattr(dressed, SELINUX, OTHER_LABEL)
    os.setxattr(machine.path("/b"), SELINUX, OTHER_LABEL)
    assert drift(machine)["/a"]
    assert machine.apply(wanted("/a", mode=0o640), wanted("/b")).changes == ()
    assert drift(machine) == {}


LOOK = """
import sys
from hashlib import sha256
from bootstrap.state.manifest import Written, verify
path = sys.argv[1]
record = Written(path=path, sha256=sha256(b"").hexdigest(), mode=0o644,
                 uid=int(sys.argv[2]), gid=int(sys.argv[3]), attributes={})
print(verify([record]), *(name for name in sys.modules if "attributes" in name or "ctypes" in name))
"""


def test_file_without_attributes_costs_one_look(tmp_path):
    """An unchanged boot loads nothing to find that nobody has attached anything to its files."""
    path = tmp_path / "a"
    path.touch(0o644)
    path.chmod(0o644)
    status = path.stat()
    command = [sys.executable, "-c", LOOK, path, f"{status.st_uid}", f"{status.st_gid}"]
    found_in = os.path.dirname(os.path.dirname(bootstrap.__file__))
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={"PYTHONPATH": found_in}
    )
    assert done.stdout == "()\n"


def test_system_without_attributes_does_without(machine, wanted, monkeypatch):
    """Where the system knows none, files are written, repaired and verified all the same."""
    monkeypatch.setattr(xattr, "ARE_KNOWN", False)
    for name in ("listxattr", "getxattr", "setxattr", "removexattr"):
        monkeypatch.delattr(os, name)
    machine.apply(wanted("/a"))
    machine.put("/a", "other\n")
    assert drift(machine)["/a"][0] == "content"
    machine.apply(wanted("/a"))
    assert drift(machine) == {}
