"""`imds-bootstrap emulate`, run as a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

pytestmark = pytest.mark.process

EMULATE = [sys.executable, "-m", "bootstrap", "emulate"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.fixture
def start():
    """Run the command until it says where it listens; it is ended when the test is."""
    with ExitStack() as stack:

        def begin(*arguments):
            process = stack.enter_context(
                subprocess.Popen(
                    [*EMULATE, "--listen", "127.0.0.1:0", *arguments],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    env=ENVIRONMENT,
                )
            )
            stack.callback(process.kill)
            return process, process.stdout.readline().strip()

        yield begin


def emulate(*arguments):
    """A run that is expected to end by itself."""
    return subprocess.run(
        [*EMULATE, *arguments],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        env=ENVIRONMENT,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_end(start, ask, tmp_path, number):
    """URL first on standard output, each request a line on standard error, exit code 0."""
    machine = tmp_path / "machine.yaml"
    machine.write_text("name: shop\n")
    process, endpoint = start(str(machine))
    target = "/metadata/instance/compute/name?api-version=2021-01-01&format=text"
    assert ask(SimpleNamespace(endpoint=endpoint), target).body == b"shop"
    process.send_signal(number)
    output, words = process.communicate(timeout=10)
    assert process.returncode == 0
    assert output == ""
    assert words.splitlines() == [
        f"emulator.listening endpoint={endpoint}",
        f"GET {target} 200",
    ]


def test_it_ends_while_a_client_hangs(start, dial, tmp_path):
    """A silent connection does not keep the command from ending."""
    machine = tmp_path / "machine.yaml"
    machine.write_text("faults: [{silence: true, times: forever}]\n")
    process, endpoint = start(str(machine))
    dial(SimpleNamespace(endpoint=endpoint))
    process.terminate()
    assert process.wait(timeout=10) == 0


def test_print_env_is_for_a_shell_s_eval(start):
    """`eval "$(imds-bootstrap emulate --print-env | head -1)"` points the agent here."""
    _, line = start("--print-env")
    assert line.startswith("export IMDS_BOOTSTRAP_IMDS_ENDPOINT=http://127.0.0.1:")


@pytest.fixture
def with_vaults(tmp_path):
    """A machine file with a vault, whose TLS the library cryptography makes."""
    machine = tmp_path / "machine.yaml"
    machine.write_text("vaults: {contoso-prod: {secrets: {db: x}}}\n")
    return str(machine)


def test_vaults_are_two_more_lines(start, with_vaults):
    """Where the vaults listen, and the authority to trust; the file goes with the command."""
    process, endpoint = start(with_vaults)
    vaults, ca_file = (process.stdout.readline().strip() for _ in range(2))
    assert endpoint.startswith("http://127.0.0.1:")
    assert vaults.startswith("https://127.0.0.1:")
    assert os.path.exists(ca_file)
    process.terminate()
    assert process.wait(timeout=10) == 0
    assert not os.path.exists(ca_file)


def test_print_env_points_the_agent_at_the_vaults(start, with_vaults):
    """Each line is an `export` of one of the agent's settings."""
    process, first = start("--print-env", with_vaults)
    lines = [first, *(process.stdout.readline() for _ in range(2))]
    names = [line.removeprefix("export ").partition("=")[0] for line in lines]
    settings = ("IMDS_ENDPOINT", "VAULTS_ENDPOINT", "VAULTS_CA_FILE")
    assert names == [f"IMDS_BOOTSTRAP_{setting}" for setting in settings]
    process.terminate()  # not killed, or the file of its authority would stay
    assert process.wait(timeout=10) == 0


def test_print_env_tells_an_arc_machine_s_clients(start, tmp_path):
    """The two variables by which they find the agent."""
    machine = tmp_path / "machine.yaml"
    machine.write_text("arc: {tokens: tokens}\n")
    process, _ = start("--print-env", str(machine))
    lines = [process.stdout.readline().strip() for _ in range(2)]
    assert lines[0].startswith("export IMDS_ENDPOINT=http://127.0.0.1:")
    assert lines[1].startswith("export IDENTITY_ENDPOINT=http://127.0.0.1:")
    assert lines[1].endswith("/metadata/identity/oauth2/token")


def test_the_vaults_port_may_be_chosen(start, with_vaults):
    """One that is taken is told, and 0 is any free one."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = emulate("--listen", "127.0.0.1:0", "--vaults-port", str(port), with_vaults)
    assert ended.returncode == 2
    assert str(port) in ended.stderr
    assert emulate("--vaults-port", "65536").returncode == 2


def test_a_late_start_names_its_endpoint_at_once(start, ask, tmp_path):
    """The URL is known before anything listens there."""
    machine = tmp_path / "machine.yaml"
    machine.write_text("starts: 60\n")
    process, endpoint = start(str(machine))
    with pytest.raises(ConnectionRefusedError):
        ask(SimpleNamespace(endpoint=endpoint), "/metadata/versions")
    process.terminate()
    assert process.communicate(timeout=10)[1] == (f"emulator.starting endpoint={endpoint} in=60s\n")


def test_a_bad_machine_file_is_a_bad_document(tmp_path):
    """65, and the mistake underlined where it stands."""
    machine = tmp_path / "machine.yaml"
    machine.write_text("tags: {a: b}\nfautls: []\n")
    ended = emulate(str(machine))
    assert ended.returncode == 65
    assert f"{machine}:2:1" in ended.stderr
    assert "did you mean faults?" in ended.stderr


def test_a_missing_machine_file_is_missing_input(tmp_path):
    """66, and its name."""
    ended = emulate(str(tmp_path / "nowhere.yaml"))
    assert ended.returncode == 66
    assert "[Errno" not in ended.stderr
    assert ended.stderr.count("nowhere") == 1
    assert "nowhere.yaml" in ended.stderr


@pytest.mark.parametrize("listen", ["8169", "127.0.0.1", "127.0.0.1:http", ":80", "[::1]:65536"])
def test_an_address_needs_host_and_port(listen):
    """2, with an example of what is meant."""
    ended = emulate("--listen", listen)
    assert ended.returncode == 2
    assert "such as 127.0.0.1:8169" in ended.stderr


def test_a_port_in_use_is_told(start):
    """2, and the way to a free one."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        ended = emulate("--listen", f"127.0.0.1:{other.getsockname()[1]}")
    assert ended.returncode == 2
    assert "takes a free port" in ended.stderr


def test_any_other_address_than_loopback_is_warned_of(start):
    """Whoever reaches the address can ask; that is said, and it is served."""
    process, endpoint = start("--listen", "0.0.0.0:0")
    assert endpoint.startswith("http://0.0.0.0:")
    process.terminate()
    assert process.communicate(timeout=10)[1].startswith("warning: listening on 0.0.0.0:0: ")


def test_the_verb_is_light_until_it_runs():
    """`--help` and completion import no emulator and no HTTP server."""
    code = (
        "import sys, bootstrap.cli.emulate; "
        "sys.exit(any(m in sys.modules for m in ('http', 'bootstrap.emulator', 'yaml')))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], check=False, env=ENVIRONMENT).returncode == 0
    )
