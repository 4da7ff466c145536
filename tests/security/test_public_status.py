"""What every user of the machine may read names things, and never quotes them.

Values, contents, arguments of commands, lines of templates and of documents, tags' texts and the
words of servers are canaries. A run is made to fail in every way that reaches one of them: the
status tells none, and the journal, which is for root, still tells what a person needs.
"""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "keyvault"))  # tests are no package
from canaries import Canaries

import bootstrap
from bootstrap import errors
from bootstrap.errors import BootstrapError, CommandFailed, Problem, Public, WriteError
from bootstrap.report.status import Status

HERE = Path(__file__).parent
CASES = yaml.safe_load((HERE / "cases" / "public_status.yaml").read_text(encoding="utf-8"))
KINDS = ("VALUE", "CONTENT", "ARGUMENT", "TEMPLATE", "SOURCE", "TAG", "SERVER")
PROGRAM = [sys.executable, "-m", "bootstrap"]


class Planted:
    """A machine whose sources are full of canaries; `canaries` finds every trace of one."""

    def __init__(self, folder):
        self.canaries = Canaries()
        self.words = {kind: self.canaries.plain(kind) for kind in KINDS}
        self.root = folder / "root"
        self.root.mkdir()
        self.offline = folder / "instance.json"

    def filled(self, value):
        """The value with each kind's name replaced by its canary, and ROOT by the root."""
        text = json.dumps(value).replace("ROOT", str(self.root))
        for kind, canary in self.words.items():
            text = text.replace(kind, canary)
        return json.loads(text)

    def lay(self, case):
        """Write the image and the instance of a case."""
        files = {"config.d/10-app.yaml": case.get("image", "version: 1\n"), **case.get("lay", {})}
        for name, content in files.items():
            path = self.root / "etc" / "imds-bootstrap" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        instance = json.loads(example())
        user_data = case.get("user_data", "")
        instance["compute"]["userData"] = base64_of(user_data)
        instance["compute"]["tagsList"] = [
            {"name": name, "value": value} for name, value in case.get("tags", {}).items()
        ]
        self.offline.write_text(json.dumps(instance))

    def agent(self, *words):
        """Run the program below the root; the two streams are one text."""
        return subprocess.run(
            [*PROGRAM, "--root", str(self.root), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": f"{HERE.parents[1]}:{os.environ['PYTHONPATH']}"},
            timeout=60,
            check=False,
        )

    def run(self, case):
        """Run the agent as the case has it; gives how it ended."""
        settings = [f"--set={one}" for one in case.get("settings", ())]
        source = [] if case.get("online") else ["--offline", str(self.offline)]
        return self.agent(*settings, "run", *source)

    def public(self):
        """All that everybody can get of the status, whichever way it is asked for."""
        path = self.root / "run" / "imds-bootstrap" / "status.json"
        assert path.stat().st_mode & 0o777 == 0o644
        asked = [self.agent("status").stdout, self.agent("--format", "json", "status").stdout]
        return path.read_bytes(), *asked


def base64_of(text):
    import base64

    return base64.b64encode(text.encode()).decode()


def example():
    """An instance document, as `--offline` takes it."""
    return json.dumps(
        {
            "compute": {
                "vmId": "02aab8a4-74ef-476e-8182-f6d2ba4166a6",
                "name": "shop-01",
                "azEnvironment": "AzurePublicCloud",
                "tagsList": [],
                "userData": "",
            },
            "network": {"interface": []},
        }
    )


@pytest.fixture
def planted(tmp_path):
    return Planted(tmp_path)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_status_names_and_never_quotes(case, planted):
    """However a run ends, the status holds no trace of what may not be told to everybody."""
    case = planted.filled(case)
    planted.lay(case)
    ended = planted.run(case)
    said = ended.stdout.decode()
    assert ended.returncode == case["code"], said
    assert "IB009" not in said
    for told in planted.public():
        assert planted.canaries.found_in(told) == set(), told.decode()
    told = planted.public()[0].decode()
    for word in case.get("names", ()):
        assert word in told
    for kind in case.get("journal", ()):
        assert kind in said  # it is the canary by now: root is still told


def test_the_cases_reach_every_kind():
    """Each kind of text is met by a failure that tells root of it: the search has what to find."""
    assert {kind for case in CASES for kind in case.get("journal", ())} == {*KINDS} - {
        "SERVER",  # below
        "CONTENT",  # nobody is told of it
    }


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 400, "body": '{"error": "SERVER", "error_description": "SERVER"}'},
        {"status": 403, "body": '{"error": "SERVER"}'},
        {"status": 404, "body": '{"error": "SERVER"}'},
        {"redirect": "http://127.0.0.1:1/SERVER"},
        {"status": 503, "body": '{"error": "SERVER"}'},
    ],
    ids=lambda fault: str(fault.get("status", "redirect")),
)
@pytest.mark.parametrize("kept", [False, True])
def test_the_words_of_a_server_stay_in_the_journal(planted, fault, kept):
    """What IMDS, or who answers in its place, says is no text of ours: kept or failed alike."""
    from bootstrap.emulator import Emulator

    fault = planted.filled({**fault, "times": "forever"})
    planted.lay({"image": "version: 1\n"})
    machine = {"rate": 0, "vmId": "02aab8a4-74ef-476e-8182-f6d2ba4166a6"}
    with Emulator.serve(machine) as emulator:
        endpoint = f"imds.endpoint={emulator.endpoint}"
        if kept:
            ended = planted.run({"online": True, "settings": [endpoint]})
            assert ended.returncode == 0
        emulator.change(faults=[fault])
        limits = ["deadline=1.5", "imds.grace=0.1"]
        ended = planted.run({"online": True, "settings": [endpoint, *limits]})
    assert planted.words["SERVER"] in ended.stdout.decode()
    for told in planted.public():
        assert planted.canaries.found_in(told) == set(), told.decode()


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 400, "body": '{"error": {"code": "SERVER", "message": "SERVER"}}'},
        {"status": 403, "body": '{"error": {"innererror": {"code": "SERVER"}}}'},
        {"status": 404, "body": '{"error": {"code": "SERVER"}}'},
        {"status": 401, "headers": {"WWW-Authenticate": 'Bearer resource="https://SERVER/"'}},
        {"redirect": "https://127.0.0.1:1/SERVER"},
        {"status": 200, "body": '{"value": "SERVER", "id": "https://SERVER/secrets/SERVER/1"}'},
        {"status": 200, "body": '{"value": ["SERVER"]}'},
        {"status": 503, "body": "SERVER"},
    ],
    ids=lambda fault: str(fault.get("status", "redirect")),
)
def test_the_words_of_a_vault_stay_in_the_journal(planted, fault):
    """Not even a code is repeated to everybody: who answers could send the secret back as one."""
    pytest.importorskip("cryptography", reason="the emulated vault needs it")
    from bootstrap.emulator import Emulator

    word = planted.words["SERVER"] = planted.canaries.add("SERVER", "QzxkVwjPqyUhBnfGdLsMrtEo")
    fault = planted.filled({**fault, "times": "forever"})
    document = {"version": 1, "secrets": {"db": {"vault": "contoso-prod", "name": "db"}}}
    planted.lay({"image": document})
    vaults = {"contoso-prod": {"rate": 0, "secrets": {"db": "x"}, "faults": [fault]}}
    with Emulator.serve({"rate": 0, "vaults": vaults}) as emulator:
        settings = [f"imds.endpoint={emulator.endpoint}", f"vaults.ca_file={emulator.ca_file}"]
        settings += [f"vaults.endpoint={emulator.vaults_endpoint}", "deadline=3"]
        ended = planted.run({"settings": settings})
    said = ended.stdout.decode()
    assert ended.returncode in {69, 75}, said
    assert "IB009" not in said
    assert (word in said) == (fault.get("status") in {400, 403})  # root is told the code
    for told in planted.public():
        assert planted.canaries.found_in(told) == set(), told.decode()
    assert "contoso-prod" in planted.public()[0].decode()


def test_a_fault_of_the_program_is_its_kind_alone(planted):
    """An exception that nobody foresaw may quote anything: only its class is told."""
    status = Status(clock=lambda: 0.0, now=lambda: 0.0)
    status.fail(ValueError(planted.words["VALUE"]))
    assert status.record["error"]["message"] == "a fault in imds-bootstrap: ValueError"
    assert planted.words["VALUE"] not in json.dumps(status.record)


def test_a_text_is_public_only_where_somebody_said_so():
    """A message, a hint, a warning or a finding that nobody marked is left out, whoever made it."""
    finding = Problem("quotes hunter2", where="userData:1", path="values.a", hint="hunter2")
    error = WriteError(f"writing {'hunter2'}", hint="hunter2", problems=[finding])
    assert error.as_public() == {
        "code": "IB501",
        "message": WriteError.about,
        "places": [{"where": "userData:1", "path": "values.a"}],
    }
    marked = CommandFailed(Public("/etc/a: its check ended with status 1"), hint=Public("look"))
    assert marked.as_public()["message"] == "/etc/a: its check ended with status 1"
    assert marked.as_public()["hint"] == "look"
    status = Status(clock=lambda: 0.0, now=lambda: 0.0)
    status.warn("quotes hunter2")
    status.warn(Public("names") + " hunter2")
    status.warn(Public("kept /etc/a"))
    assert "hunter2" not in json.dumps(status.record)
    assert status.record["warnings"][-1] == "kept /etc/a"


def test_every_error_has_words_for_everybody():
    """Each class says what it is about in a sentence of its own, without a place to fill in."""
    classes = [one for one in vars(errors).values() if isinstance(one, type)]
    for one in classes:
        if issubclass(one, BootstrapError):
            assert vars(one).get("about"), one.__name__


# What a public text may be made of: each was looked at, and names one of the things that may be
# named, counts, or is a word of this program or of the system's own error table.
REVIEWED = {
    *("change.path", "path", "paths.LOCK", "record.path", "folder"),  # paths
    *("spec.path", "self.destination", "PATH + name"),
    "note",  # where all environments in it have the form of a name
    *("error.strerror", "reason", "doing", "kept", "ended.failure", "type(error).__name__"),
    *("reference.name", "reference.vault", "vault", "named", "name"),  # secrets and vaults
    *("invalid", "unfit", "waited", "verdict.message", "verdict.hint", "late", "where", "stay"),
    *("refusal.outcome", "reason.outcome", "tally.counts", "self.tally.counts"),  # of answers
    *("_count(late)", "_count(refused)", "len(problems)", "MAX_FILE", "MAX_FILES"),
    *("error.public", "resolution.error.public", "self.about", "InternalError.about"),
    *("IdentityRefused.about", "IdentityUnavailable.about"),
    *("MetadataRefused.about", "MetadataUnavailable.about"),
    *("NAME", "subject", "self.name", "decoded.what", "unnamed", "self._holder()"),
    *("program(command)", "PROGRAM", "DOCUMENT_FOLDER"),
    *("message", "hint", "text", "told"),  # handed to a function that says so of its callers
    *("error", "'; '.join(public + back)"),
    "f'{named}: {invalid}' if invalid else ''",
    "_HINTS.get(outcome) or _HINTS_BY_CLASS.get(outcome[:1], '')",
}


def pieces():
    """Everything that is put into a text as it is marked, with its module."""
    package = Path(bootstrap.__file__).parent
    for path in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Public":
                [text] = node.args
                parts = text.values if isinstance(text, ast.JoinedStr) else [text]
                for part in parts:
                    if isinstance(part, ast.FormattedValue):
                        yield ast.unparse(part.value), path.name
                    elif not isinstance(part, ast.Constant):
                        yield ast.unparse(part), path.name


def test_what_is_put_into_a_public_text_was_looked_at():
    """A new piece of a text for everybody comes to this list, and to somebody's eyes."""
    assert {f"{piece} in {name}" for piece, name in pieces() if piece not in REVIEWED} == set()
