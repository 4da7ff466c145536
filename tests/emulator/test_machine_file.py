"""Machine files: what each key does, and every mistake at its place."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from bootstrap.emulator.kinds import FAULT, MACHINE
from bootstrap.emulator.machine import Fault, Machine
from bootstrap.emulator.machine_file import read_machine
from bootstrap.errors import InvalidDocument

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
"""


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
    )


def test_the_tables_and_the_values_name_the_same_things():
    """Every key of a fault is a field of Fault; every plain key of a machine, one of Machine."""
    assert FAULT.keys() == set(Fault.__dataclass_fields__)
    renamed = {"vmId", "apiVersions", "userData", "userDataFile", "userDataBase64"}
    assert set(MACHINE) - renamed < set(Machine.__dataclass_fields__)


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}\n", "---\n"])
def test_nothing_said_is_a_plain_machine(text):
    """Every key is optional."""
    assert read_machine(text, "m") == Machine()


def test_syntax_is_told_like_any_other_mistake():
    """YAML that cannot be read has a place, too."""
    with pytest.raises(InvalidDocument) as caught:
        read_machine("tags: {a: b\n", "m")
    assert caught.value.problems[0].where.startswith("m:")


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
