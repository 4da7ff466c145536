"""Settings: three spellings, the later wins, and every mistake is explained at once."""

import json

import pytest

from bootstrap import resources
from bootstrap.errors import SettingsError
from bootstrap.settings.load import load, remember, value_of
from bootstrap.settings.reference import settings_schema
from bootstrap.settings.table import rows


@pytest.fixture
def root(tmp_path):
    (tmp_path / "etc/imds-bootstrap/agent.d").mkdir(parents=True)
    return tmp_path


def write(root, text, name="agent.yaml"):
    (root / "etc/imds-bootstrap" / name).write_text(text)


def test_without_any_source_every_setting_has_its_default(tmp_path):
    """A machine without agent.yaml runs on the table's defaults."""
    settings = load(root=str(tmp_path))
    assert [value_of(settings, row.name) for row in rows()] == [row.default for row in rows()]
    assert settings.origins == {}


def test_the_later_spelling_wins(root):
    """agent.yaml < agent.d in name order < the environment < --set."""
    write(root, "deadline: 1\non_unavailable: fail\nprune: true\nimds: {timeout: 1, grace: 1}\n")
    write(root, "imds: {timeout: 2, grace: 2}\nprune: false\n", "agent.d/10-a.yaml")
    write(root, "imds:\n  grace: 3\n", "agent.d/20-b.yaml")
    settings = load(
        root=str(root),
        environ={"IMDS_BOOTSTRAP_IMDS_GRACE": "4", "HOME": "/root"},
        assignments=["imds.api_version=2021-02-01", "imds.grace=5"],
    )
    assert (settings.deadline, settings.on_unavailable, settings.prune) == (1, "fail", False)
    assert (settings.imds.timeout, settings.imds.grace) == (2, 5)
    assert settings.origins == {
        "deadline": "/etc/imds-bootstrap/agent.yaml:1:11",
        "on_unavailable": "/etc/imds-bootstrap/agent.yaml:2:17",
        "prune": "/etc/imds-bootstrap/agent.d/10-a.yaml:2:8",
        "imds.timeout": "/etc/imds-bootstrap/agent.d/10-a.yaml:1:17",
        "imds.grace": "--set imds.grace",
        "imds.api_version": "--set imds.api_version",
    }


def test_every_ending_of_a_document_is_one_of_settings(root):
    """agent.d reads what config.d reads; an editor's copy is read in neither."""
    write(root, "deadline: 1\nprune: true\nimds: {grace: 1}\n", "agent.d/10-a.yaml")
    write(root, "deadline: 2\nimds: {grace: 2}\n", "agent.d/20-b.yml")
    write(root, '{"deadline": 3}\n', "agent.d/30-c.json")
    write(root, "deadline: 4\n", "agent.d/40-d.yml~")
    settings = load(root=str(root))
    assert (settings.deadline, settings.imds.grace, settings.prune) == (3, 2, True)
    assert settings.origins["imds.grace"] == "/etc/imds-bootstrap/agent.d/20-b.yml:2:15"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("prune", "yes", True),
        ("prune", "FALSE", False),
        ("deadline", "12.5", 12.5),
        ("render.max_bytes", "65536", 65536),
        ("user_data.paths", "/etc, /opt/shop", ("/etc", "/opt/shop")),
        ("user_data.allow", "", ()),
        (
            "tags.map",
            "Cost=billing.center,Owner=owner",
            {"Cost": "billing.center", "Owner": "owner"},
        ),
        ("imds.endpoint", "http://127.0.0.1:8169", "http://127.0.0.1:8169"),
    ],
)
def test_a_text_of_the_environment_becomes_the_type_of_its_setting(tmp_path, name, text, value):
    """The environment and the command line can say everything that the file can."""
    variable = "IMDS_BOOTSTRAP_" + name.upper().replace(".", "_")
    by_variable = load(root=str(tmp_path), environ={variable: text})
    by_flag = load(root=str(tmp_path), assignments=[f"{name}={text}"])
    assert value_of(by_variable, name) == value_of(by_flag, name) == value


def test_every_mistake_is_told_at_once_with_its_place(root):
    """Unknown names get the nearest known one, wrong values what the setting is about."""
    write(root, "deadlin: 5\nprune: maybe\nimds:\n  timeout: [1]\n  endpont: x\n")
    with pytest.raises(SettingsError) as raised:
        load(
            root=str(root),
            environ={"IMDS_BOOTSTRAP_PRUNNE": "1", "IMDS_BOOTSTRAP_DEADLINE": "soon"},
            assignments=["on_unavailable=panic", "prune", "user_data.allow=shell"],
        )
    found = {problem.where: problem for problem in raised.value.problems}
    file = "/etc/imds-bootstrap/agent.yaml"
    assert found[f"{file}:1:1"].hint == "did you mean deadline?"
    assert found[f"{file}:2:8"].message == "'maybe' is not true or false"
    assert found[f"{file}:4:12"].message == "[1] is not a number"
    assert found[f"{file}:5:3"].hint == "did you mean imds.endpoint?"
    assert found["environment IMDS_BOOTSTRAP_PRUNNE"].hint == "did you mean IMDS_BOOTSTRAP_PRUNE?"
    assert found["environment IMDS_BOOTSTRAP_DEADLINE"].message == "'soon' is not a number"
    assert "not one of keep, fail" in found["--set on_unavailable"].message
    assert "name=value" in found["--set prune"].message
    assert "not one of content, check, handlers" in found["--set user_data.allow"].message
    assert len(found) == 9
    assert raised.value.exit_code == 78


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "1e9", "true"])
def test_a_deadline_is_a_number_within_bounds(tmp_path, text):
    """No spelling of a number makes a run endless."""
    with pytest.raises(SettingsError):
        load(root=str(tmp_path), assignments=[f"deadline={text}"])


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"- a\n- b\n", b"a: [1\n", b"deadline: 1\ndeadline: 2\n"]
)
def test_a_broken_file_is_explained(root, content):
    """Text that is not settings is a SettingsError that names the file."""
    (root / "etc/imds-bootstrap/agent.yaml").write_bytes(content)
    with pytest.raises(SettingsError) as raised:
        load(root=str(root))
    assert all("agent.yaml" in problem.where for problem in raised.value.problems)
    assert raised.value.problems


def test_the_sample_settings_are_settings(root):
    """What a newcomer copies is read without a complaint, and says every group of settings."""
    write(root, resources.read("templates/image/agent.yaml"))
    settings = load(root=str(root))
    groups = {row.name.rpartition(".")[0] for row in rows()} - {"identity"}  # the machine's own
    assert {name.rpartition(".")[0] for name in settings.origins} == groups


def test_an_empty_file_states_nothing(root):
    """An agent.yaml that holds only comments is no mistake."""
    write(root, "# nothing yet\n")
    assert load(root=str(root)).origins == {}


def test_another_file_is_read_instead(root, tmp_path):
    """--settings FILE takes the place of agent.yaml and of agent.d."""
    write(root, "deadline: 1\n")
    write(root, "prune: true\n", "agent.d/10.yaml")
    other = tmp_path / "other.yaml"
    other.write_text("imds: {grace: 7}\n")
    settings = load(root=str(root), file=str(other))
    assert (settings.deadline, settings.prune, settings.imds.grace) == (300, False, 7)
    with pytest.raises(SettingsError, match="No such file"):
        load(root=str(root), file=str(tmp_path / "missing.yaml"))


def test_remembered_settings_are_the_same_settings(root):
    """What a run remembers gives the next run the same value, through JSON, without parsing."""
    write(root, "user_data: {paths: [/etc/shop]}\ntags: {map: {A: b.c}}\ndeadline: 9\n")
    settings = load(root=str(root))
    remembered = json.loads(json.dumps(remember(settings)))
    assert load(root=str(root), remembered=remembered) == settings


@pytest.mark.parametrize("change", ["file", "environment", "flag"])
def test_a_changed_source_is_read_again(root, change):
    """Remembered settings are used only while every source is as it was."""
    write(root, "deadline: 9\n")
    remembered = remember(load(root=str(root)))
    if change == "file":
        write(root, "deadline: 8\n")
    settings = load(
        root=str(root),
        environ={"IMDS_BOOTSTRAP_DEADLINE": "8"} if change == "environment" else {},
        assignments=["deadline=8"] if change == "flag" else [],
        remembered=remembered,
    )
    assert settings.deadline == 8


def test_the_shipped_schema_is_that_of_the_table():
    """schema/settings.schema.json is generated: `imds-bootstrap schema settings`."""
    assert json.loads(resources.read("schema/settings.schema.json")) == json.loads(
        json.dumps(settings_schema())
    )
