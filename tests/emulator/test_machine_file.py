"""Machine files: what each key does, and every mistake at its place."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from bootstrap.config.schema.lookup import walk
from bootstrap.config.schema.values import ValuesSchema
from bootstrap.document import parse
from bootstrap.emulator.fault import Fault
from bootstrap.emulator.identities import Arc, Identity
from bootstrap.emulator.machine import Machine
from bootstrap.emulator.machine_file import machine_shape, read_machine
from bootstrap.emulator.vault import CertificateSpec, SecretSpec, SecretVersion, Vault
from bootstrap.errors import InvalidDocument
from bootstrap.frozen import fields_of
from bootstrap.imds.versions import KNOWN_VERSIONS
from bootstrap.report.diagnostic import describe

INVALID = sorted(Path(__file__).with_name("cases").joinpath("invalid").glob("*.yaml"))

# Every key at once, as the reference shows them.
WHOLE = """
name: shop-01
location: northeurope
vmId: 02aab8a4-74ef-476e-8182-f6d2ba4166a6
environment: AzureUSGovernment
tags: {Environment: test, "config:web.port": "8080"}
userData: |
  #imds-bootstrap
  version: 1
compute: {vmSize: Standard_A3}
network: null
apiVersions: ["2021-01-01", "2019-06-04"]
rate: 0
faults:
  - {status: 503, times: 3, headers: {Retry-After: 1}, body: later}
  - {delay: 1.5}
  - {drip: 0.2}
  - reset
  - {truncate: 100}
  - html
  - partial
  - {redirect: "http://127.0.0.1:1/"}
  - {times: 2}
  - {silence: true, times: forever}
gone: 5
starts: 3
identities:
  system: false
  user:
    - clientId: 3f1c7e52-9a40-4b7e-8f0a-5a1b2c3d4e5f
      objectId: 7d44a1a2-1f0e-4a58-9a55-0c9dd54c3c11
      resourceId: /r
identityDelay: 20
identityRate: 0
identityFaults: [{status: 410}]
tokenLifetime: 60
arc: {tokens: /tokens, announced: /named, oldAgent: true}
vaults:
  Contoso-Prod:
    secrets:
      plain: text
      whole: {value: v, contentType: t, enabled: false, notBefore: 7, expires: "1970-01-01T00:01Z"}
      listed:
        versions: [{value: v, version: 0123456789abcdef0123456789abcdef}]
        forbidden: AccessDenied
    certificates:
      tls:
      full:
        {subject: CN=w, names: [w.example], form: pem, key: ec, days: 1.5, renewed: 2,
         enabled: false}
    forbidden: ForbiddenByFirewall
    allowed: [3f1c7e52-9a40-4b7e-8f0a-5a1b2c3d4e5f]
    grantAfter: 3
    rate: 0
    faults: [reset]
  empty:
"""

IDENTITY = Identity(
    client_id="3f1c7e52-9a40-4b7e-8f0a-5a1b2c3d4e5f",
    object_id="7d44a1a2-1f0e-4a58-9a55-0c9dd54c3c11",
    resource_id="/r",
)
FIRST = "0123456789abcdef0123456789abcdef"
VAULT = Vault(
    secrets={
        "plain": SecretSpec(versions=(SecretVersion(value="text"),)),
        "whole": SecretSpec(
            versions=(
                SecretVersion(value="v", content_type="t", enabled=False, not_before=7, expires=60),
            )
        ),
        "listed": SecretSpec(
            versions=(SecretVersion(value="v", version=FIRST),),
            listed=True,
            forbidden="AccessDenied",
        ),
    },
    certificates={
        "tls": CertificateSpec(subject="CN=tls"),
        "full": CertificateSpec(
            subject="CN=w",
            names=("w.example",),
            form="pem",
            key="ec",
            days=1.5,
            renewed=2,
            enabled=False,
        ),
    },
    forbidden="ForbiddenByFirewall",
    allowed=("3f1c7e52-9a40-4b7e-8f0a-5a1b2c3d4e5f",),
    grant_after=3,
    rate=0,
    faults=(Fault(reset=True),),
)


@pytest.mark.parametrize("path", INVALID, ids=[path.stem for path in INVALID])
def test_mistakes_are_all_found_at_their_places(path):
    """Each file in cases/invalid gets exactly the problems that its last lines, `#!`, tell."""
    text = path.read_text(encoding="utf-8")
    expected = [line.removeprefix("#! ") for line in text.splitlines() if line.startswith("#!")]
    with pytest.raises(InvalidDocument) as caught:
        read_machine(text, "m")
    assert [told(problem) for problem in caught.value.problems] == expected


def told(problem):
    place = problem.where.removeprefix("m:")
    hint = f" ({problem.hint})" if problem.hint else ""
    return f"{place} {problem.path or '.'}: {problem.message}{hint}"


def test_every_key_is_understood():
    """The whole of a machine file becomes the machine that it describes."""
    user_data = base64.b64encode(b"#imds-bootstrap\nversion: 1\n").decode()
    assert read_machine(WHOLE, "m") == Machine(
        name="shop-01",
        location="northeurope",
        given_vm_id="02aab8a4-74ef-476e-8182-f6d2ba4166a6",
        environment="AzureUSGovernment",
        tags={"Environment": "test", "config:web.port": "8080"},
        user_data=user_data,
        compute={"vmSize": "Standard_A3"},
        network=None,
        api_versions=("2019-06-04", "2021-01-01"),
        rate=0,
        faults=(
            Fault(status=503, times=3, headers=(("Retry-After", "1"),), body="later"),
            Fault(delay=1.5),
            Fault(drip=0.2),
            Fault(reset=True),
            Fault(truncate=100),
            Fault(html=True),
            Fault(partial=True),
            Fault(redirect="http://127.0.0.1:1/"),
            Fault(times=2),
            Fault(silence=True, times=None),
        ),
        gone=5,
        starts=3,
        has_system_identity=False,
        user_identities=(IDENTITY,),
        identity_delay=20,
        identity_rate=0,
        identity_faults=(Fault(status=410),),
        token_lifetime=60,
        arc=Arc(tokens="/tokens", announced="/named", old_agent=True),
        vaults={"contoso-prod": VAULT, "empty": Vault()},
    )


def test_the_schema_and_the_values_name_the_same_things():
    """Every key of a fault is a field of Fault; every plain key of a machine, one of Machine."""
    rules = machine_shape().root
    assert rules["$defs"]["faultKeys"]["properties"].keys() == set(fields_of(Fault))
    renamed = {"$schema", "vmId", "apiVersions", "userData", "userDataFile", "userDataBase64"}
    renamed |= {"identities", "identityDelay", "identityRate", "identityFaults", "tokenLifetime"}
    assert set(rules["properties"]) - renamed < set(fields_of(Machine))


def test_the_schema_is_valid():
    """It is JSON Schema 2020-12 with a name of its own and without remote references."""
    rules = machine_shape().root
    assert rules["$id"].endswith("/schema/machine.schema.json")
    ValuesSchema(parse(json.dumps(rules), "machine.schema.json"))


def test_every_key_is_described():
    """Whoever hovers over a key in an editor reads what it does."""
    rules = machine_shape().root
    for path, part in walk(rules):
        for name, said in part.get("properties", {}).items():
            referred = rules["$defs"].get(said.get("$ref", "")[8:], {})
            assert "description" in said or "description" in referred, (path, name)


def test_the_schema_lists_the_api_versions():
    """An editor offers the api-versions that the emulator knows."""
    listed = machine_shape().root["properties"]["apiVersions"]["items"]["enum"]
    assert tuple(listed) == KNOWN_VERSIONS


def test_the_defaults_of_the_schema_are_those_of_the_machine():
    """What an editor shows as a default is what a file that leaves the key out gets."""
    rules = machine_shape().root
    for key, part in rules["properties"].items():
        if "default" in part:
            named = f"{key}: {json.dumps(part['default'])}\n"
            assert read_machine(named, "m") == Machine(), key
    parts = {"certificate": CertificateSpec(), "vault": Vault(), "faultKeys": Fault()}
    fields = {"grantAfter": "grant_after"}
    for name, value in parts.items():
        for key, part in rules["$defs"][name]["properties"].items():
            if "default" in part:
                assert getattr(value, fields.get(key, key)) == part["default"], (name, key)


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}\n", "---\n"])
def test_nothing_said_is_a_plain_machine(text):
    """Every key is optional."""
    assert read_machine(text, "m") == Machine()


def test_syntax_is_told_like_any_other_mistake():
    """YAML that cannot be read has a place, too."""
    with pytest.raises(InvalidDocument) as caught:
        read_machine("tags: {a: b\n", "m")
    assert caught.value.problems[0].where.startswith("m:")


@pytest.mark.parametrize(
    "text",
    [
        "vaults: {a: {secrets: {b: 'canary' c}}}\n",
        "vualts: {contoso-prod: {secrets: {b: canary}}}\n",
        "vaults: {contoso-prod: {secrets: {b: {vlaue: canary}}}}\n",
        "vaults: {contoso-prod: {secrets: {b: {value: v, version: canary}}}}\n",
        "vaults: {contoso-prod: {secrets: {b: {versions: [canary]}}}}\n",
        "vaults: {contoso-prod: {secrets: [canary]}}\n",
        "vaults: {contoso-prod: {b: canary}}\n",
        "vaults: canary\n",
        "secrets: {b: canary}\n",
        "- canary\n",
        "canary\n",
    ],
)
def test_a_misplaced_secret_is_not_repeated(text):
    """Neither a message nor a line shows what may be the value of a secret."""
    with pytest.raises(InvalidDocument) as caught:
        read_machine(text, "m")
    assert "canary" not in describe(caught.value)


def test_a_mistake_is_underlined_where_it_stands():
    """Beside vaults, too, the line of a mistake is shown, with the nearest name."""
    text = "nmae: shop\nvaults: {contoso-prod: {secrets: {b: canary}}}\n"
    with pytest.raises(InvalidDocument) as caught:
        read_machine(text, "m")
    assert describe(caught.value) == (
        "error[IB105] m is not a valid machine file\n"
        "  --> m:1:1  nmae\n"
        "   |\n"
        " 1 | nmae: shop\n"
        '   | ^^^^ the key "nmae" is not known here\n'
        "   = help: did you mean name?\n"
    )


@pytest.mark.parametrize(
    ("time", "valid"),
    [("2030-01-31", True), ("2030-01-31T12:00Z", True), ("2030-01-31 12:00:00.123+02:00", True),
     ("2030-02-31", False), ("2030-01-31T24:30Z", False), ("20300131", False), ("soon", False)],
)  # fmt: skip
def test_a_time_is_one_that_every_python_reads(time, valid):
    """A time has the form that the schema gives, and is in the calendar; it is found once."""
    text = f"vaults: {{contoso-prod: {{secrets: {{b: {{value: v, expires: '{time}'}}}}}}}}\n"
    if valid:
        assert read_machine(text, "m").vaults["contoso-prod"].secrets["b"].versions[0].expires
    else:
        with pytest.raises(InvalidDocument) as caught:
            read_machine(text, "m")
        assert len(caught.value.problems) == 1


def test_a_whole_number_may_have_a_point():
    """JSON Schema calls 2.0 an integer; it works as one."""
    fault = "{times: 2.0, status: 503.0, truncate: 1.0, headers: {Retry-After: 1.0}}"
    secret = "{value: v, expires: 7.0}"
    machine = read_machine(
        f"faults: [{fault}]\nvaults: {{contoso-prod: {{secrets: {{b: {secret}}}}}}}\n", "m"
    )
    expected = Fault(times=2, status=503, truncate=1, headers=(("Retry-After", "1"),))
    assert repr(machine.faults) == repr((expected,))
    assert repr(machine.vaults["contoso-prod"].secrets["b"].versions[0].expires) == "7"


def test_a_value_is_at_most_25_kib():
    """The limit counts bytes, in each place where a value stands, and is found once."""
    for size, letter, valid in ((25_600, "x", True), (25_601, "x", False), (12_801, "é", False)):
        value = letter * size
        for entry in (value, f"{{value: {value}}}", f"{{versions: [{{value: {value}}}]}}"):
            text = f"vaults: {{contoso-prod: {{secrets: {{b: {entry}}}}}}}\n"
            if valid:
                read_machine(text, "m")
            else:
                with pytest.raises(InvalidDocument) as caught:
                    read_machine(text, "m")
                assert len(caught.value.problems) == 1


def test_a_folder_is_no_user_data(tmp_path):
    """A userDataFile that cannot be read is a mistake at its place."""
    with pytest.raises(InvalidDocument) as caught:
        read_machine("userDataFile: .\n", "m", str(tmp_path))
    assert caught.value.problems[0].path == "userDataFile"


@pytest.mark.parametrize(("size", "valid"), [(65_536, True), (65_537, False)])
def test_user_data_is_at_most_64_kib(tmp_path, size, valid):
    """The platform's limit holds for text and for a file; base64 is served however long."""
    (tmp_path / "data").write_bytes(b"x" * size)
    text = "x" * size
    for machine in (f"userData: {text}\n", "userDataFile: data\n"):
        if valid:
            read_machine(machine, "m", str(tmp_path))
        else:
            with pytest.raises(InvalidDocument, match="machine file"):
                read_machine(machine, "m", str(tmp_path))
    read_machine(f"userDataBase64: {text}\n", "m")


def test_the_help_shows_a_valid_machine_file():
    """What `emulate --help` prints as an example is one."""
    from bootstrap.cli import emulate

    example = "\n".join(line[4:] for line in emulate.__doc__.splitlines() if line[:4] == "    ")
    machine = read_machine(example, "m")
    assert (machine.name, machine.gone, len(machine.faults)) == ("shop-01", 5, 8)
