"""The power goes in the middle of a run, on a real kernel and a journalled disk.

One machine loses its power at one instant after the other. Each time it is asked for a new
generation of its five files and held where the power is to go, by an audit hook or its own handler;
QEMU is killed; the disk is examined; and the machine is booted again, which has to settle it.
"""

import json
from dataclasses import dataclass

import pytest
import shop
import trees
from disks import Examined, make_layer
from guests import Guest
from network import Network

pytestmark = pytest.mark.boot

# Where a run is held, in the words of parts/stop_here.py, and how many files are new by then.
INSTANTS = {
    "staging": ("open .3.imds-bootstrap-*.conf", 0),  # two files are staged, the third is begun
    "prepared": ("os.rename 1.conf", 0),  # the journal says what will be; no name has changed
    "renaming": ("os.rename 4.conf flushed", 3),
    "handling": ("handler -", 5),
    "recording": ("os.rename state.json", 5),  # committed, and the state is still the old one
}
UNDONE = ("staging", "prepared", "renaming", "handling")  # the others need no file any more
CUTS = ("configured", *INSTANTS)  # the first comes right after the first boot's success

BROKEN = "#imds-bootstrap\nversion: 1\nfiles:\n  - path: /etc/shop/1.conf\n    mode: 0644\n"


@dataclass(kw_only=True)
class Cut:
    """The disk as a power cut left it, and the boot that followed."""

    asked: int  # the generation
    files: dict  # the text of everything in the application's folder, by name
    kept: list  # the names in the folder where the agent keeps its state
    check: str  # what fsck says
    boot: dict | None = None


@dataclass(kw_only=True)
class Life:
    """What happened to the machine."""

    first: dict
    cuts: dict
    last: dict
    off: Cut


@pytest.fixture(scope="module")
def life(kernel, shop_disk, tmp_path_factory):
    folder = tmp_path_factory.mktemp("power")
    layer = make_layer(shop_disk, folder / "state.qcow2")
    described = {"vmId": shop.VM_ID, "tags": shop.tags(1), "rate": 0}
    cuts, before, first = {}, None, None
    with Network(folder, described) as network:
        for generation, name in enumerate(CUTS, start=1):
            with boot(name, kernel, layer, network, folder) as guest:
                told = settle(guest)
                if before is None:
                    first = told
                else:
                    cuts[before].boot = told
                    network.describe(tags=shop.tags(generation))
                    hold(guest, INSTANTS[name][0])
                guest.cut()
            cuts[name], before = examine(layer, generation), name
        with boot("last", kernel, layer, network, folder) as guest:
            cuts[before].boot = settle(guest)
            network.describe(userData=BROKEN)
            last = fail(guest)
            guest.power_off()
    return Life(first=first, cuts=cuts, last=last, off=examine(layer, generation))


def boot(name, *machine):
    return Guest(f"cut: {name}", *machine, uuid=shop.GENERATION_1_UUID)


def settle(guest):
    """What there is to know once systemd says that the unit has started."""
    guest.told("systemctl start imds-bootstrap.service")
    status = json.loads(guest.told("cat /run/imds-bootstrap/status.json"))
    guest.note(status["result"])
    return {
        "status": status,
        "verify": guest.ask("imds-bootstrap verify"),
        "names": guest.told(f"ls -A {shop.FOLDER}").split(),
        "sums": set(guest.told(f"cd {shop.FOLDER} && sha256sum * | cut -c 1-64").split()),
        "kept": guest.told("ls /var/lib/imds-bootstrap").split(),
        "heard": guest.told("tail -n 1 /var/lib/shop/heard"),
    }


def hold(guest, instant):
    """Have the unit run again, and wait until the run stands still at the instant."""
    guest.told(f"echo '{instant}' > {shop.STOP_AT}; mkfifo {shop.STOPPED}")
    guest.told(f"mkdir -p {shop.DROP_INS} && cp /{trees.LIBRARY}/held.conf {shop.DROP_INS}")
    guest.told("systemctl daemon-reload && systemctl restart --no-block imds-bootstrap.service")
    assert guest.told(f"cat {shop.STOPPED}") == "stopped\n"
    guest.note(f"held at {instant}")


def fail(guest):
    """Have the unit run on what is not valid."""
    return {
        "ended": guest.ask("systemctl restart imds-bootstrap.service"),
        "unit": guest.told("systemctl show -p ExecMainStatus --value imds-bootstrap.service"),
        "status": guest.ask("imds-bootstrap status"),
        "sums": set(guest.told(f"cd {shop.FOLDER} && sha256sum * | cut -c 1-64").split()),
        "console": guest.console(),
    }


def examine(layer, generation):
    seen = Examined(layer)
    names = seen.names(shop.FOLDER)
    cut = Cut(
        asked=generation,
        files={name: seen.read(f"{shop.FOLDER}/{name}") for name in names},
        kept=seen.names("/var/lib/imds-bootstrap"),
        check=seen.check,
    )
    seen.close()
    return cut


def test_firmware_and_imds_agree_on_the_first_boot(life):
    """A Generation 1 VM's firmware has the id's bytes in another order, and it is the same VM."""
    status = life.first["status"]
    assert status["result"] == "configured"
    assert status["vm_id"] == shop.VM_ID
    assert status["imds"]["outcomes"] == {"ok": 1}
    assert life.first["sums"] == {shop.digest(1)}


@pytest.mark.parametrize("name", CUTS)
def test_every_file_is_whole_after_a_power_cut(life, name):
    """Each file is as it was or as it was asked to be, and the file system is sound."""
    cut = life.cuts[name]
    new = len(shop.NAMES) if name == "configured" else INSTANTS[name][1]
    wanted = [shop.text(cut.asked if n < new else cut.asked - 1) for n in range(len(shop.NAMES))]
    assert [shop.told(cut.files[name]) for name in shop.NAMES] == [*map(shop.told, wanted)]
    assert [cut.files[name] for name in shop.NAMES] == wanted
    assert cut.check == "clean"


@pytest.mark.parametrize("name", INSTANTS)
def test_a_power_cut_leaves_a_journal(life, name):
    """Before anything else was there, the journal was on the disk."""
    assert "journal.json" in life.cuts[name].kept


@pytest.mark.parametrize("name", CUTS)
def test_the_next_boot_settles_a_power_cut(life, name):
    """All files are as asked, nothing else is left, the state is sound and the status says so."""
    cut = life.cuts[name]
    told = cut.boot
    assert told["sums"] == {shop.digest(cut.asked)}
    assert told["names"] == list(shop.NAMES)
    assert told["kept"] == ["instance", "instances"]
    assert told["verify"] == (0, f"verify: {len(shop.NAMES)} files as written\n")
    assert told["status"]["result"] == ("unchanged" if name == "configured" else "configured")
    assert len(told["status"]["changes"]) == (len(shop.NAMES) if name in UNDONE else 0)
    assert told["status"]["vm_id"] == shop.VM_ID


@pytest.mark.parametrize("name", INSTANTS)
def test_the_status_tells_how_a_power_cut_was_settled(life, name):
    """The boot after it warns that a run was interrupted, and what was done about it."""
    verdict = "undone" if name in UNDONE else "finished"
    assert f"an interrupted run was {verdict}" in life.cuts[name].boot["status"]["warnings"][0]


@pytest.mark.parametrize("name", CUTS)
def test_handlers_hear_of_files_that_survived_a_power_cut(life, name):
    """Whoever has to know the new files has been told of them, at the latest by the next boot."""
    cut = life.cuts[name]
    assert cut.boot["heard"] == f"generation {cut.asked}, line 0\n"


def test_success_is_durable_at_once(life):
    """Power that goes right after the first boot's success takes nothing back."""
    cut = life.cuts["configured"]
    assert sorted(cut.files) == list(shop.NAMES)
    assert cut.boot["status"]["changes"] == []


def test_errors_reach_the_serial_console(life):
    """Who looks at the serial console of a machine that was not configured reads why."""
    last = life.last
    assert last["ended"][0] != 0
    assert last["unit"] == "65\n"
    for line in ("error[IB105] userData is not valid", "userData:5:11  files[0].mode", "= help:"):
        assert line in last["console"]
    assert last["status"][0] == 1
    assert "IB105" in last["status"][1]
    assert last["sums"] == {shop.digest(len(CUTS))}


def test_a_machine_that_was_shut_down_has_nothing_to_settle(life):
    """An orderly end leaves a clean disk, whole files and no journal."""
    assert life.off.check == "clean"
    assert life.off.files == dict.fromkeys(shop.NAMES, shop.text(len(CUTS)))
    assert life.off.kept == ["instance", "instances"]
