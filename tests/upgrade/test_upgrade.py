"""A machine that an older version configured is as good as one that this version configured."""

import json

import pytest
from recorded import JOURNAL, STATUS, VERSIONS, build, state, targets, temporary, text

pytestmark = pytest.mark.process

ENDED = ("configured", "kept", "reconfigured", "failed")
KILLED = ("staging", "publishing", "notifying", "undoing", "finishing", "releasing")
STATE = "state.json"


def is_within(old, new):
    """Return whether `new` says all that `old` says; it may have fields that are new."""
    if isinstance(old, dict) and isinstance(new, dict):
        return all(name in new and is_within(value, new[name]) for name, value in old.items())
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(is_within, old, new))
    return old == new


def status(machine):
    """Return the status of the last run of this version."""
    return json.loads(text(machine.tree(), STATUS))


def state_file(machine):
    """Return where the state is."""
    return machine.path("/var/lib/imds-bootstrap/instance").resolve() / STATE


def edit_state(machine, edit):
    """Let the state on the machine be another one."""
    path = state_file(machine)
    record = json.loads(path.read_text())
    edit(record)
    path.write_text(json.dumps(record, indent=1))


def test_versions_are_recorded():
    """There is something to upgrade from, and each folder is whole."""
    assert VERSIONS
    names = {"inputs", "settings", "first", "second", "broken", *ENDED, *KILLED}
    for version in VERSIONS:
        assert {path.stem for path in version.glob("*.json")} == names


@pytest.mark.parametrize("name", ["configured", "kept"])
def test_same_input_changes_nothing(machine, name):
    """After the upgrade the files stay, no handler runs, and the list of written files is kept."""
    old = machine.build(name)["tree"]
    machine.run("first")
    new = machine.tree()
    assert status(machine)["result"] == "unchanged"
    assert targets(new) == targets(old)
    assert machine.handlers() == []
    assert is_within(state(old)["written"], state(new)["written"])
    assert not [name for name in new if "corrupt" in name]


def test_verify_reads_the_list_of_written_files(machine):
    """Drift since the old version's run is found, and an untouched machine has none."""
    machine.build("configured")
    machine.agent("verify")
    machine.path("/etc/app/alike").chmod(0o600)
    machine.path("/etc/app/once").write_text("somebody's")
    assert "/etc/app/alike" in (told := machine.agent("verify", code=1))
    assert "/etc/app/once" not in told


def test_changed_input_ends_as_with_the_old_version(machine):
    """A change of the configuration leads from the old version's machine to the same files."""
    machine.build("configured")
    machine.run("second")
    tree = machine.tree()
    assert targets(tree) == targets(machine.recorded("reconfigured")["tree"])
    assert machine.handlers() == ["web", "logs"]
    assert "warnings" not in status(machine)
    assert not temporary(tree)


def test_prune_removes_what_the_old_version_wrote(machine):
    """Only what that version wrote goes, and only as it was left."""
    machine.build("configured")
    machine.path("/etc/app/touched").write_text("somebody's\n")
    machine.run("second")
    tree = machine.tree()
    assert "/etc/app/gone" not in tree
    assert text(tree, "/etc/app/touched") == "somebody's\n"
    assert text(tree, "/etc/app/found") == "found\n"


def test_handlers_that_were_due_run(machine):
    """What failed under the old version is tried again: here its files are the old ones."""
    old = machine.build("failed")["tree"]
    due = state(old)["pending_handlers"]
    assert due
    machine.run("first")
    assert machine.handlers() == due
    assert targets(machine.tree()) == targets(old)
    assert state(machine.tree())["pending_handlers"] == []


@pytest.mark.parametrize("name", KILLED)
def test_interrupted_run_is_settled_by_the_old_rule(machine, name):
    """A run that gets no further than settling leaves what that version's own would leave."""
    settled = machine.build(name)["settled"]
    end = {"undone": "configured", "finished": "reconfigured"}[settled["verdict"]]
    machine.run("broken", code=65)
    tree = machine.tree()
    assert targets(tree) == targets(machine.recorded(end)["tree"])
    assert JOURNAL not in tree
    assert not temporary(tree)
    assert is_within(settled["state"], state(tree))


@pytest.mark.parametrize("name", KILLED)
def test_interrupted_run_is_completed(machine, name):
    """The next run ends as the old version's would have, and every handler that was due has run."""
    due = machine.build(name)["settled"]["state"]["pending_handlers"]
    machine.run("second")
    tree = machine.tree()
    assert targets(tree) == targets(machine.recorded("reconfigured")["tree"])
    assert JOURNAL not in tree
    assert not temporary(tree)
    assert {*due} <= {*machine.handlers()} <= {"web", "logs"}
    assert state(tree)["pending_handlers"] == []


@pytest.mark.parametrize("name", KILLED)
def test_plan_foresees_an_interrupted_run(machine, name):
    """What `plan` shows is what `run` does, and it changes nothing."""
    old = machine.build(name)["tree"]
    words = ("--offline", str(machine.version / "second.json"))
    planned = json.loads(machine.agent("--format", "json", "plan", *words))["changes"]
    assert machine.tree() == old
    done = json.loads(machine.agent("--format", "json", "run", *words))["changes"]
    assert [one["path"] for one in planned] == [one["path"] for one in done]


@pytest.mark.parametrize("name", [*ENDED, *KILLED])
def test_status_is_read(machine, name):
    """`status` says of the old run what it said before the upgrade, with the same exit code."""
    told = machine.build(name)["status"]
    words = ("--format", "json", "status")
    assert is_within(told["record"], json.loads(machine.agent(*words, code=told["exit_code"])))


@pytest.mark.parametrize("name", ["inputs", "configured"])
def test_settings_are_read(machine, name):
    """What the image's owner set is set still, whether it is read anew or from the state."""
    stated = state(machine.recorded("configured")["tree"])["settings"]["values"]
    before = {name: machine.recorded("settings")[name] for name in stated}
    assert before == stated != {}
    if name == "configured":
        machine.build(name)
    else:
        build(machine.recorded(name), machine.root)
    assert is_within(before, json.loads(machine.agent("--format", "json", "show", "settings")))


def test_unknown_fields_of_the_state_are_kept(machine):
    """What a later version has written survives a run of this one that changes files."""
    machine.build("configured")

    def edit(record):
        record["history"] = [{"at": "2026-01-01T00:00:00Z"}]
        for entry in record["written"]:
            entry["later"] = entry["path"]

    edit_state(machine, edit)
    machine.run("second")
    after = state(machine.tree())
    assert after["environment"] == "second"
    assert after["history"] == [{"at": "2026-01-01T00:00:00Z"}]
    kept = {entry["path"]: entry.get("later") for entry in after["written"]}
    assert kept["/etc/app/alike"] == "/etc/app/alike"
    assert kept["/etc/app/web.conf"] is None  # it told of a content that is no more


@pytest.mark.parametrize("name", ["notifying", "finishing"])
def test_unknown_fields_survive_an_interruption(machine, name):
    """Settling takes them from the state or from the journal, and no field of the journal's own."""
    machine.build(name)
    edit_state(machine, lambda record: record.update(history=1))
    path = machine.path(JOURNAL)
    first, *others = path.read_text().splitlines(keepends=True)
    begun = json.loads(first)
    own = begun["memo"].keys() - state(machine.tree()).keys()
    assert own
    begun["memo"]["history"] = 1
    path.write_text("".join([json.dumps(begun) + "\n", *others]))
    machine.run("broken", code=65)
    after = state(machine.tree())
    assert after["history"] == 1
    assert not own & after.keys()


def test_damaged_state_is_set_aside(machine):
    """A state that was cut off is kept for a look, and the machine is configured all the same."""
    old = machine.build("configured")["tree"]
    path = state_file(machine)
    damaged = path.read_text()[:300]
    path.write_text(damaged)
    machine.run("first")
    aside = [one for one in path.parent.iterdir() if one.name != STATE]
    assert [one.read_text() for one in aside] == [damaged]
    tree = machine.tree()
    assert targets(tree) == targets(old)
    paths = [entry["path"] for entry in state(tree)["written"]]
    assert paths == [entry["path"] for entry in state(old)["written"]]
