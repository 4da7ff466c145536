"""The platform's own address, inside a network namespace from which nothing can leave."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ADDRESS = "169.254.169.254/32"
VM_ID = "0f9e8d7c-6b5a-4938-8271-605f4e3d2c1b"

# Listens on every address of its namespace before the link-local one is there.
SERVER = f"""
import socket
body = b'{{"compute": {{"vmId": "{VM_ID}", "userData": "", "tagsList": []}}}}'
head = b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body)
with socket.create_server(("", 80)) as listener:
    print("ready", flush=True)
    while True:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(head + body)
"""

CLIENT = """
import time
from bootstrap.imds.client import Imds
imds = Imds(deadline=time.monotonic() + 20, on_attempt=lambda a: print(a.outcome, flush=True))
print(imds.instance().vm_id)
"""


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=10)


@pytest.fixture
def run(namespace):
    """Starts Python code inside the namespace, and ends it with the test."""
    started = []

    def start(code):
        process = subprocess.Popen(
            ["ip", "netns", "exec", namespace, sys.executable, "-u", "-c", code],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate(timeout=10)


def test_the_default_endpoint_is_the_platforms_address(namespace, run):
    """Without a setting the document comes from the link-local address, at once."""
    ip("-n", namespace, "addr", "add", ADDRESS, "dev", "lo")
    assert run(SERVER).stdout.readline() == "ready\n"
    output, _ = run(CLIENT).communicate(timeout=30)
    assert output.split() == ["ok", VM_ID]


def test_a_network_that_comes_late_is_waited_for(namespace, run):
    """No route at first is a reason to ask again, not to give up."""
    assert run(SERVER).stdout.readline() == "ready\n"
    client = run(CLIENT)
    assert client.stdout.readline() == "unreachable\n"
    time.sleep(1)  # the network is late: this is the time that the client has to bear
    ip("-n", namespace, "addr", "add", ADDRESS, "dev", "lo")
    output, _ = client.communicate(timeout=30)
    *failures, last, vm_id = output.split()
    assert set(failures) == {"unreachable"}
    assert (last, vm_id) == ("ok", VM_ID)
