"""The guard that keeps the tests on loopback is itself tested; nothing is sent by these tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

GUARD = Path(__file__).parents[1] / "guard"
OUTSIDE = ["169.254.169.254", "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "128.0.0.1"]
# Each way by which a socket reaches out.
WAYS = {
    "create_connection": "socket.create_connection((host, 9), timeout=0.2)",
    "connect": "made().connect((host, 9))",
    "connect_ex": "made().connect_ex((host, 9))",
    "sendto": "made(socket.SOCK_DGRAM).sendto(b'x', (host, 9))",
    "sendmsg": "made(socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, (host, 9))",
}
STOPPED, LET_THROUGH = 99, 7  # exit codes: the guard's own, and that of the hook after it
PROGRAM = """
import os, socket, sys
def let_through(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        os._exit(7)
sys.addaudithook(let_through)  # after the guard's, and before anything is sent
host = sys.argv[1]
def made(kind=socket.SOCK_STREAM):
    return socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
"""


def attempt(way, host, **environment):
    """What becomes of a process that tries to reach a host in one way."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM + WAYS[way], host],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("host", OUTSIDE)
def test_a_connection_beyond_loopback_ends_the_process(host, way):
    """A program under test that reaches for the real IMDS is stopped before it sends anything."""
    ended = attempt(way, host)
    assert ended.returncode == STOPPED
    assert ended.stderr == f"a test tried to reach {host}, which is not loopback\n"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_may_be_reached(host, way):
    """The guard stops nothing that stays on the machine."""
    assert attempt(way, host).returncode == LET_THROUGH


def test_a_namespace_of_a_tests_own_is_its_own_affair():
    """In any network namespace but the one that the suite began in, no address is the world's."""
    assert attempt("connect", "192.0.2.1", TESTS_HOST_NAMESPACE="net:[0]").returncode == LET_THROUGH
    assert attempt("connect", "192.0.2.1", TESTS_HOST_NAMESPACE="").returncode == STOPPED


def test_every_python_that_the_tests_start_loads_the_guard():
    """It is found before a `sitecustomize` of the system."""
    command = [sys.executable, "-c", "import sitecustomize; print(sitecustomize.__file__)"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert Path(ended.stdout.strip()) == GUARD / "sitecustomize.py"


@pytest.mark.parametrize("event", ["socket.connect", "socket.sendto", "socket.sendmsg"])
def test_the_guard_watches_this_process_too(event, monkeypatch, capsys):
    """Tests that call the client in-process are watched by the hook, not only by its module."""

    class CommandResult(Exception):
        """What the guard does to a process, without the end of this one."""

    def end(code):
        raise CommandResult(code)

    monkeypatch.setattr(os, "_exit", end)
    with pytest.raises(CommandResult, match=str(STOPPED)):
        sys.audit(event, None, ("192.0.2.1", 9))
    assert "192.0.2.1, which is not loopback" in capsys.readouterr().err
    sys.audit(event, None, ("127.0.0.1", 9))
    sys.audit(event, None, "/run/a.socket")
