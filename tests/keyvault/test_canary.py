"""No secret shows where it should not: values and tokens that are nowhere else are searched for.

The targets aside, every stream and every file is searched, for the value in each encoding and for
any eight characters of it; files that hold a secret by their nature have to keep it to themselves.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import sys
import time
from pathlib import Path

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parent))  # tests are no package
from canaries import Canaries
from canary_machine import DOCUMENT, FAULTY, CanaryMachine, vault_of

from bootstrap.cli.options import VERBS
from bootstrap.emulator import Emulator

pytestmark = pytest.mark.process

HERE = Path(__file__).parent
CASES = yaml.safe_load((HERE / "cases" / "canary.yaml").read_text(encoding="utf-8"))
LONG = "x" * 300  # characters: longer than any file's name may be
UNTOLD = ("clean", "demo", "emulate", "run", "schema")  # no question about a machine


@pytest.fixture
def canaries(monkeypatch):
    """The values to look for; every token and every key that the emulator makes is one."""
    planted = Canaries()
    make = secrets.token_urlsafe
    monkeypatch.setattr(secrets, "token_urlsafe", lambda *size: planted.add("a token", make(*size)))
    return planted


@pytest.fixture
def machine(tmp_path, canaries):
    """A machine with the document, and a vault that has what it names."""
    vaults = {"contoso-prod": {"rate": 0, "secrets": vault_of(canaries)}}
    with Emulator.serve({"rate": 0, "vaults": vaults}) as emulator:
        one = CanaryMachine(tmp_path, canaries, emulator)
        one.image(DOCUMENT)
        (one.root / "etc" / "folder").mkdir()
        (one.root / "etc" / "hostname").write_text("shop-01\n")
        yield one


def quiet(machine):
    """Nothing is told outside of the targets, and none of these shows more than it should."""
    assert machine.leaks() == {}
    assert machine.exposed() == {}
    assert sum(path.stat().st_size for path in (machine.around / "streams").iterdir())


def test_the_search_finds_a_leak_and_an_open_target(machine, canaries):
    """A canary in the state, in a stream, in a file's name, or in a target that is open to all."""
    leaked = canaries.plain("leaked")
    assert machine.agent("run").code == 0
    quiet(machine)
    state = next((machine.root / "var").rglob("state.json"))
    state.write_text(state.read_text().replace("{", f'{{"x": "{leaked[:8]}", ', 1))
    stream = next((machine.around / "streams").iterdir())
    stream.write_text(base64.b64encode(leaked.encode()).decode())
    (machine.around / "tmp" / leaked).touch()
    assert set(machine.leaks()) == {
        str(state),
        str(stream),
        str(machine.around / "tmp" / leaked),
    }
    (machine.root / "etc" / "app" / "api").chmod(0o644)
    assert list(machine.exposed()) == [str(machine.root / "etc" / "app" / "api")]


# What goes well ---------------------------------------------------------------------------------


def questions():
    """Every verb that tells of a machine, as far as it goes without more words."""
    words = {
        "plan": [["plan", "--diff"], ["run", "--dry-run"]],
        "show": [
            *(["show", what] for what in ("instance", "tags", "settings", "secrets")),
            ["show", "config", "--origin"],
        ],
        "get": [["get", "values.db.password"], ["get", "values"], ["get", "values.db"]],
        "render": [["render", f"/etc/app/{name}"] for name in ("api", "db", "user", "blob")],
        "validate": [["validate", "--image", "DOCUMENT"], ["validate", "DOCUMENT"]],
    }
    for verb in sorted(VERBS.keys() - set(UNTOLD)):
        yield from words.get(verb, [[verb]])


def test_every_verb_keeps_quiet(machine, canaries):
    """Before the first run, after it, after a rotation, after drift: no verb tells a secret."""
    document = str(machine.root / "etc" / "imds-bootstrap" / "config.d" / "10-app.yaml")
    asked = [[document if word == "DOCUMENT" else word for word in one] for one in questions()]
    assert machine.agent("-v", "plan", "--diff").code == 0
    assert machine.agent("-v", "run", program=FAULTY).code == 0
    assert {"api", "db", "wide", "user"} <= set(machine.holding())
    rotated = {"contoso-prod": {"rate": 0, "secrets": vault_of(canaries, "second")}}
    machine.emulator.change(vaults=rotated)
    (machine.root / "etc" / "app" / "db").write_text("spoilt\n")
    for number, words in enumerate(asked):
        machine.agent(*(["--format", "json"] if number % 2 else ["-v"]), *words)
    assert machine.agent("-v", "--format", "json", "run").code == 0
    machine.agent("clean")
    quiet(machine)
    assert "api.imds-bootstrap.bak" in machine.holding()


def test_no_verb_is_forgotten():
    """A verb that comes to the program comes to this test."""
    assert {one[0] for one in questions()} | set(UNTOLD) == set(VERBS)


def test_a_secret_that_leaves_a_file_is_not_shown_either(machine):
    """A diff has two sides: a file that held a secret, and one that is removed."""
    assert machine.agent("run").code == 0
    files = [{**one, "content": "no more\n"} for one in DOCUMENT["files"][:3]]
    machine.image({**DOCUMENT, "files": files})
    for words in (["plan", "--diff"], ["--format", "json", "plan", "--diff"], ["run"], ["verify"]):
        assert machine.agent("--set", "prune=true", *words).code == 0
    quiet(machine)


def test_commands_get_no_secret_they_were_not_given(machine, tmp_path):
    """Neither in their arguments, nor in their environment, nor by looking at who started them."""
    spy = f"exec >>{machine.around}/spied 2>&1; echo $*; env; cat /proc/self/cmdline"
    spy += " /proc/$PPID/cmdline /proc/$PPID/environ; ls -l /proc/$PPID/fd"
    tool = tmp_path / "bin" / "systemd-creds"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\n(sh -c '{spy}' spy $*)\nsha256sum\n")
    tool.chmod(0o755)
    machine.image(
        {
            **DOCUMENT,
            "secrets": {
                **DOCUMENT["secrets"],
                "sealed": {"vault": "contoso-prod", "name": "token", "credential": "sealed"},
            },
            "files": [
                {"path": "/etc/app/a", "content": "{{ secrets.api }}", "notify": ["spy"]}
                | {"check": ["sh", "-c", spy, "{path}"]}
            ],
            "handlers": {"spy": ["sh", "-c", spy]},
        }
    )
    path = f"{tool.parent}{os.pathsep}{os.environ['PATH']}"
    assert machine.agent("run", PATH=path).code == 0
    assert "encrypt" in (machine.around / "spied").read_text(errors="replace")
    quiet(machine)


# What fails -------------------------------------------------------------------------------------


def filled(value, machine, canaries):
    """The case with its placeholders replaced."""
    text = json.dumps(value).replace("ROOT", str(machine.root)).replace("LONG", LONG)
    return json.loads(text.replace("CANARY", canaries.plain("quoted")))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_failure_keeps_quiet(case, machine, canaries):
    """However a run fails, it says what is wrong and not what the secret is."""
    case = filled(case, machine, canaries)
    added = {key: case.get(key, {}) for key in ("secrets", "handlers")}
    machine.image({"version": 1, "files": case.get("files", []), **added}, "config.d/20-case.yaml")
    vault = {"rate": 0, "secrets": vault_of(canaries), **case.get("vault", {})}
    machine.emulator.change(vaults={"contoso-prod": vault}, **case.get("machine", {}))
    settings = [f"--set={one}" for one in (*case.get("settings", ()), "vaults.grace=0.5")]
    settings.append(f"--set=deadline={case.get('deadline', 20)}")
    ended = machine.agent("-v", *settings, "run", program=FAULTY)
    assert ended.code == case.get("code", ended.code or 1), ended.said
    assert case["says"] in ended.said
    assert "IB009" not in ended.said, ended.said  # a fault of the program itself
    told = machine.agent("-v", "--format", "json", *settings, "plan", "--diff")
    assert told.code == case.get("plan", ended.code), told.said
    quiet(machine)


FAULTS = [
    "bootstrap.keyvault.responses:validity",
    "bootstrap.keyvault.fetch:_convert",
    "bootstrap.keyvault.encoding:form",
    "bootstrap.keyvault.request:classify",
    "bootstrap.keyvault.client:Vault._get",
    "bootstrap.identity.managed_identity:Identity._fetch",
    "bootstrap.http.transport:get",
    "bootstrap.keyvault.resolve:resolve_secrets",
    "bootstrap.keyvault.resolve:ResolvedSecrets.substitute",
    "bootstrap.render.credentials:_render",
    "bootstrap.render.contents:render_files",
    "bootstrap.render.rendering:render",
    "bootstrap.apply.plan.plan:plan",
    "bootstrap.fs.write:write",
    "bootstrap.fs.write:rename",
    "bootstrap.state.store:save",
    "json:loads",
    "requests.adapters:HTTPAdapter.send",
    "ssl:SSLSocket.read",
]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_program_keeps_quiet(fault, machine, canaries):
    """A bug whose exception, arguments and frames are full of secrets tells its place, no more."""
    worth = machine.root.parent / "worth"
    worth.write_text(canaries.odd("worth"))
    environ = {"FAULT": fault, "WORTH": str(worth)}
    ended = machine.agent("-v", "--set=deadline=1.5", "run", program=FAULTY, **environ)
    assert ended.code, ended.said
    quiet(machine)


@pytest.mark.parametrize(
    "fault",
    [
        "bootstrap.cli.options:columns_of",
        "bootstrap.cli.options:print_json",
        "bootstrap.report.diagnostic:describe",
        "bootstrap.report.log:Log.error",
    ],
)
def test_a_report_that_fails_keeps_quiet(fault, machine, canaries):
    """When even the telling of an error fails, its code is said, in one line and nothing more."""
    worth = machine.root.parent / "worth"
    worth.write_text(canaries.odd("worth"))
    environ = {"FAULT": fault, "WORTH": str(worth)}
    ended = machine.agent("--format", "json", "get", "nothing", program=FAULTY, **environ)
    assert ended.code == 1
    *_, last = ended.said.splitlines()
    assert last.startswith("error[IB009] a fault in imds-bootstrap: RuntimeError at ")
    assert last.endswith(", while telling of error[IB001]")
    assert "Traceback" not in ended.said
    quiet(machine)


# What is cut short ------------------------------------------------------------------------------


def killer(root, when):
    """A check that kills the agent, with the files staged or with their names given."""
    words = ["sh", "-c", "kill -9 $PPID; sleep 1"]
    return words + (["{path}"] if when == "staged" else [])


@pytest.mark.parametrize("when", ["staged", "published", "notified"])
@pytest.mark.parametrize("again", [False, True])
def test_a_crash_leaves_its_secrets_to_their_owner(when, again, machine, canaries):
    """What a killed run leaves beside its targets is as closed as they are; so is the recovery."""
    if again:  # there are old files, which are kept while new ones take their place
        assert machine.agent("run").code == 0
        rotated = {"contoso-prod": {"rate": 0, "secrets": vault_of(canaries, "second")}}
        machine.emulator.change(vaults=rotated)
    last = {"path": "/etc/app/zz", "content": "{{ secrets.api }}"}
    if when == "notified":
        case = {"files": [last | {"notify": ["kill"]}], "handlers": {"kill": killer("", when)}}
    else:
        case = {"files": [last | {"check": killer("", when)}]}
    machine.image({"version": 1, **case}, "config.d/20-case.yaml")
    assert machine.agent("-v", "run").code == -9
    assert machine.holding()
    quiet(machine)
    machine.image({"version": 1, "files": [last]}, "config.d/20-case.yaml")
    assert machine.agent("-v", "plan", "--diff").code == 0
    ended = machine.agent("-v", "run")
    assert ended.code == 0, ended.said
    machine.agent("-v", "status")
    quiet(machine)


@pytest.mark.parametrize("call", ["rename", "fsync", "link"])
def test_a_kill_between_two_names_keeps_quiet(call, machine):
    """A kill at the third call of this kind, wherever that is in the commit."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    calls = f"/^{call}(at)?(2)?$" if call != "fsync" else "fsync"
    kill = ["strace", "-f", "-o", "/dev/null", "-e", f"trace={calls}"]
    kill += ["-e", f"inject={calls}:signal=KILL:when=3"]
    assert machine.agent("run").code == 0
    for name in ("api", "db", "user", "wide"):
        (machine.root / "etc" / "app" / name).write_text("spoilt\n")
    ended = machine.agent("-v", "run", before=kill)
    assert ended.code == -9, ended
    quiet(machine)
    assert machine.agent("-v", "run").code == 0
    quiet(machine)


def test_an_interrupt_keeps_quiet(machine):
    """Ctrl-C while the vault is silent, and while a check runs: no traceback, no secret."""
    silent = {"contoso-prod": {"faults": [{"status": 503, "times": "forever"}]}}
    vaults = {"contoso-prod": {"rate": 0, "secrets": {}}}
    marker = machine.around / "tmp" / "checking"
    check = ["sh", "-c", f"cat $0; touch {marker}; sleep 30", "{path}"]
    slow = {"path": "/etc/app/slow", "content": "{{ secrets.api }}", "check": check}
    machine.image({"version": 1, "files": [slow]}, "config.d/20-case.yaml")
    process = machine.start("-v", "run", program=FAULTY)
    until(marker.exists)
    ended = machine.interrupt(process)
    assert ended.code == 130, ended.said
    machine.emulator.change(vaults=vaults | silent)
    process = machine.start("-v", "run", program=FAULTY)
    until(lambda: "vault.retry" in machine.heard())
    ended = machine.interrupt(process)
    assert ended.code == 130, ended.said
    assert "Traceback" not in ended.said
    quiet(machine)


def until(happened):
    """Wait for a sign of another process, for as long as a case may take."""
    end = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("target", ["state", "status", "template", "full"])
def test_a_strange_disk_keeps_quiet(target, machine):
    """The agent's own files are folders, or there is no room for a single byte."""
    before = ()
    if target == "state":
        assert machine.agent("run").code == 0
        state = next((machine.root / "var").rglob("state.json"))
        state.unlink()
        state.mkdir()
    elif target == "status":
        (machine.root / "run" / "imds-bootstrap" / "status.json").mkdir(parents=True)
    elif target == "template":
        (machine.root / "etc" / "imds-bootstrap" / "templates" / "x.j2" / "y").mkdir(parents=True)
    else:
        before = ("sh", "-c", 'ulimit -f 0; exec "$@" 2>&1 | cat', "sh")
    machine.agent("-v", "run", before=before)
    machine.agent("-v", "verify")
    quiet(machine)


@pytest.mark.parametrize("proxy", ["127.0.0.1:9", "127.0.0.1:port", "[::1"])
def test_a_proxy_keeps_its_password(proxy, machine, canaries):
    """A proxy's user and password stand in an address that is never told, whatever it does."""
    credentials = f"{canaries.plain('user')}:{canaries.plain('password')}"
    environ = {"IMDS_BOOTSTRAP_VAULTS_ENDPOINT": "", "NO_PROXY": "", "no_proxy": ""}
    environ["https_proxy"] = f"http://{credentials}@{proxy}"
    ended = machine.agent("-v", "--set=deadline=6", "run", program=FAULTY, **environ)
    assert ended.code in {69, 75}, ended.said
    assert "IB009" not in ended.said, ended.said
    assert "proxy" in ended.said
    quiet(machine)


def test_arc_keeps_its_key_to_itself(machine, tmp_path):
    """The key that the challenge names is no less a secret than the token."""
    tokens = "/var/opt/azcmagent/tokens"
    arc = {"tokens": f"{machine.root}{tokens}", "announced": tokens}
    machine.emulator.change(arc=arc)
    environ = {**machine.emulator.arc_environment, "IMDS_BOOTSTRAP_IMDS_ENDPOINT": ""}
    ended = machine.agent("-v", "run", program=FAULTY, **environ)
    assert ended.code == 0, ended.said
    machine.emulator.change(arc={**arc, "announced": "/var/opt/elsewhere"})
    assert machine.agent("-v", "run", program=FAULTY, **environ).code == 69
    shutil.rmtree(machine.root / "var" / "opt")
    quiet(machine)
