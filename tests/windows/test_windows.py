"""The program on Windows, as far as Wine is one: packaging/windows/README.md tells what is left.

Wine keeps no access lists, has no links and no scheduled tasks; what is tested is the program's
own Windows code on a genuine Windows Python, its transaction, its processes and its wire.
"""

import json
import os
import shutil
import time

import pytest
import wine
from wine import CONFIGURATION, SHOP, follow

DOCUMENT = r"""
values: {port: 80, name: shop}
files:
  - path: C:\Shop\shop.ini
    content: "[shop]\nport={{ values.port }}\n"
    newline: crlf
    notify: [shop]
  - path: C:/Shop/etc/name.txt
    content: "{{ values.name }}\n"
    acl: ["Users:R"]
handlers:
  shop: [cmd, /c, echo reloaded>> C:\Shop\log.txt]
"""


def test_first_run_unchanged_run_and_changed_tag(windows):
    """The machine is configured, then left alone, then one tag changes one file and its handler."""
    windows.image(DOCUMENT)
    windows.imds()
    ended = windows.agent("run")
    assert "configured: 2 files changed, 0 unchanged, notified shop" in ended.out
    assert windows.read(rf"{SHOP}\shop.ini") == b"[shop]\r\nport=80\r\n"
    assert windows.read(rf"{SHOP}\etc\name.txt") == b"shop\n"
    assert windows.read(rf"{SHOP}\log.txt") == b"reloaded\r\n"
    assert windows.names(SHOP) == ["etc", "log.txt", "shop.ini"]

    before = windows.path(rf"{SHOP}\shop.ini").stat().st_mtime_ns
    assert "unchanged: 0 files changed, 2 unchanged" in windows.agent("run").out
    assert windows.path(rf"{SHOP}\shop.ini").stat().st_mtime_ns == before
    assert windows.agent("verify").out == "verify: 2 files as written\r\n"

    windows.imds(**{"config:port": "8080"})
    shown = windows.agent("plan", "--diff").out
    assert "update      C:\\Shop\\shop.ini  content" in shown
    assert "-port=80" in shown
    assert "1 file changed, 1 unchanged, notified shop" in windows.agent("run").out
    assert windows.read(rf"{SHOP}\shop.ini") == b"[shop]\r\nport=8080\r\n"
    assert windows.read(rf"{SHOP}\log.txt") == b"reloaded\r\n" * 2


def test_a_bad_document_changes_nothing(windows):
    """All mistakes are told with their places, and no file is written."""
    windows.image(DOCUMENT)
    text = (
        "#imds-bootstrap\nversion: 1\nfiles:\n"
        "  - {path: 'C:\\Shop\\x.ini', template: none.j2, mode: '0600'}\n"
        "  - {path: 'C:\\Shop\\con', template: none.j2}\n"
        "  - {path: 'c:/programdata/IMDS-bootstrap/config.d/x.yaml', template: none.j2}\n"
    )
    windows.imds(user_data=text)
    told = windows.agent("run", expect=65).err
    assert "userData:4:" in told
    assert "cannot have `mode`: Windows has none" in told
    assert "userData may not place a file here" in told
    assert "userData:5:" in told
    assert "this agent's own folders are no place for a file" in told
    assert windows.read(rf"{SHOP}\shop.ini") is None
    assert windows.status()["result"] == "failed"


def test_a_path_of_another_system_is_refused(windows):
    """A document for Linux says so on Windows, and places no file in some folder called etc."""
    windows.image("files: [{path: /etc/shop.conf, content: x}]")
    windows.imds()
    told = windows.agent("run", expect=73).err
    assert "it has no drive, and this machine runs Windows" in told
    assert windows.read(r"C:\etc\shop.conf") is None


def test_a_file_that_a_program_holds_open_rolls_all_of_it_back(windows):
    """A sharing violation is told as what it is; the files are all as they were."""
    windows.image(DOCUMENT)
    windows.imds()
    windows.agent("run")
    holder = windows.start("hold_open.py", rf"{SHOP}\etc\name.txt")
    try:
        windows.imds(**{"config:port": "8080", "config:name": "new"})
        told = windows.agent("run", expect=73).err
    finally:
        holder.kill()
        follow(holder, 20)
    assert "replacing" in told
    assert "close the program that has it open" in told
    assert windows.read(rf"{SHOP}\shop.ini") == b"[shop]\r\nport=80\r\n"
    assert windows.read(rf"{SHOP}\etc\name.txt") == b"shop\n"

    told = windows.agent("run")
    assert "2 files changed" in told.out
    assert "an interrupted run was undone" in told.err  # what was held could not be cleared away
    assert windows.names(SHOP) == ["etc", "log.txt", "shop.ini"]
    assert windows.names(rf"{SHOP}\etc") == ["name.txt"]


def test_a_handler_that_hangs_is_ended_with_all_that_it_started(windows):
    """No time is lost to it, nothing of it is left, and the old files are back."""
    windows.image(
        r"""
files: [{path: C:\Shop\a.txt, content: "new\n", notify: [hang]}]
handlers:
  hang: [cmd, /c, "ping -n 60 127.0.0.1 & echo late > C:\\Shop\\late.txt"]
"""
    )
    windows.put(rf"{SHOP}\a.txt", "old\n")
    windows.imds()
    began = time.monotonic()
    told = windows.agent("--set", "commands.timeout=2", "run", expect=1).err
    assert time.monotonic() - began < 40
    assert "did not end within 2 s" in told
    assert windows.read(rf"{SHOP}\a.txt") == b"old\n"
    left = windows.wine.run("tasklist", environ=windows.environ)
    assert "ping" not in left.out.lower()


def test_status_belongs_to_the_boot(windows):
    """Readers see how the run of this boot ended, and nothing of the boot before."""
    windows.image(DOCUMENT)
    windows.imds()
    windows.agent("run")
    assert windows.agent("status", "--wait").out.startswith("status: configured")
    windows.wine.restart()
    assert windows.agent("status", expect=3).out.startswith("status:")
    windows.agent("run")
    assert windows.agent("status").out.startswith("status: unchanged")


def test_one_run_at_a_time(windows):
    """A second run waits for the first, and says whom it waits for; a lock dies with its holder."""
    windows.image(DOCUMENT)
    windows.imds()
    holder = windows.start("hold_lock.py")
    try:
        told = windows.agent("--set", "deadline=3", "run", expect=75).err
    finally:
        holder.kill()
        follow(holder, 20)
    assert "another run (process " in told
    windows.agent("run")


def test_clean_then_another_machine(windows):
    """A captured image knows nothing of the machine that it was made from."""
    windows.image(DOCUMENT)
    windows.imds()
    windows.agent("run")
    windows.agent("clean")
    assert windows.names(rf"{CONFIGURATION}\state") == []
    assert "not been configured" in windows.agent("verify", expect=66).err
    other = {"compute": {"vmId": "11111111-2222-4333-8444-555555555555", "tagsList": []}}
    windows.put(r"C:\Shop\instance.json", json.dumps(other))
    assert "2 unchanged" in windows.agent("run", "--offline", r"C:\Shop\instance.json").out
    assert windows.status()["vm_id"].startswith("11111111")


def test_the_platforms_own_address(windows):
    """Where no setting says where IMDS is it is asked at the address that Azure gives it."""
    windows.image(DOCUMENT)
    windows.imds(host="169.254.169.254:80")
    del windows.environ["IMDS_BOOTSTRAP_IMDS_ENDPOINT"]
    assert "configured" in windows.agent("--set", "imds.detect=false", "run").out


OLD = {"shop.ini": b"old\n", "name.txt": None}
NEW = {"shop.ini": b"[shop]\r\nport=80\r\n", "name.txt": b"shop\n"}
OFFLINE = rf"{SHOP}\instance.json"


def test_killed_anywhere_the_next_run_puts_it_in_order(windows):
    """Ended by force before any step, a run leaves all of the new files or none, after the next."""
    windows.image(DOCUMENT)
    told = _prepared(windows).script("kill_at.py", "0", "run", "--offline", OFFLINE).out
    steps = told.rpartition("steps ")[2].split()
    kept = steps.index("link")  # the old file has a second name; then come the journal's second
    # line, both names, and the third
    assert steps[kept : kept + 6] == ["link", "fsync", "move", "link", "unlink", "fsync"]
    last = len(steps) - 1
    for step in (0, kept - 7, kept - 5, *range(kept - 2, kept + 7), *range(last - 6, last - 2)):
        at = step + 1
        _prepared(windows).script("kill_at.py", f"{at}", "run", "--offline", OFFLINE, expect=137)
        verdict = windows.script("settle.py").out.strip()
        standing = {
            "shop.ini": windows.read(rf"{SHOP}\shop.ini"),
            "name.txt": windows.read(rf"{SHOP}\etc\name.txt"),
        }
        assert standing in (OLD, NEW), (at, verdict, standing)
        assert (verdict == "finished") <= (standing == NEW), at
        assert not [name for name in windows.names(SHOP) if "imds-bootstrap" in name], at
        assert not windows.path(rf"{CONFIGURATION}\state\journal.json").exists(), at
    windows.agent("run", "--offline", OFFLINE)
    assert windows.read(rf"{SHOP}\shop.ini") == NEW["shop.ini"]


def _prepared(windows):
    """The machine as it is before its first run, with one of the files there already."""
    shutil.rmtree(windows.path(SHOP), ignore_errors=True)
    for name in ("state", "status"):
        shutil.rmtree(windows.path(rf"{CONFIGURATION}\{name}"), ignore_errors=True)
    said = {"compute": {"vmId": windows.vm_id, "tagsList": [], "userData": ""}}
    windows.put(OFFLINE, json.dumps(said))
    windows.put(rf"{SHOP}\shop.ini", "old\n")
    return windows


def test_wine_is_not_started_beside_a_wineserver_outside(windows, monkeypatch):
    """Whatever runs outside of the namespace could carry traffic out of it, so nothing is begun."""
    assert wine.servers()
    ours = os.getpid()  # a process outside
    for found in ([*wine.servers(), ours], [ours], []):
        monkeypatch.setattr(wine, "servers", lambda found=found: found)
        with pytest.raises(wine.OutsideError):
            windows.wine.start("cmd", "/c", "ver")


def test_a_root_takes_the_place_of_the_system_drive(windows):
    """An image that is mounted somewhere is configured there, and nowhere else."""
    root = rf"{SHOP}\image"
    windows.put(
        rf"{root}\ProgramData\imds-bootstrap\config.d\10-shop.yaml", f"version: 1\n{DOCUMENT}"
    )
    windows.imds()
    windows.agent("--root", root, "run")
    assert windows.read(rf"{root}\Shop\shop.ini") == b"[shop]\r\nport=80\r\n"
    assert windows.read(rf"{SHOP}\shop.ini") is None
    assert "2 files as written" in windows.agent("--root", root, "verify").out


def test_units(windows):
    """What only Windows can be asked: paths, access lists, firmware tables, handlers' words."""
    told = windows.script("inside.py", expect=0)
    assert told.out.splitlines()[-1].startswith("all ")
