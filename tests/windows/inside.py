"""What only Windows can be asked, one promise in each function; prints what was kept."""

import struct
import sys
import traceback

from bootstrap.apply.plan import _unsafe_path_windows as unsafe_path
from bootstrap.config.model import FileSpec
from bootstrap.errors import WriteError
from bootstrap.fs import _accounts_windows as accounts
from bootstrap.fs import path, read, write
from bootstrap.fs import security_windows as security
from bootstrap.fs import sids_windows as sids
from bootstrap.identity import arc_files_windows as arc_files
from bootstrap.platform import smbios_windows as smbios
from bootstrap.platform.firmware import AZURE_ASSET_TAG, read_firmware
from bootstrap.process import runner
from bootstrap.report import event_log_windows as event_log

VM_ID = "6f1c7e52-9a40-4b7e-8f0a-5a1b2c3d4e5f"


def refused(act):
    """What the system says as it refuses something."""
    try:
        act()
    except OSError as error:
        return error.strerror
    return ""


def structure(kind, fields, *strings):
    """One structure of the firmware's tables: its header, its fields, its strings."""
    body = struct.pack("<BBH", kind, 4 + len(fields), 0) + fields
    return body + b"".join(one.encode() + b"\0" for one in strings or [""]) + b"\0"


def the_firmware_says_that_this_is_azure_and_which_machine():
    number = bytes.fromhex("527e1c6f409a7e4b8f0a5a1b2c3d4e5f")
    system = structure(1, b"\1\2\3\4" + number + b"\6\0\0", "Microsoft", "VM", "1", "none")
    chassis = structure(3, b"\1\3\2\0\4", "Microsoft", "1", "Desktop", AZURE_ASSET_TAG)
    end = structure(127, b"")
    smbios._raw = lambda: bytes(8) + structure(0, bytes(20)) + system + chassis + end
    found = read_firmware()
    assert (found.vm_id, found.is_azure) == (VM_ID, True), (found.vm_id, found.asset_tag)


def tables_that_break_off_say_nothing():
    whole = structure(3, b"\1\3\2\0\1", AZURE_ASSET_TAG)
    for length in range(len(whole)):
        smbios._raw = lambda cut=length: bytes(8) + whole[:cut]
        assert smbios.tables("")[1] is None
    smbios._raw = lambda: b""
    assert read_firmware().asset_tag is None


def drives_and_capitals_name_the_same_place():
    one, other = path.resolve(r"C:\Shop\a.ini"), path.resolve("c:/shop/A.INI")
    assert one.key == other.key
    assert one.path == r"C:\Shop\a.ini"
    assert one.stated == "C:/Shop/a.ini"
    assert path.resolve("/Shop/a.ini").key == one.key
    assert [above.path for above in one.parents()] == [r"C:\Shop"]
    assert one.way() == ("C:\\", r"C:\Shop")
    assert one.sibling("b").path == r"C:\Shop\b"
    assert path.resolve(r"C:\a\..\..\b\.\c").path == r"C:\b\c"


def another_drive_is_a_place_of_its_own():
    one = path.resolve(r"z:\data\shop\a.ini")
    assert one.path == r"Z:\data\shop\a.ini"
    assert one.folders == ("Z:", "data", "shop")
    assert [above.path for above in one.parents()] == [r"Z:\data", r"Z:\data\shop"]
    assert one.way() == ("Z:\\", r"Z:\data", r"Z:\data\shop")
    assert path.Place("C:\\", one.relative).path == one.path
    assert path.resolve(r"Z:\..\..\etc").path == r"Z:\etc"
    assert "another drive" in refused(lambda: path.resolve(r"Z:\data\a", r"C:\image"))


def a_root_takes_the_place_of_the_system_drive():
    assert path.resolve(r"C:\Shop\a.ini", r"C:\image").path == r"C:\image\Shop\a.ini"


def only_paths_with_a_drive_are_windows():
    assert path.is_absolute(r"C:\a")
    assert not any(map(path.is_absolute, ("/a", "a", "C:a", r"\a", r"\\server\share\a")))


def accounts_have_their_known_numbers():
    assert sids.sid_of("SYSTEM") == sids.SYSTEM
    assert sids.sid_of("BUILTIN\\Administrators") == sids.ADMINISTRATORS
    assert sids.sid_of("Users") == sids.USERS
    assert sids.sid_of("S-1-5-80-1-2-3") == "S-1-5-80-1-2-3"
    assert sids.sid_of("nobody is called so") is None
    assert sids.name_of(sids.USERS) == "BUILTIN\\Users"
    assert sids.name_of("S-1-5-80-1-2-3") == "S-1-5-80-1-2-3"
    assert sids.own_sid().startswith("S-1-")


def a_list_always_has_system_and_administrators():
    made = accounts._list([(sids.USERS, "R"), (sids.USERS, "M")])
    assert made == (
        "P(A;;0x1301bf;;;S-1-5-32-545)(A;;0x1f01ff;;;S-1-5-18)(A;;0x1f01ff;;;S-1-5-32-544)"
    ), made
    assert accounts._list([(sids.SYSTEM, "R")]) == security.PRIVATE


def every_list_of_ours_is_one_that_the_system_reads():
    for acl in (security.PRIVATE, security.PUBLIC, accounts._list([(sids.USERS, "RX")])):
        for folder in (False, True):
            with security.descriptor(sids.ADMINISTRATORS, acl, folder=folder) as made:
                assert made
                listed = [one.text for one in security.entries_of(made)]
                assert "P" + "".join(sorted(listed)) == acl


def accesses_differ_in_what_can_be_told():
    access = read.Access(sids.SYSTEM, security.PRIVATE)
    assert access == read.Access(None, None)
    assert access.differences(read.Access(sids.USERS, security.PUBLIC)) == ("acl", "owner")
    record = type("Record", (), access.fields())
    assert read.access_of(record) == access
    assert read.Access(sids.SYSTEM, security.PUBLIC).drift(record) == ("acl",)
    handed_on = type("Record", (), read.Access(sids.SYSTEM, "").fields())
    assert read.Access(sids.SYSTEM, security.PUBLIC).drift(handed_on) == ()


def a_command_ends_as_it_did():
    assert runner.run(["cmd", "/c", "exit 3"], timeout=20).failure == "ended with status 3"
    said = runner.run(["cmd", "/c", "echo hello"], timeout=20)
    assert (said.failure, said.output) == ("", "hello")
    assert runner.run(["no-such-program"], timeout=20).failure.startswith("could not be started")
    assert runner.reason_of(0xC0000005) == "ended with status 0xC0000005"
    assert runner.exists("cmd")
    assert not runner.exists("no-such-program")


def what_the_system_says_of_a_file_can_be_read():
    security.KEEPS_LISTS = True
    owner, found = security.entries(r"C:\windows")
    assert owner.startswith("S-1-5-21-")
    assert sids.SYSTEM in [one.sid for one in found]
    assert security.read(r"C:\windows") == (owner, "".join(sorted(one.text for one in found)))
    assert refused(lambda: security.read(r"C:\nothing is here"))


def a_file_system_that_keeps_no_lists_gets_no_secrets():
    security.KEEPS_LISTS = True  # as Wine would look if it said that it did
    file = path.resolve(r"C:\Shop\secret.txt")
    write.make_folder(file.parents()[0])
    assert "does not keep" in refused(lambda: write.write(file, b"x", read.own_access(0o600)))
    assert read.lstat(file) is None


def folders_that_strangers_can_replace_are_told():
    told = {}
    security.entries = lambda _: (told["owner"], [told["entry"]])
    trusted = {sids.SYSTEM, sids.ADMINISTRATORS}

    def stranger(owner, mask, kind=security.ALLOWED, flags=0):
        told.update(owner=owner, entry=security.Entry(kind, flags, mask, sids.USERS))
        return unsafe_path._stranger("", trusted)

    assert stranger(sids.SYSTEM, security.RIGHTS["F"]) == sids.USERS
    assert stranger(sids.SYSTEM, security.RIGHTS["M"]) == sids.USERS
    assert stranger(sids.SYSTEM, 0x40) == sids.USERS  # may remove what is in it
    assert stranger(sids.SYSTEM, 0x6) == ""  # may add to it, as everybody may to ProgramData
    assert stranger(sids.SYSTEM, security.RIGHTS["RX"]) == ""
    assert stranger(sids.SYSTEM, security.RIGHTS["F"], kind=security.DENIED) == ""
    assert stranger(sids.SYSTEM, security.RIGHTS["F"], flags=security.INHERIT_ONLY) == ""
    assert stranger(sids.USERS, 0) == sids.USERS


def a_secret_is_the_systems_and_the_administrators_alone():
    of = accounts.Accounts("C:\\")
    plain = FileSpec(path=r"C:\a", content="")
    assert of.access(plain, 0o600, None).acl == security.PRIVATE
    assert of.access(plain, 0o644, None).acl == ""
    found = type("Found", (), {"kind": "file", "access": read.Access(sids.USERS, "P(kept)")})
    assert of.access(plain, 0o644, found) == read.Access(sids.USERS, "P(kept)")
    assert of.access(plain, 0o600, found).acl == security.PRIVATE
    said = FileSpec(path=r"C:\a", content="", acl=("Users:RX",), owner="SYSTEM")
    assert of.access(said, 0o600, found) == read.Access(sids.SYSTEM, security.PUBLIC)
    wrong = FileSpec(path=r"C:\a", content="", acl=("Usres:R", "none at all:F"))
    try:
        of.access(wrong, 0o600, None)
    except WriteError as error:
        told = [one.message for one in error.problems]
    assert told == ["there is no account 'Usres'", "there is no account 'none at all'"]


def events_are_told_where_nobody_is_logged_on():
    assert event_log._source()
    event_log.is_unattended = lambda: True
    for priority in range(8):
        event_log.record(priority, "a line" * 10_000)


def arcs_keys_lie_in_one_folder():
    assert arc_files.split(arc_files.TOKENS.upper() + r"\a.key") == (arc_files.TOKENS, "a.key")
    for trick in (r"\a.key:b", r"\..\a.key", r"\sub\a.key", r"\A~1.key"):
        assert arc_files.split(arc_files.TOKENS + trick)[0] != arc_files.TOKENS


PROMISES = [one for name, one in list(globals().items()) if name.count("_") > 2 and callable(one)]
KEEPS_LISTS, ENTRIES = security.KEEPS_LISTS, security.entries
for promise in PROMISES:
    security.KEEPS_LISTS, security.entries = KEEPS_LISTS, ENTRIES
    try:
        promise()
    except Exception as error:  # noqa: BLE001
        place_of = traceback.extract_tb(error.__traceback__)[-1]
        print("broken:", promise.__name__, repr(error), place_of.lineno, place_of.line, flush=True)
        sys.exit(1)
    print("kept:", promise.__name__.replace("_", " "))
print(f"all {len(PROMISES)} kept")
