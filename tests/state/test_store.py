from __future__ import annotations

import os
import re
import stat

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bootstrap.apply.transaction import recovery
from bootstrap.errors import NotPermitted, WriteError
from bootstrap.fs import atomic
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
    after = file.stat()  # reading it may change its time of access
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
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


def refuse(error, *ends):
    """Stand for a system call that fails on these names."""

    def call(name, *arguments, real=os.lstat, **keywords):
        if os.fspath(name).endswith(ends):
            raise error
        return real(name, *arguments, **keywords)

    return call


DENIED = PermissionError(13, "Permission denied")
BROKEN = OSError(5, "Input/output error")
CALLS = {
    "load": (load, "reading the state: Permission denied"),
    "current": (lambda root: store.current(root=str(root)), "reading the state: Permission denied"),
    "save": (lambda root: save(root, fingerprint="g"), f"saving the state: {DENIED}"),
    "forget": (lambda root: store.remove_state(root=str(root)), f"forgetting: {DENIED}"),
}


@pytest.mark.parametrize("act", CALLS)
def test_what_the_system_refuses_is_told_with_the_way_out(root, library, monkeypatch, act):
    """Whoever is not root hears that, and not that there is no state."""
    save(root, fingerprint="f")
    call, message = CALLS[act]
    with monkeypatch.context() as patch:
        ends = ("instance",) if act == "current" else ("state.json", "instances")
        patch.setattr(os, "lstat", refuse(DENIED, *ends))
        with pytest.raises(NotPermitted) as caught:
            call(root)
    assert (caught.value.message, caught.value.hint) == (message, "run it as root")
    assert caught.value.public == message
    assert load(root).state == State(vm_id=ME, fingerprint="f")


@pytest.mark.parametrize("act", ["save", "forget", "settle"])
def test_what_cannot_be_written_is_told(root, library, monkeypatch, act):
    """The error names what was being done, in words for everybody."""
    save(root, fingerprint="f")
    (library / "instance/state.json").write_text("{")
    loaded = load(root)
    calls = {
        "save": (lambda: save(root), f"saving the state: {BROKEN}"),
        "forget": (lambda: store.remove_state(root=str(root)), f"forgetting: {BROKEN}"),
        "settle": (
            lambda: store.repair(loaded, root=str(root)),
            f"putting the state in order: {BROKEN}",
        ),
    }

    def fail(*names, **folders):
        raise BROKEN

    monkeypatch.setattr(os, "replace", fail)
    monkeypatch.setattr(os, "unlink", fail)
    call, message = calls[act]
    with pytest.raises(WriteError) as caught:
        call()
    assert (caught.value.message, caught.value.public) == (message, message)
    assert caught.value.hint == ""


def test_a_state_that_cannot_be_read_is_damaged(root, library, monkeypatch):
    """A broken disk is damage like any other, in the system's words."""
    save(root)
    for error, words in [(BROKEN, "Input/output error"), (OSError("strange"), "strange")]:
        with monkeypatch.context() as patch:
            patch.setattr(os, "lstat", refuse(error, "state.json"))
            assert load(root).damaged == words
    assert load(root).damaged == ""


def test_damage_is_told_in_words(root, library):
    """What is too long is told as what it is not: a record of ours."""
    save(root)
    file = library / "instance/state.json"
    os.truncate(file, 1 << 30)
    assert load(root).damaged == "it is not JSON: JSONDecodeError"
    file.write_text('{"schema": 2}')
    assert load(root).notes == (
        "the state is damaged (its schema is not 1); it is set aside and rebuilt",
    )


def test_the_current_machine(root, library):
    """It is what the link says, and nothing where there is no link."""
    assert store.current(root=str(root)) is None
    save(root)
    assert store.current(root=str(root)) == ME
    (library / "instance").unlink()
    (library / "instance").symlink_to(f"/var/lib/imds-bootstrap/instances/{ME}")
    assert store.current(root=str(root)) == ME
    (library / "instance").unlink()
    (library / "instance").write_text("a file")
    assert store.current(root=str(root)) is None


def test_a_machine_that_cannot_be_looked_up_is_none(root, library, monkeypatch):
    """A broken disk stops no boot: the id comes from elsewhere."""
    save(root)
    monkeypatch.setattr(os, "lstat", refuse(BROKEN, "instance"))
    assert store.current(root=str(root)) is None


def test_settings_are_remembered_of_the_current_machine(root, library, monkeypatch):
    """Whoever may not read them goes without, and so does a first boot."""
    assert store.remembered_settings(root=str(root)) == {}
    save(root, vm_id=OTHER, settings={"a": 2})
    save(root, settings={"a": 1})
    (library / "instance").unlink()
    assert store.remembered_settings(root=str(root)) == {}
    (library / "instance").symlink_to(f"instances/{ME}")
    assert store.remembered_settings(root=str(root)) == {"a": 1}
    (library / "instances" / ME / "state.json").unlink()
    assert store.remembered_settings(root=str(root)) == {}
    monkeypatch.setattr(os, "lstat", refuse(DENIED, "instance", "state.json"))
    assert store.remembered_settings(root=str(root)) == {}


@pytest.mark.parametrize("name", ["", "instances"])
def test_a_folder_of_ours_may_be_a_link(root, library, name):
    """Somebody has put the state on another disk: that is no harm."""
    save(root, fingerprint="f")
    away = root / "data"
    (library / name).rename(away)
    (library / name).symlink_to("/data")
    assert load(root).notes == ()
    assert save(root, fingerprint="g")
    (root / "data" / ("instances" if not name else "") / ME / "state.json").unlink()
    loaded = load(root)
    assert (loaded.state, loaded.misplaced) == (None, ())


def test_a_known_state_costs_no_look_at_its_folders(root, library, monkeypatch):
    """An unchanged boot looks only at what it needs."""
    save(root)
    seen = []
    real = os.lstat

    def note(name, **arguments):
        seen.append(name)
        return real(name, **arguments)

    monkeypatch.setattr(os, "lstat", note)
    assert load(root).state
    assert ME not in seen
    assert "instances" not in seen


@pytest.mark.parametrize("now", ["then", ""])
def test_what_is_set_aside_keeps_what_was_there_before(root, library, now):
    """The time is in the name; without one, something that nothing else has."""
    save(root)
    file = library / "instances" / ME / "state.json"
    for text, act in [("{1", store.repair), ("{2", store.clear)]:
        file.write_text(text)
        named = {"now": f"{now}{text[1]}"} if now else {}
        act(load(root), root=str(root), **named)
    names = sorted(os.listdir(file.parent))
    assert len(names) == 2
    pattern = r"state\.json\.corrupt-then[12]" if now else r"state\.json\.corrupt-[0-9a-f]{12}"
    assert all(re.fullmatch(pattern, name) for name in names)


def test_what_a_dead_run_has_left_of_a_state_goes(root, library):
    """A half-written state beside a good one is swept."""
    save(root)
    left = library / "instances" / ME / ".state.imds-bootstrap-new.json"
    left.write_text("{")
    loaded = load(root)
    assert (loaded.state, loaded.notes) == (State(vm_id=ME), ())
    store.repair(loaded, root=str(root))
    assert not left.exists()
    assert load(root).state == State(vm_id=ME)


class Asked(BaseException):
    """The system was asked for this path."""


@pytest.mark.parametrize(
    "act",
    [
        lambda: store.load(ME),
        store.current,
        store.remembered_settings,
        lambda: store.save(State(vm_id=ME)),
        store.remove_state,
        lambda: store.repair(store.Loaded(ME, None, "")),
        lambda: store.clear(store.Loaded(ME, None, "x")),
        recovery.recover,
        recovery.is_due,
        lambda: recovery.foresee(ME, None),
        lambda: atomic.write_file("/a", b"", mode=0o600),
        lambda: atomic.write_pointer("/a", "b"),
        lambda: atomic.sweep("/a"),
        lambda: atomic.make_folders("/a", 0o700),
        lambda: atomic.names("/a/b"),
        lambda: atomic.remove_tree("/a"),
    ],
)
def test_where_no_root_is_named_it_is_the_systems_own(monkeypatch, act):
    """Every path begins there; nothing is touched, for the first question ends it."""

    def ask(path, *arguments, **keywords):
        raise Asked(path)

    with monkeypatch.context() as patch:
        for name in ("open", "listdir", "lstat", "stat", "readlink", "scandir"):
            patch.setattr(os, name, ask)
        with pytest.raises(Asked) as caught:
            act()
    (path,) = caught.value.args
    assert path.startswith("/")
    assert not path.startswith("//")
