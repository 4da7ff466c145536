from __future__ import annotations

import os
import stat

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bootstrap.errors import WriteError
from bootstrap.state import store
from bootstrap.state.record import State

ME = "13f56399-bd52-4150-9748-7190aae1ff21"
OTHER = "02aab8a4-74ef-476e-8182-f6d2ba4166a6"


@pytest.fixture
def root(tmp_path):
    return tmp_path / "root"


@pytest.fixture
def library(root):
    root.mkdir()
    return root / "var/lib/imds-bootstrap"


def load(root, vm_id=ME):
    return store.load(vm_id, root=str(root))


def save(root, **fields):
    return store.save(State(**{"vm_id": ME} | fields), root=str(root))


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_first_boot_has_no_state(root, library):
    """On a first boot there is no state, nothing to note, and nothing is written."""
    loaded = load(root)
    assert (loaded.state, loaded.notes) == (None, ())
    store.repair(loaded, root=str(root))
    assert list(root.iterdir()) == []


def test_state_is_found_again(root, library):
    """What one run saves the next one finds."""
    assert save(root, fingerprint="f")
    assert load(root).state == State(vm_id=ME, fingerprint="f")


def test_only_root_can_read_it(root, library):
    """State is 0600 in folders of 0700; what lies above them is as usual."""
    before = os.umask(0)
    try:
        save(root)
    finally:
        os.umask(before)
    assert mode(library) == 0o700
    assert mode(library / "instances" / ME) == 0o700
    assert mode(library / "instances" / ME / "state.json") == 0o600
    assert mode(root / "var") == mode(root / "var/lib") == 0o755


def test_current_machine_is_linked(root, library):
    """`instance` leads to the current machine, below whatever root."""
    save(root)
    assert os.readlink(library / "instance") == f"instances/{ME}"
    assert (library / "instance/state.json").is_file()


def test_unchanged_state_is_not_written(root, library):
    """Saving the same state again touches nothing; a wider mode is put right."""
    save(root)
    file = library / "instance/state.json"
    before = file.stat()
    assert not save(root)
    assert file.stat() == before
    file.chmod(0o644)
    assert save(root)
    assert mode(file) == 0o600


def test_nothing_is_left_beside_the_state(root, library):
    """Saving leaves one file, whatever was there before."""
    for number in range(3):
        save(root, fingerprint=f"{number}")
    assert os.listdir(library / "instances" / ME) == ["state.json"]
    assert sorted(os.listdir(library)) == ["instance", "instances"]


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=settings.default.max_examples // 2,
)
@given(data=st.binary())
def test_damaged_state_is_reported_and_set_aside(tmp_path, data):
    """Whatever bytes the file holds, a run starts afresh, says so, and keeps them for a look."""
    root = tmp_path / "root"
    root.mkdir(exist_ok=True)
    save(root, fingerprint="f")
    folder = root / "var/lib/imds-bootstrap/instances" / ME
    (folder / "state.json").write_bytes(data)
    loaded = load(root)
    assert loaded.state is None
    assert "damaged" in loaded.notes[0]
    store.repair(loaded, root=str(root), now="now")
    assert (folder / "state.json.corrupt-now").read_bytes() == data
    assert load(root).notes == ()
    assert save(root)
    assert load(root).state == State(vm_id=ME)


@pytest.mark.parametrize("thing", ["folder", "link", "pipe", "long"])
def test_state_that_is_no_file_is_set_aside(root, library, thing):
    """A folder, a link, a pipe or an endless file in its place is damage like any other."""
    save(root)
    file = library / "instance/state.json"
    file.unlink()
    make = {
        "folder": file.mkdir,
        "link": lambda: file.symlink_to("/etc/passwd"),
        "pipe": lambda: os.mkfifo(file),
        "long": lambda: (file.touch(), os.truncate(file, 1 << 30)),
    }
    make[thing]()
    loaded = load(root)
    assert loaded.damaged
    store.repair(loaded, root=str(root))
    assert save(root)
    assert load(root).state == State(vm_id=ME)


PLACES = ("", "instances", f"instances/{ME}", "instance")


@pytest.mark.parametrize("place", PLACES)
def test_what_stands_in_the_place_of_a_folder_is_set_aside(root, library, place):
    """A file where a folder of ours belongs, or a folder where the link does, is told and goes."""
    save(root, fingerprint="f")
    path = library / place
    path.rename(root / "was")
    if place == "instance":
        path.mkdir()
        (path / "x").touch()
    else:
        path.write_text("not ours\n")
    loaded = load(root)
    assert any("is not what belongs there; it is set aside" in note for note in loaded.notes)
    store.repair(loaded, root=str(root), now="now")
    assert os.path.lexists(f"{path}.corrupt-now")
    save(root, fingerprint="g")
    assert load(root).state == State(vm_id=ME, fingerprint="g")
    assert load(root).notes == ()
    assert store.current(root=str(root)) == ME


def test_what_was_set_aside_of_another_machine_goes(root, library):
    """A captured image keeps nothing of the machine that it was, damaged or not."""
    save(root, vm_id=OTHER)
    (library / "instances" / f"{OTHER}.corrupt-then").touch()
    store.repair(load(root), root=str(root))
    assert os.listdir(library / "instances") == []


def test_captured_image_is_noticed_and_forgotten(root, library):
    """A machine made from another one's disk starts afresh and keeps nothing of the other."""
    save(root, vm_id=OTHER, fingerprint="theirs")
    loaded = load(root)
    assert loaded.state is None
    assert loaded.notes == (f"captured image: this was {OTHER} and now is {ME}; starting afresh",)
    store.repair(loaded, root=str(root))
    save(root)
    assert os.listdir(library / "instances") == [ME]
    assert os.readlink(library / "instance") == f"instances/{ME}"
    assert load(root).notes == ()


def test_record_of_another_machine_is_not_believed(root, library):
    """A state that somebody copied into this machine's folder is damage."""
    save(root, vm_id=OTHER)
    os.rename(library / "instances" / OTHER, library / "instances" / ME)
    assert load(root).damaged == "it is another machine's"


def test_looking_writes_nothing(root, library):
    """Loading a damaged or strange state changes nothing: `plan` does it too."""
    save(root, vm_id=OTHER)
    save(root)
    (library / "instance/state.json").write_text("{")
    before = sorted(root.rglob("*"))
    assert len(load(root).notes) == 2
    assert sorted(root.rglob("*")) == before


@pytest.mark.parametrize("vm_id", ["../../../etc", "/etc", "", "..", "a/b", "ä"])
def test_strange_id_leads_nowhere(root, library, vm_id):
    """An id that is no id is a name like others, and does not lead out of the folder."""
    save(root, vm_id=vm_id)
    assert load(root, vm_id).state == State(vm_id=vm_id)
    assert len(os.listdir(library / "instances")) == 1
    assert sorted(os.listdir(root)) == ["var"]


def test_forget_leaves_only_the_lock(root, library):
    """`clean` forgets every machine, every set-aside state and the status, but not the lock."""
    save(root, vm_id=OTHER)
    save(root)
    runtime = root / "run/imds-bootstrap"
    runtime.mkdir(parents=True)
    (runtime / "lock").write_text("")
    (runtime / "status.json").write_text("{}")
    removed = store.remove_state(root=str(root))
    assert removed == (
        "/var/lib/imds-bootstrap/instance",
        "/var/lib/imds-bootstrap/instances",
        "/run/imds-bootstrap/status.json",
    )
    assert os.listdir(library) == []
    assert os.listdir(runtime) == ["lock"]
    assert store.remove_state(root=str(root)) == ()


def test_forget_follows_no_link(root, library, tmp_path):
    """A link in the state's folder is removed, and what it points to stays."""
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("")
    save(root)
    (library / "instances/link").symlink_to(precious)
    store.remove_state(root=str(root))
    assert (precious / "file").exists()
    assert os.listdir(library) == []


def test_state_that_cannot_be_saved_is_a_write_error(root, library):
    """Something in the way of the state is an error with a reason, and not a traceback."""
    (root / "var").write_text("a file")
    with pytest.raises(WriteError, match="saving the state"):
        save(root)
