from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.http.http1 import Response
from bootstrap.http.retry import PermanentError, RetryableError
from bootstrap.identity.identity_id import OWN, Selector
from bootstrap.identity.token import Token, read_token

CASES = sorted((Path(__file__).parent / "cases" / "token").glob("*.json"))
AUDIENCE = "https://vault.azure.net"
NOW = 1_700_000_000
CANARY = "eyJ0eXAi"


def read(answer, selector=OWN, *, echo=False):
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    response = Response(200, {}, body)
    return read_token(response, AUDIENCE, selector, echo=echo, wall_clock=lambda: NOW)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_token_is_the_one_asked_for_or_none(case):
    """The first word of the case's name says what an answer like it is taken for."""
    told = json.loads(case.read_text())
    selector = Selector.parse(told["selector"])
    expected = case.stem.partition("_")[0]
    if expected == "ok":
        token = read(told["answer"], selector, echo=told["echo"])
        assert token.secret.reveal() == told["answer"]["access_token"]
        assert token.seconds == 86399
        return
    with pytest.raises((RetryableError, PermanentError)) as caught:
        read(told["answer"], selector, echo=told["echo"])
    assert caught.value.outcome == expected
    assert CANARY not in f"{caught.value} {caught.value!r}"


WHOLE = {
    "access_token": CANARY,
    "client_id": "c",
    "expires_in": "60",
    "expires_on": str(NOW + 60),
    "resource": AUDIENCE,
    "token_type": "Bearer",
}
TEXTS = st.text("Bearer09-.² \r\n/é\ud800", max_size=20)
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.just([CANARY])


def attempt(answer, selector=OWN):
    """The token, or the refusal."""
    try:
        return read(answer, selector)
    except (RetryableError, PermanentError) as refusal:
        return refusal


@given(
    st.dictionaries(st.sampled_from(sorted(WHOLE)), VALUES), st.sampled_from(["", "client_id=c"])
)
def test_no_answer_brings_the_reader_down(changes, selector):
    """Whatever stands in the fields: a token, or one of the two refusals, without the token."""
    result = attempt({**WHOLE, **changes}, Selector.parse(selector))
    if isinstance(result, Token):
        assert result.secret.reveal().isascii()
        assert result.seconds > 0
    else:
        assert CANARY not in repr(result)


@given(st.binary(max_size=60), st.integers(0, 200))
def test_no_bytes_show_in_a_refusal(noise, where):
    """A broken body is told by its length; nothing in the chain of errors holds a piece of it."""
    whole = json.dumps(WHOLE).encode()
    result = attempt(whole[:where] + noise + whole[where:])
    if not isinstance(result, Token):
        assert result.__cause__ is result.__context__ is None
        assert CANARY not in repr(result)
