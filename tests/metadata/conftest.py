"""Servers that do exactly as they are told, on loopback, and a clock that only sleeping moves."""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path

import pytest

DOCUMENT = {
    "compute": {
        "vmId": "0f9e8d7c-6b5a-4938-8271-605f4e3d2c1b",
        "name": "web-1",
        "location": "westeurope",
        "azEnvironment": "AZUREPUBLICCLOUD",
        "userData": "",
        "tagsList": [{"name": "environment", "value": "prod"}],
    }
}


def answer(status, body=b"", **headers):
    """The bytes of a whole answer."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Server:
    """Plays one step per connection, the last one for ever.

    A step is a status, a document (200), raw bytes, or a function that gets the server and the
    connection after the request was read.
    """

    def __init__(self, steps):
        self.steps = list(steps)
        self.requests = []
        self.times = []
        self.stopped = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()

    @property
    def paths(self):
        """What was asked for, in order."""
        return [request.split(" ")[1] for request in self.requests]

    def stop(self):
        """Close everything and wait for the threads."""
        self.stopped.set()
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        for thread in self.threads:
            thread.join()
        self.listener.close()

    def _accept(self):
        while not self.stopped.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            step = self.steps[min(len(self.times), len(self.steps) - 1)]
            self.times.append(time.monotonic())
            thread = threading.Thread(target=self._play, args=(connection, step))
            self.threads.append(thread)
            thread.start()

    def _play(self, connection, step):
        with connection:
            connection.settimeout(5)
            try:
                request = b""
                while not request.endswith(b"\r\n\r\n"):
                    piece = connection.recv(4096)
                    if not piece:
                        return
                    request += piece
                self.requests.append(request.decode())
                if callable(step):
                    step(self, connection)
                else:
                    connection.sendall(_bytes(step))
            except OSError:
                pass  # the client had enough


def _bytes(step):
    if isinstance(step, int):
        return answer(step)
    return step if isinstance(step, bytes) else answer(200, step)


@pytest.fixture
def serve():
    """Starts a server that plays the given steps."""
    servers = []

    def start(*steps):
        servers.append(Server(steps))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(name="answer")
def _answer():
    return answer


@pytest.fixture
def document():
    """A small, whole instance document."""
    return json.loads(json.dumps(DOCUMENT))


@pytest.fixture
def closed_port():
    """A port of loopback on which nothing listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield unused.getsockname()[1]


class FakeTime:
    """Stands still until somebody sleeps."""

    def __init__(self):
        self.now = 1000.0
        self.slept = []

    def clock(self):
        """The moment it is."""
        return self.now

    def sleep(self, seconds):
        """Let the time pass."""
        assert seconds >= 0
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def fake_time():
    return FakeTime()


@pytest.fixture(scope="session")
def shared_data():
    """The real documents beside the repository."""
    folder = Path(__file__).parents[2].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real instance documents in {folder}")
    return folder
