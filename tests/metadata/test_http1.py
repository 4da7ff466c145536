from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.http.http1 import BODY_MAX, HEAD_MAX, ResponseParser, WireError

CASES = Path(__file__).parent / "cases" / "http1"


def parse(*pieces):
    parser = ResponseParser()
    for piece in pieces:
        parser.feed(piece)
    parser.end()
    return parser.response


def outcome(*pieces):
    with pytest.raises(WireError) as caught:
        parse(*pieces)
    return caught.value.outcome


def test_a_body_of_the_announced_length_is_whole_before_the_sender_closes():
    """An answer with a length needs no end of the connection."""
    parser = ResponseParser()
    parser.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\nx-a: 2\r\n\r\nhi and more")
    assert parser.response.body == b"hi"
    assert parser.response.headers == {"content-length": "2", "x-a": "1, 2"}


def test_chunks_are_joined_and_trailers_dropped():
    """A chunked body reads like any other."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
    response = parse(head, b"3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n")
    assert response.body == b"abc0123456789"


def test_a_body_without_length_ends_with_the_connection():
    """HTTP/1.0 servers may just close."""
    assert parse(b"HTTP/1.0 200 OK\r\n\r\n", b"ab", b"c").body == b"abc"


def test_interim_answers_are_skipped():
    """100 Continue is not the answer."""
    whole = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"
    assert parse(whole).status == 204


@pytest.mark.parametrize("case", sorted(CASES.glob("*.http")), ids=lambda case: case.stem)
def test_what_is_not_a_whole_answer_is_refused(case):
    """Each case file is refused with the outcome that its name starts with."""
    assert outcome(case.read_bytes().replace(b"\n", b"\r\n")) == case.name.partition("_")[0]


def test_a_bare_line_feed_is_no_line_end():
    """Only CRLF ends a line, so a half-written proxy is noticed."""
    assert outcome(b"HTTP/1.1 200 OK\nContent-Length: 0\n\n") == "short"


@pytest.mark.parametrize(
    "endless",
    [
        b"HTTP/1.1 200 OK\r\nX: ",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n",
    ],
)
def test_an_endless_answer_is_dropped_at_the_cap(endless):
    """Memory is bounded whatever part of the answer never ends."""
    longest = (HEAD_MAX + BODY_MAX) // 4096 + 1
    assert outcome(endless, *[b"1" * 4096] * longest) == "too-large"


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        (b"HTTP/1.1 200 OK\r\n", b"X-Small: 1\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_many_small_pieces_count_together(head, piece):
    """Chunks, headers or interim answers without end are dropped at the cap as well."""
    many = piece * (4096 // len(piece))
    assert outcome(head, *[many] * (BODY_MAX // 4000)) == "too-large"


def test_a_body_larger_than_the_cap_is_refused_before_it_comes():
    """The announced length is believed when it is too large."""
    parser = ResponseParser()
    with pytest.raises(WireError, match="larger"):
        parser.feed(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (BODY_MAX + 1))


def cut(data, places):
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@given(body=st.binary(max_size=300), places=st.lists(st.integers(0, 10**6), max_size=9))
def test_it_does_not_matter_how_the_answer_is_cut(body, places):
    """Any cut of the bytes gives the same response, for each of the three framings."""
    chunked = b"".join(
        b"%x\r\n%s\r\n" % (len(body[i : i + 7]), body[i : i + 7]) for i in range(0, len(body), 7)
    )
    framings = [
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body),
        b"Transfer-Encoding: chunked\r\n\r\n%s0\r\n\r\n" % chunked,
        b"\r\n" + body,
    ]
    for framing in framings:
        assert parse(*cut(b"HTTP/1.1 200 OK\r\n" + framing, places)).body == body


PARTS = st.sampled_from(
    b"HTTP/1.1 |200| OK|\r\n|\r|\n|0|f|:| |\xff|-1|Content-Length: |99999999999999999999"
    b"|Transfer-Encoding: chunked|\r\n\r\n".split(b"|")
)


@given(started=st.booleans(), pieces=st.lists(PARTS | st.binary(max_size=20), max_size=30))
def test_no_bytes_crash_the_parser(started, pieces):
    """Whatever comes, the parser answers or raises WireError: nothing else."""
    try:
        response = parse(b"HTTP/1.1 200 OK\r\n" if started else b"", *pieces)
    except WireError:
        return
    assert 200 <= response.status < 600
