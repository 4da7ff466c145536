"""The token that must not show: a canary in every field of every kind of wrong answer."""

from __future__ import annotations

import base64
import json
import logging
import pickle
import random
import traceback
import urllib.parse

import pytest

from bootstrap.errors import IdentityRefused, IdentityUnavailable
from bootstrap.identity.arc import Arc, ArcService
from bootstrap.identity.arc_key import TOKENS
from bootstrap.identity.managed_identity import Identity, Selector

VAULT = "https://vault.azure.net"
CANARY = "Q2FuYXJ5/VG9rZW4+bm90VG9CZVNlZW4="
WHOLE = {
    "access_token": CANARY,
    "client_id": "c",
    "expires_in": "3600",
    "resource": VAULT,
    "token_type": "Bearer",
}
BODY = json.dumps(WHOLE).encode()
WRONG = {
    "other audience": {**WHOLE, "resource": CANARY},
    "other client": {**WHOLE, "client_id": CANARY},
    "client is a list": {**WHOLE, "client_id": [CANARY]},
    "no expiry": {**WHOLE, "expires_in": CANARY},
    "expired": {**WHOLE, "expires_in": "0"},
    "type": {**WHOLE, "token_type": CANARY},
    "type is an object": {**WHOLE, "token_type": {"x": CANARY}},
    "line end": {**WHOLE, "access_token": f"{CANARY}\r\n"},
    "a list": [WHOLE],
    "a text": CANARY,
    "a key": {CANARY: CANARY},
    "not utf-8": BODY + b"\xff",
    "cut": BODY[:-1],
    "two": BODY + BODY,
    "html": b"<html>" + BODY,
    "nested": b'{"x":' * 100_000 + BODY,
    "surrogate": BODY[:-1] + b', "x": "\\ud800"}',
}


def pieces():
    """The canary in every form that a log might give it, in pieces of eight characters."""
    raw = CANARY.encode()
    forms = [
        CANARY,
        urllib.parse.quote(CANARY, safe=""),
        json.dumps(CANARY)[1:-1].replace("/", "\\/"),
        *(base64.b64encode(raw[start:]).decode() for start in range(3)),
    ]
    return {form[at : at + 8] for form in forms for at in range(len(form) - 7)}


def everything(error):
    """All that can be read off an error: its words, its chain, its attributes, its traceback."""
    seen, waiting = {}, [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen[id(one)] = f"{one!s} {one!r} {one.args!r} {vars(one)!r}"
        # What the decoders' errors hold beside their words.
        seen[id(one)] += "".join(str(getattr(one, name, "")) for name in ("doc", "object"))
        waiting += [one.__cause__, one.__context__]
    return " ".join([*seen.values(), *traceback.format_exception(error)])


def assert_hidden(text):
    shown = [piece for piece in pieces() if piece in text]
    assert not shown


@pytest.fixture
def ask(fake_time):
    """Asks `service` for a token, and gives the error and all that was told on the way."""

    def run(service):
        heard = []
        identity = Identity(
            service,
            deadline=fake_time.now + 20,
            on_attempt=lambda one: heard.append(f"{one.outcome} {one.detail}"),
            clock=fake_time.clock,
            sleep=fake_time.sleep,
            uniform=random.Random(7).uniform,
        )
        with pytest.raises((IdentityRefused, IdentityUnavailable)) as caught:
            identity.token(VAULT, Selector("client_id", "c"))
        return caught.value, f"{heard} {identity!r} {caught.value.as_dict()}"

    return run


@pytest.mark.parametrize("case", WRONG)
def test_no_wrong_answer_shows_its_token(serve, ask, answer, case):
    """Neither in the error, its chain and traceback, nor in what the log hears."""
    error, told = ask(serve(answer(200, WRONG[case])).endpoint)
    assert_hidden(everything(error))
    assert_hidden(told)


@pytest.mark.parametrize("head", [b"Content-Length: 9999", b"Transfer-Encoding: chunked", b"X"])
def test_no_broken_answer_shows_its_token(serve, ask, head):
    """A body that is cut, or is none, is told without its bytes."""
    error, told = ask(serve(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + BODY).endpoint)
    assert_hidden(everything(error))
    assert_hidden(told)


@pytest.mark.parametrize("status", [400, 401, 404, 418, 500])
def test_no_status_shows_a_token_beside_the_error(serve, ask, answer, status):
    """Of another answer only `error` and its description are words for people."""
    body = {**WHOLE, "error": "odd", "error_description": "well"}
    error, told = ask(serve(answer(status, body)).endpoint)
    assert "odd: well" in told
    assert_hidden(everything(error))
    assert_hidden(told)


@pytest.mark.parametrize("step", ["body", "location", "challenge", "realm"])
def test_no_answer_makes_arcs_key_show(serve, ask, answer, tmp_path, step):
    """A service that sends the key back in any field is not quoted."""
    folder = tmp_path / TOKENS.lstrip("/")
    folder.mkdir(parents=True)
    (folder / "x.key").write_text(CANARY)
    challenge = answer(401, WWW_Authenticate=f"Basic realm={TOKENS}/x.key")
    last = {
        "body": answer(400, {"error": "odd", "error_description": f"no: {CANARY[5:15]}"}),
        "location": answer(302, Location=f"http://127.0.0.1/{CANARY}"),
        "challenge": answer(401, WWW_Authenticate=f"Basic {CANARY}"),
        "realm": answer(401, {"error": CANARY}, WWW_Authenticate=f"Basic realm={CANARY}"),
    }
    server = serve(challenge, last[step], challenge)
    arc = Arc(imds_endpoint=server.endpoint, identity_endpoint=server.endpoint)
    error, told = ask(ArcService(arc, root=str(tmp_path)))
    assert CANARY in server.requests[1]
    assert_hidden(everything(error))
    assert_hidden(told)


def test_a_good_token_does_not_show_either(serve, fake_time, caplog):
    """It prints, formats, logs and pickles as a mask; only `reveal` gives it."""
    identity = Identity(serve(WHOLE).endpoint, deadline=fake_time.now + 9, clock=fake_time.clock)
    token = identity.token(VAULT)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").debug("%s %r %s", token, [token], identity)
    assert_hidden(f"{token} {token!r} {caplog.text} {pickle.dumps(token)!r}")
    assert token.reveal() == CANARY
