"""How many connections a fetch makes: few for quick answers, more when somebody would wait."""

from __future__ import annotations

import threading
from functools import partial

import pytest
from scripted_vault import VALUE, answer, reference, secret

from bootstrap.keyvault import client as way
from bootstrap.keyvault.fetch import EACH
from bootstrap.keyvault.limiter import ConcurrencyLimiter

FOR_EVER = 60.0  # seconds that no test takes
HUNG = 10.0  # seconds after which something that should come will not
NAMES = [f"s{number}" for number in range(EACH)]
REFERENCES = {f"secrets.{name}": reference(name=name) for name in NAMES}


@pytest.fixture
def patience(monkeypatch):
    """A function that sets how long a question waits for its turn."""
    return lambda seconds: monkeypatch.setattr(
        way, "ConcurrencyLimiter", partial(ConcurrencyLimiter, patience=seconds)
    )


def test_a_few_quick_answers_come_over_one_connection(vault, get, patience):
    """A handshake costs more than a question: five secrets are worth one."""
    patience(FOR_EVER)
    server = vault(paths={f"/secrets/{name}": [secret(name)] for name in NAMES})
    assert len(get(server, references=REFERENCES)) == len(NAMES)
    assert server.connections == 1
    assert len(server.requests) == len(NAMES)


def test_many_secrets_are_worth_more_connections(vault, get, patience):
    """Each further five questions have a connection of their own, which none waits for."""
    patience(FOR_EVER)
    meeting = threading.Barrier(2, timeout=HUNG)
    names = [*NAMES, "other"]
    paths = {f"/secrets/{name}": [partial(met, meeting, name)] for name in names}
    server = vault(paths=paths)
    found = get(server, references={f"secrets.{one}": reference(name=one) for one in names})
    assert {one.secret.reveal() for one in found.values()} == {VALUE}


def met(meeting, name, server, connection):
    meeting.wait()  # passed only when two are asked for at once
    connection.sendall(answer(200, secret(name), Connection="close"))


def test_a_slow_answer_holds_nobody_up(vault, get, patience):
    """The other secrets are asked for while a vault takes its time over the first."""
    patience(0.01)
    others = threading.Semaphore(0)

    def last(server, connection):
        for _ in NAMES[1:]:
            assert others.acquire(timeout=HUNG)
        connection.sendall(answer(200, secret(NAMES[0]), Connection="close"))

    def first(name, server, connection):
        others.release()
        connection.sendall(answer(200, secret(name), Connection="close"))

    paths = {f"/secrets/{name}": [partial(first, name)] for name in NAMES[1:]}
    server = vault(paths={f"/secrets/{NAMES[0]}": [last], **paths})
    assert len(get(server, references=REFERENCES)) == len(NAMES)


def test_a_lane_that_was_opened_stays_open():
    """Once a vault has been slow, no later question waits for that again."""
    lanes = ConcurrencyLimiter(1, patience=0.01)
    with lanes.turn(), lanes.turn():
        pass
    lanes._patience = FOR_EVER
    with lanes.turn():
        inner = threading.Thread(target=lambda: lanes.turn().__enter__())
        inner.start()
        inner.join(HUNG)
        assert not inner.is_alive()
