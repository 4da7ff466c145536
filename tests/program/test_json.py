"""`--format json`: exactly one JSON document on standard output, on success and on failure."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from bootstrap import resources
from bootstrap.emulator import Emulator

pytestmark = pytest.mark.process

DOCUMENT = """\
version: 1
values: {port: 80}
files:
  - {path: /etc/app/a, content: "{{ values.port }}\\n", notify: [app]}
handlers: {app: ["true"]}
"""
MACHINE = "rate: 0\ntags: {Role: web}\n"
UNAVAILABLE = "faults: [{times: forever, status: 503}]\n"


@pytest.fixture
def root(tmp_path):
    """A root folder with an image in it."""
    documents = tmp_path / "root/etc/imds-bootstrap/config.d"
    documents.mkdir(parents=True)
    (documents / "10-app.yaml").write_text(DOCUMENT)
    return tmp_path / "root"


@pytest.fixture
def machine(tmp_path):
    """The machine file of an emulator that runs."""
    file = tmp_path / "machine.yaml"
    file.write_text(MACHINE)
    with Emulator.serve(str(file)) as emulator:
        yield file, emulator.endpoint


@pytest.fixture
def agent(root, machine):
    """Runs a command with --format json; gives its exit code and the document it printed."""
    environment = {**os.environ, "IMDS_BOOTSTRAP_IMDS_ENDPOINT": machine[1]}

    def run(*words):
        command = [sys.executable, "-m", "bootstrap", "--root", str(root), "--format", "json"]
        ended = subprocess.run(
            [*command, *words], capture_output=True, env=environment, check=False, timeout=30
        )
        assert b"Traceback" not in ended.stderr
        return ended.returncode, json.loads(ended.stdout)

    return run


@pytest.fixture
def valid_status(root):
    """Gives the result in a status that its schema accepts; the file on disk must be so too."""
    schema = json.loads(resources.read("schema/status.schema.json"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)

    def check(record):
        validator.validate(record)
        on_disk = root / "run/imds-bootstrap/status.json"
        if on_disk.exists():
            validator.validate(json.loads(on_disk.read_text()))
        return record["result"]

    return check


def test_the_status_of_every_result_is_as_its_schema_says(agent, machine, root, valid_status):
    """not-run, configured, unchanged, kept, failed: status and run print the same valid record."""
    code, record = agent("status")
    assert (code, valid_status(record)) == (3, "not-run")
    for expected in ("configured", "unchanged"):
        code, printed = agent("run")
        assert (code, valid_status(printed)) == (0, expected)
        assert agent("status") == (0, printed)
    machine[0].write_text(UNAVAILABLE)
    code, record = agent("run", "--deadline", "1")
    assert (code, valid_status(record)) == (0, "kept")
    assert record["imds"]["outcomes"]["503"] == record["imds"]["requests"]
    code, printed = agent("--set", "on_unavailable=fail", "run", "--deadline", "1")
    assert (code, printed["error"]["code"]) == (75, "IB201")
    code, record = agent("status")
    assert (code, valid_status(record), record["exit_code"]) == (1, "failed", 75)


def test_a_machine_elsewhere_has_a_valid_status(root, valid_status):
    """Disabled is told as its schema says."""
    firmware = root / "sys/class/dmi/id"
    firmware.mkdir(parents=True)
    (firmware / "chassis_asset_tag").write_text("a laptop\n")
    environment = {**os.environ}
    del environment["IMDS_BOOTSTRAP_IMDS_ENDPOINT"]
    command = [sys.executable, "-m", "bootstrap", "--root", str(root), "--format", "json", "run"]
    ended = subprocess.run(command, capture_output=True, env=environment, check=False, timeout=30)
    assert ended.returncode == 0
    record = json.loads(ended.stdout)
    assert valid_status(record) == "disabled"
    assert "a laptop" in record["reason"]
    assert "imds.detect" in record["hint"]


def test_a_run_that_works_or_died_has_a_valid_status(agent, root, valid_status):
    """Running while its process lives, interrupted when that is gone."""
    agent("run")
    file = root / "run/imds-bootstrap/status.json"
    record = json.loads(file.read_text())
    file.write_text(json.dumps({**record, "result": "running", "pid": os.getpid()}))
    code, printed = agent("status")
    assert (code, valid_status(printed)) == (3, "running")
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    file.write_text(json.dumps({**record, "result": "running", "pid": child.pid}))
    code, printed = agent("status")
    assert (code, valid_status(printed)) == (1, "interrupted")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"result": "failed"}', '{"schema": 99}'])
def test_a_status_file_that_is_none_counts_as_not_run(agent, root, content):
    """Half a file, or another version's, is no reason to fail."""
    folder = root / "run/imds-bootstrap"
    folder.mkdir(parents=True)
    (folder / "status.json").write_text(content)
    assert agent("status") == (3, {"schema": 1, "result": "not-run"})


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        ("run", {"result", "changes", "unchanged", "handlers", "imds", "vm_id"}),
        ("plan", {"changes", "unchanged", "handlers"}),
        ("plan --diff", {"changes", "unchanged", "handlers"}),
        ("run --dry-run", {"changes", "unchanged", "handlers"}),
        ("show instance", {"compute", "network"}),
        ("show tags", {"Role"}),
        ("show config", {"values", "files", "handlers", "environment"}),
        ("show config --origin", {"values", "files", "handlers", "environment", "origins"}),
        ("show settings", {"deadline"}),
        ("show settings --origin", {"values", "origins"}),
        ("get values", {"port"}),
        ("clean", {"removed"}),
    ],
)
def test_data_is_one_document(agent, words, keys):
    """A program finds what it asked for in what it can parse."""
    code, printed = agent(*words.split())
    assert code == 0
    assert keys <= printed.keys()


def test_verify_tells_of_drift(agent, root):
    """The paths that drifted, and why."""
    agent("run")
    assert agent("verify") == (0, {"drift": [], "files": 1})
    Path(root, "etc/app/a").write_text("mine")
    code, printed = agent("verify")
    assert (code, [one["path"] for one in printed["drift"]]) == (1, ["/etc/app/a"])


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["frobnicate"], 2, "IB001"),
        ([], 2, "IB001"),
        (["run", "--frce"], 2, "IB001"),
        (["get", "nonsense"], 2, "IB001"),
        (["get", "tags.Nothing"], 1, "IB006"),
        (["--set", "nonsense=1", "run"], 78, "IB002"),
        (["run", "--offline", "/nowhere"], 66, "IB104"),
        (["verify"], 66, "IB104"),
        (["validate", "/nowhere"], 66, "IB104"),
        (["render", "/etc/nothing"], 1, "IB006"),
        (["show", "instance", "--offline", "/dev/null"], 66, "IB104"),
    ],
)
def test_a_failure_is_one_document_too(agent, words, code, error):
    """The code, the words and what to do, where the data would have been."""
    given, printed = agent(*words)
    assert (given, printed["error"]["code"]) == (code, error)
    assert printed["error"]["message"]


def test_findings_are_one_document(agent, tmp_path):
    """A program that deploys a document gets each finding with its place."""
    document = tmp_path / "bad.yaml"
    document.write_text("version: 1\nvaleus: {}\nfiles: [{path: /etc/a, mode: 0644}]\n")
    code, printed = agent("validate", str(document))
    assert (code, printed["valid"]) == (1, False)
    assert [one["where"].rpartition("/")[2] for one in printed["problems"]] == [
        "bad.yaml:2:1",
        "bad.yaml:3:30",
    ]
