"""What a standard stream refuses is told for what it is, by every verb, and fails nothing else."""

import base64
import json
import os
import pty
import subprocess
import sys

import pytest

from bootstrap.cli.options import VERBS

pytestmark = pytest.mark.process

PROGRAM = [sys.executable, "-m", "bootstrap"]
LARGE = 40_000  # characters: several times what any buffer holds
SECONDS = 60
LOST = 1  # the exit code of a command that was carried out and could not say so
NO_ROOM, FAILS, NOT_WRITABLE = (
    "No space left on device",
    "Input/output error",
    "Bad file descriptor",
)


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """A machine that was configured, one that was not, and one for those who change it."""
    folder = tmp_path_factory.mktemp("machines")
    user_data = f"#imds-bootstrap\nversion: 1\nvalues: {{a: {'z' * LARGE}}}\n"
    text = base64.b64encode(user_data.encode()).decode()
    document = {"vmId": "02aab8a4-74ef-476e-8182-f6d2ba4166a6", "tagsList": [], "userData": text}
    (folder / "instance.json").write_text(json.dumps({"compute": document, "network": {}}))
    (folder / "machine.yaml").write_text("rate: 0\n")
    (folder / "bad.yaml").write_text("version: 1\nfiles:\n" + "  - {path: etc}\n" * 100)
    for name in ("configured", "fresh", "changed"):
        image = folder / name / "etc" / "imds-bootstrap" / "config.d"
        image.mkdir(parents=True)
        entry = f"{{path: /etc/app/large, content: '{'y' * LARGE}'}}"
        (image / "10-app.yaml").write_text(f"version: 1\nfiles: [{entry}]\n")
    assert call(folder, "run", root="configured").returncode == 0
    return folder


@pytest.fixture(scope="module")
def usual(machine):
    """How each verb ends when all is well."""
    return {verb: call(machine, verb) for verb in VERBS}


ROOTS = {"plan": "fresh", "run": "changed", "clean": "changed"}


def words(folder, verb):
    """A call of the verb that has more to say than a buffer holds, where it can."""
    offline = ["--offline", str(folder / "instance.json")]
    known = {
        "run": ["run", *offline],
        "plan": ["plan", "--diff", *offline],
        "show": ["show", "instance", *offline],
        "get": ["get", "instance.compute.userData", *offline],
        "validate": ["validate", str(folder / "bad.yaml")],
        "render": ["render", "/etc/app/large", *offline],
        "schema": ["schema", "document"],
        "emulate": ["emulate", "--help"],
        "demo": ["demo", "--help"],
    }
    return known.get(verb, [verb])


def call(folder, verb, *, root="", stdout=subprocess.PIPE, stderr=subprocess.PIPE, **environ):
    root = folder / (root or ROOTS.get(verb, "configured"))
    return subprocess.run(
        [*PROGRAM, "--root", str(root), *words(folder, verb)],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        env={**os.environ, **environ},
        cwd=folder,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def refusing(kind):
    """A descriptor that takes nothing."""
    if kind == NO_ROOM:
        return os.open("/dev/full", os.O_WRONLY)
    if kind == NOT_WRITABLE:
        return os.open("/dev/null", os.O_RDONLY)
    if kind == FAILS:
        master, slave = pty.openpty()
        os.close(master)  # the terminal has gone away
        return slave
    reading, writing = os.pipe()
    os.close(reading)
    return writing


@pytest.mark.parametrize("kind", [NO_ROOM, FAILS, NOT_WRITABLE])
@pytest.mark.parametrize("verb", VERBS)
def test_lost_output_is_told_for_what_it_is(machine, usual, verb, kind):
    """No verb calls it a fault of its own: it says why, and ends as it would have, or with 1."""
    descriptor = refusing(kind)
    ended = call(machine, verb, stdout=descriptor)
    os.close(descriptor)
    assert f"error: writing the output: {kind}\n" in ended.stderr
    assert "fault" not in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.returncode == (usual[verb].returncode or LOST)


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("verb", VERBS)
def test_a_reader_who_left_is_no_error(machine, usual, verb, unbuffered):
    """Nobody complains of a pipe that nobody reads any more, and nothing is left undone."""
    descriptor = refusing("gone")
    ended = call(machine, verb, stdout=descriptor, PYTHONUNBUFFERED=unbuffered)
    os.close(descriptor)
    assert "error: writing" not in ended.stderr
    assert "fault" not in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.returncode in {usual[verb].returncode, 141}


@pytest.mark.parametrize("kind", [NO_ROOM, "gone"])
@pytest.mark.parametrize("verb", VERBS)
def test_a_log_that_cannot_be_written_changes_nothing(machine, usual, verb, kind):
    """With standard error gone, the data and the exit code are the same."""
    descriptor = refusing(kind)
    ended = call(machine, verb, stderr=descriptor)
    os.close(descriptor)
    assert ended.returncode == usual[verb].returncode
    if verb not in ROOTS:  # what these say depends on who came before
        assert ended.stdout == usual[verb].stdout


@pytest.mark.parametrize("kind", [NO_ROOM, FAILS, NOT_WRITABLE, "gone"])
def test_a_run_that_cannot_speak_is_carried_out(machine, kind):
    """Both streams refuse: every file is written all the same, and the status says so."""
    place = machine / "changed" / "etc" / "app" / "large"
    place.unlink(missing_ok=True)
    descriptor = refusing(kind)
    call(machine, "run", stdout=descriptor, stderr=descriptor)
    os.close(descriptor)
    status = json.loads((machine / "changed/run/imds-bootstrap/status.json").read_text())
    assert status["result"] == "configured"
    assert place.read_text() == "y" * LARGE


def test_a_pipe_that_does_not_block_gets_all(machine):
    """Whoever made the pipe non-blocking gets the whole output, however slowly it is read."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with subprocess.Popen(
        [*PROGRAM, *words(machine, "show")],
        stdout=writing,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            got = pipe.read()
        assert process.wait(SECONDS) == 0
        assert process.stderr.read() == b""
    assert got.decode() == call(machine, "show").stdout


def test_the_emulator_serves_on_when_its_log_is_gone(machine):
    """A full log of requests ends no request, and not the emulator."""
    from http.client import HTTPConnection
    from urllib.parse import urlsplit

    descriptor = refusing("gone")
    command = [*PROGRAM, "emulate", str(machine / "machine.yaml"), "--listen", "127.0.0.1:0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=descriptor, text=True
    ) as emulator:
        os.close(descriptor)
        host = urlsplit(emulator.stdout.readline().strip()).netloc
        for _ in range(3):
            connection = HTTPConnection(host, timeout=10)
            connection.request("GET", "/metadata/versions", headers={"Metadata": "true"})
            assert connection.getresponse().status == 200
            connection.close()
        emulator.terminate()
