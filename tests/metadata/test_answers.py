"""What each answer means: the table of statuses, and the words that are taken from a body."""

from __future__ import annotations

import json

import pytest

from bootstrap.http import responses
from bootstrap.http.http1 import Response
from bootstrap.http.responses import (
    GRACE,
    NEGOTIATE,
    REFUSE,
    RETRY,
    RETRY_AFTER,
    USE,
    action,
    document,
    error_code,
    hint,
    is_html,
    is_redirect,
    offered_versions,
    printable,
    retry_after,
    server_message,
    strict_json,
)

TABLE = {
    200: USE,
    400: NEGOTIATE,
    401: GRACE,
    403: GRACE,
    404: RETRY,
    408: RETRY,
    410: RETRY,
    421: GRACE,
    429: RETRY_AFTER,
    503: RETRY_AFTER,
}


def response(body=b"", status=400, **headers):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, headers, body)


def test_every_status_has_one_meaning():
    """The table's own; any other server error is asked again, and all else is final."""
    found = {status: action(status) for status in range(100, 600)}
    expected = {status: REFUSE if status < 500 else RETRY for status in range(100, 600)}
    assert found == expected | TABLE
    assert len({USE, RETRY, RETRY_AFTER, GRACE, NEGOTIATE, REFUSE}) == 6


def test_what_sends_elsewhere_is_a_redirect():
    """All of 3xx, and nothing else."""
    assert [status for status in range(100, 600) if is_redirect(status)] == [*range(300, 400)]


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("400", "set imds.api_version"),
        ("401", "azure-proxy-agent"),
        ("403", "azure-proxy-agent"),
        ("404", "has no instance metadata"),
        ("408", "middlebox"),
        ("410", "being serviced"),
        ("421", "azure-proxy-agent"),
        ("429", "more than 5 times a second"),
        ("blocked", "allow root to connect"),
        ("garbage", "something else answers"),
        ("html", "a proxy or a portal"),
        ("not-json", "something else answers"),
        ("other-vm", "nested VM"),
        ("partial", "a provider of its own fails"),
        ("refused", "nothing listens"),
        ("reset", "cuts the connection"),
        ("timeout", "swallows the requests"),
        ("unreachable", "there is no route"),
        ("unresolved", "the name service"),
        ("301", "IMDS never redirects"),
        ("399", "IMDS never redirects"),
        ("418", "something answers that is not IMDS"),
        ("500", "is failing"),
        ("503", "is failing"),
    ],
)
def test_every_outcome_has_a_hint(outcome, words):
    """What a person can do is told for each outcome by itself, else for its class."""
    assert words in hint(outcome)


@pytest.mark.parametrize("outcome", ["", "ok", "short", "200", "too-large"])
def test_an_outcome_that_nobody_can_cure_has_no_hint(outcome):
    """Nothing is said where nothing is known."""
    assert hint(outcome) == ""


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("007", 7.0),
        ("999999999", 999_999_999.0),
        ("1000000000", 0.0),
        ("", 0.0),
        ("-1", 0.0),
        ("1.5", 0.0),
        ("1e3", 0.0),
        (" 7", 0.0),
        ("²", 0.0),
        ("7²", 0.0),
        ("٧", 0.0),
        ("soon", 0.0),
        ("7, 7", 0.0),
        ("Wed, 21 Oct 2099 07:28:00 GMT", 0.0),
    ],
)
def test_retry_after_is_a_number_of_seconds_or_nothing(text, seconds):
    """Up to nine digits, of ASCII: what Python takes for a digit besides counts as nothing."""
    assert retry_after(response(**{"retry-after": text})) == seconds


def test_without_retry_after_there_is_none():
    """Nobody asked to wait."""
    assert retry_after(response()) == 0.0


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"{}", {}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": 1.5e3}', {"a": 1500.0}),
        (b'"\\ud83d\\ude00"', "😀"),
        (b'"\\\\ud800"', "\\ud800"),
        (b"1", 1),
        (b"[" * 63 + b"]" * 63, None),
        (b"[" * 64 + b"]" * 64, None),
        (b'{"a":' * 64 + b"1" + b"}" * 64, ValueError),
        (b"[" * 65 + b"]" * 65, ValueError),
        (b"[" * 66 + b"]" * 66, ValueError),
        (b"[" * 100_000, ValueError),
        (b"", ValueError),
        (b"nope", ValueError),
        (b"\xff", ValueError),
        (b"NaN", ValueError),
        (b"[Infinity]", ValueError),
        (b"-Infinity", ValueError),
        (b"1e999", ValueError),
        (b"[-1e999]", ValueError),
        (b'"\\ud800"', ValueError),
        (b'"\\UD800"', ValueError),
        (b'{"\\uDfff": 1}', ValueError),
    ],
    ids=lambda value: str(value)[:16],
)
def test_json_is_what_could_be_written_again(body, value):
    """No number that is none, no half of a character, no nesting that no document has."""
    if value is ValueError:
        for read in (strict_json, lambda body: document(response(body))):
            with pytest.raises(ValueError):  # noqa: PT011 - the words are the decoder's
                read(body)
    elif value is not None:
        assert strict_json(body) == value
    else:
        assert document(response(body)) == strict_json(body)


@pytest.mark.parametrize(
    ("body", "answer"),
    [(b"<html>", True), (b" \r\n\t<", True), (b"", False), (b"{<", False), (b"x<", False)],
)
def test_a_page_begins_with_a_bracket(body, answer):
    """Blanks before it change nothing."""
    assert is_html(response(body)) is answer


@pytest.mark.parametrize(
    ("body", "versions"),
    [
        ({"newest-versions": ["2020-01-01", 3, None, "2021-01-01"]}, ("2020-01-01", "2021-01-01")),
        ({"newest-versions": "2020-01-01"}, ()),
        ({"newest-versions": {"2020-01-01": 1}}, ()),
        ({}, ()),
        (["2020-01-01"], ()),
        (b"nope", ()),
    ],
)
def test_the_versions_that_a_host_offers_are_texts_in_a_list(body, versions):
    """Whatever else stands there is none."""
    assert offered_versions(response(body)) == versions


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": "Bad request", "error_description": "api-version"}, "Bad request: api-version"),
        ({"error": "Bad request"}, "Bad request"),
        ({"error_description": "why"}, "why"),
        ({"error": "", "error_description": "why"}, "why"),
        ({"error": {"code": 1}, "error_description": ["x"]}, ""),
        ({"error": "a\r\nb\x1b[2J\x00"}, "a  b [2J "),
        ({"error": "x" * 200}, "x" * 200),
        ({"error": "x" * 201}, "x" * 200 + "…"),
        ([], ""),
        (b"<html>", ""),
    ],
)
def test_the_servers_words_are_short_and_on_one_line(body, words):
    """Two texts at most, without anything that moves a cursor."""
    assert server_message(response(body)) == words


def test_a_redirect_is_said_with_its_target():
    """Where it pointed is told; without a target, that too."""
    found = server_message(
        response({"error": "x"}, 302, location="http://elsewhere.example/\x1b[2J")
    )
    assert found == "a redirect to http://elsewhere.example/ [2J, which is never followed"
    assert server_message(response(b"", 302)) == "a redirect to nowhere, which is never followed"


@pytest.mark.parametrize(
    ("body", "code"),
    [({"error": "invalid_request"}, "invalid_request"), ({"error": 3}, ""), ({}, ""), (b"", "")],
)
def test_a_refusal_has_one_word(body, code):
    """The word by which it can be told from another, if it has one."""
    assert error_code(response(body)) == code


def test_somebody_elses_words_are_cut():
    """Exactly two hundred characters are shown whole."""
    assert responses.printable("y" * 200) == "y" * 200
    assert printable("y" * 300) == "y" * 200 + "…"
    assert printable("a\tb\u2028c\u202ed") == "a b c d"
