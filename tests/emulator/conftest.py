"""An emulator on a real socket, and clients that know nothing of it."""

from __future__ import annotations

import http.client
import json
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from bootstrap.emulator import Emulator

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
NEWEST = "2025-04-07"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self):
        """The body, parsed."""
        return json.loads(self.body)


@pytest.fixture
def serve():
    """Start emulators, by default without a rate limit: most tests are about something else."""
    with ExitStack() as stack:

        def start(machine=None, **options):
            if machine is None or isinstance(machine, dict):
                machine = {"rate": 0, **(machine or {})}
            return stack.enter_context(Emulator.serve(machine, **options))

        yield start


@pytest.fixture
def ask():
    """Ask over http.client, on a connection of its own; `Metadata: true` unless told otherwise."""

    def ask_one(emulator, target, *, method="GET", headers=None, timeout=5.0):
        connection = http.client.HTTPConnection(*address_of(emulator), timeout=timeout)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            given = {"Metadata": "true"} if headers is None else headers
            for name, value in given.items():
                connection.putheader(name, value)
            connection.endheaders()
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, names, response.read())
        finally:
            connection.close()

    return ask_one


@pytest.fixture
def instance(ask):
    """The whole instance document, parsed, in the newest api-version."""

    def read(emulator, api_version=NEWEST):
        answer = ask(emulator, f"/metadata/instance?api-version={api_version}")
        assert answer.status == 200, answer
        return answer.json()

    return read


@pytest.fixture
def dial():
    """A bare TCP connection that has sent one good request."""
    with ExitStack() as stack:

        def connect(emulator, timeout=5.0):
            connection = stack.enter_context(
                socket.create_connection(address_of(emulator), timeout=timeout)
            )
            connection.sendall(
                f"GET /metadata/instance?api-version={NEWEST} HTTP/1.1\r\n"
                "Host: imds\r\nMetadata: true\r\nConnection: close\r\n\r\n".encode()
            )
            return connection

        yield connect


@pytest.fixture
def shared():
    """Microsoft's own documents, where they are at hand."""

    def read(name):
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"{path} is not here")
        return json.loads(path.read_text(encoding="utf-8"))

    return read


def address_of(emulator):
    host, _, port = emulator.endpoint.removeprefix("http://").rpartition(":")
    return host.strip("[]"), int(port)
