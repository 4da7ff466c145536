"""The guard that keeps the tests on loopback is itself tested."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.once

ATTEMPT = "import socket; socket.create_connection(({host!r}, 80), timeout=0.2)"


@pytest.mark.parametrize("host", ["169.254.169.254", "192.0.2.1", "2001:db8::1"])
def test_a_connection_beyond_loopback_ends_the_process(host):
    """A program under test that reaches for the real IMDS is stopped before it sends anything."""
    ended = subprocess.run(
        [sys.executable, "-c", ATTEMPT.format(host=host)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 99
    assert "is not loopback" in ended.stderr


def test_the_guard_watches_this_process_too():
    """Tests that call the client in-process are watched as well."""
    import sitecustomize

    assert sitecustomize.refuse_beyond_loopback
    assert "tests/guard" in sitecustomize.__file__
