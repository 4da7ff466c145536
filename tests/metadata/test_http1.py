from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.http.http1 import MAX_BODY, MAX_HEAD, ResponseParser, WireError

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
    longest = (MAX_HEAD + MAX_BODY) // 4096 + 1
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
    assert outcome(head, *[many] * (MAX_BODY // 4000)) == "too-large"


def test_a_body_larger_than_the_cap_is_refused_before_it_comes():
    """The announced length is believed when it is too large."""
    parser = ResponseParser()
    with pytest.raises(WireError, match="larger"):
        parser.feed(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1))


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


OK = b"HTTP/1.1 200 OK\r\n"
TOKEN = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def refusal(*pieces):
    """The outcome and the words of what is no answer."""
    with pytest.raises(WireError) as caught:
        parse(*pieces)
    return caught.value.outcome, str(caught.value)


def garbage(words):
    return "garbage", f"the answer is not HTTP/1.1: {words}"


def test_a_header_is_a_name_a_colon_and_a_value():
    """Names are of RFC 9110's characters and end up in lower case; blanks around values go."""
    head = OK + TOKEN + b": \t X a: b\xe9X\t \r\nX:\r\nY:1\r\n\r\n"
    headers = {TOKEN.decode().lower(): "X a: béX", "x": "", "y": "1"}
    assert parse(head).headers == headers


@pytest.mark.parametrize("byte", sorted(set(range(256)) - set(TOKEN) - {ord(":")}))
def test_no_other_byte_stands_in_the_name_of_a_header(byte):
    """Neither a blank nor a control character nor anything beyond ASCII."""
    words = garbage("a line among the headers that is none")
    for name in (b"a%cb", b"%c", b"%ca", b"a%c"):
        assert refusal(OK + name % byte + b": 1\r\n\r\n") == words


@pytest.mark.parametrize("line", [b"no colon", b"token", b": no name", b":"])
def test_a_line_without_a_name_is_no_header(line):
    """A name and a colon are what makes a line a header."""
    assert refusal(OK + line + b"\r\n\r\n") == garbage("a line among the headers that is none")


@pytest.mark.parametrize("byte", [b"\r", b"\n", b"\0"])
@pytest.mark.parametrize("place", [b"a%bb", b"%ba", b"a%b"])
def test_no_value_holds_a_line_end_or_a_nul(byte, place):
    """What another reader would take for the end of a line, or of the value, is refused."""
    words = garbage("a header with a line end or a NUL in it")
    assert refusal(OK + b"X: " + place.replace(b"%b", byte) + b"\r\n\r\n") == words


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"HTTP/1.1 200 OK", 200),
        (b"HTTP/1.0 200 OK", 200),
        (b"HTTP/1.1 200", 200),
        (b"HTTP/1.1 200 ", 200),
        (b"HTTP/1.1 200 a long reason", 200),
        (b"HTTP/1.1 599 X", 599),
    ],
)
def test_a_status_line_is_a_version_and_three_digits(line, status):
    """The reason may be anything, and nothing."""
    assert parse(line + b"\r\n\r\n").status == status


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"", "no HTTP/1 status line"),
        (b"HTTP/1.2 200 OK", "no HTTP/1 status line"),
        (b"HTTP/2 200 OK", "no HTTP/1 status line"),
        (b"http/1.1 200 OK", "no HTTP/1 status line"),
        (b"XHTTP/1.1 200 OK", "no HTTP/1 status line"),
        (b"HTTP/1.1200 OK", "no HTTP/1 status line"),
        (b"HTTP/1.1 200OK", "no HTTP/1 status line"),
        (b"HTTP/1.1 2000", "no HTTP/1 status line"),
        (b"HTTP/1.1  200 OK", "no HTTP/1 status line"),
        (b"HTTP/1.1 20", "no status code from 100 to 599"),
        (b"HTTP/1.1 ", "no status code from 100 to 599"),
        (b"HTTP/1.1", "no status code from 100 to 599"),
        (b"HTTP/1.1 2x0 OK", "no status code from 100 to 599"),
        (b"HTTP/1.1 +20 OK", "no status code from 100 to 599"),
        (b"HTTP/1.1 099 OK", "no status code from 100 to 599"),
        (b"HTTP/1.1 000 OK", "no status code from 100 to 599"),
        (b"HTTP/1.1 600 OK", "no status code from 100 to 599"),
        (b"HTTP/1.1 101 Switching Protocols", "a switch of protocols that nobody asked for"),
    ],
)
def test_any_other_first_line_is_refused(line, words):
    """The words say what is wrong with it."""
    assert refusal(line + b"\r\n\r\n") == garbage(words)


@pytest.mark.parametrize("status", [100, 102, 103, 199])
def test_every_interim_answer_is_skipped(status):
    """All of 1xx, with headers that are not those of the answer."""
    interim = b"HTTP/1.1 %d X\r\nContent-Length: 9\r\nX: 1\r\n\r\n" % status
    response = parse(interim * 2 + OK + b"Content-Length: 2\r\n\r\nhi")
    assert (response.status, response.body) == (200, b"hi")
    assert response.headers == {"content-length": "2"}


@pytest.mark.parametrize("status", [204, 304])
def test_some_answers_have_no_body(status):
    """Whatever their headers say; they are whole before the sender closes."""
    parser = ResponseParser()
    parser.feed(b"HTTP/1.1 %d X\r\nContent-Length: 5\r\n\r\nhello" % status)
    assert parser.response.body == b""


def test_what_comes_after_the_answer_is_ignored():
    """Neither more bytes nor the end change an answer that is whole."""
    parser = ResponseParser()
    parser.feed(OK + b"Content-Length: 2\r\n\r\nhi")
    whole = parser.response
    parser.feed(b"HTTP/1.1 500 X\r\n\r\n")
    parser.end()
    assert parser.response is whole
    assert whole.body == b"hi"


@pytest.mark.parametrize(
    "length", [b"3", b"003", b"0" * 40 + b"3", b" 3\t", b"3\r\nContent-Length: 3"]
)
def test_a_length_is_decimal_digits(length):
    """With any number of zeros; said twice, it is the same length."""
    assert parse(OK + b"Content-Length: " + length + b"\r\n\r\nabc").body == b"abc"


@pytest.mark.parametrize(
    "length", [b"", b"+3", b"-3", b"3.0", b"0x3", b"3_0", b"3 3", b"3,3", b"X3"]
)
def test_no_other_length_is_guessed_at(length):
    """A length that two readers could read in two ways is none."""
    words = garbage("a length that is not a number")
    assert refusal(OK + b"Content-Length: " + length + b"\r\n\r\nabc") == words


def test_an_empty_body_is_a_body():
    """A length of nothing is an answer at once; `00` is nothing too."""
    parser = ResponseParser()
    parser.feed(OK + b"Content-Length: 00\r\n\r\n")
    assert parser.response.body == b""


def test_two_lengths_are_one_too_many():
    """The second one would be another answer."""
    head = OK + b"Content-Length: 3\r\nX: 1\r\nContent-Length: 03\r\n\r\nabc"
    assert refusal(head) == garbage("two lengths")


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    "chunks",
    [
        b"3\r\nabc\r\n0\r\n\r\n",
        b"03\r\nabc\r\n000\r\n\r\n",
        b"0" * 40 + b"3\r\nabc\r\n0\r\n\r\n",
        b"3;a=b;c\r\nabc\r\n0;d\r\n\r\n",
        b"3 \t;a\r\nabc\r\n0 \r\n\r\n",
        b"1\r\na\r\n2\r\nbc\r\n0\r\nTrailer: 1\r\nAnother one\r\n\r\n",
    ],
)
def test_chunks_may_have_extensions_and_trailers(chunks):
    """What stands after the size, and after the last chunk, says nothing about the body."""
    parser = ResponseParser()
    parser.feed(CHUNKED + b"\r\n" + chunks)
    assert parser.response.body == b"abc"


@pytest.mark.parametrize("digit", "0123456789abcdefABCDEF")
def test_a_chunks_size_is_hexadecimal(digit):
    """Every digit, in either case."""
    body = b"x" * (16 + int(digit, 16))
    chunk = b"1%c\r\n%s\r\n0\r\n\r\n" % (ord(digit), body)
    assert parse(CHUNKED + b"\r\n" + chunk).body == body


@pytest.mark.parametrize(
    "size", [b"", b";a", b" 3", b"0x3", b"+3", b"3g", b"X3", b"3X", b"\xb2", b"-1"]
)
def test_no_other_size_is_guessed_at(size):
    """A chunk's size has no sign, no prefix and no blank before it."""
    words = garbage("a length that is not a number")
    assert refusal(CHUNKED + b"\r\n" + size + b"\r\nabc\r\n0\r\n\r\n") == words


def test_a_chunk_ends_where_its_size_says():
    """Bytes between a chunk and its line end are no part of any body."""
    words = garbage("a chunk longer than it says")
    assert refusal(CHUNKED + b"\r\n2\r\nabc\r\n0\r\n\r\n") == words


@pytest.mark.parametrize(
    "headers",
    [
        b"Transfer-Encoding: gzip\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding: \r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
        b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: \r\n",
    ],
)
def test_chunks_are_the_only_coding_and_have_no_length(headers):
    """Where two framings are said, two readers would see two answers."""
    words = garbage("a transfer coding other than chunked alone")
    assert refusal(OK + headers + b"\r\n3\r\nabc\r\n0\r\n\r\n") == words


LARGE = ("too-large", f"the answer is larger than {MAX_BODY // 1024} KiB")
SHORT = ("short", "the connection closed before the answer was whole")


def test_the_caps_are_generous():
    """IMDS sends a few hundred bytes of head, and well under a quarter of this body."""
    assert (MAX_HEAD, MAX_BODY) == (64 * 1024, 1024 * 1024)


@pytest.mark.parametrize("spare", [2, 1, 0, -1, -2])
def test_a_head_is_as_long_as_its_cap(spare):
    """The whole head, with its last line end, is counted; how it is cut changes nothing."""
    start, end = OK + b"X: ", b"\r\nContent-Length: 1\r\n\r\n"
    head = start + b"x" * (MAX_HEAD - len(start) - len(end) - spare) + end
    for pieces in ([head, b"b"], [head[:-1], head[-1:], b"b"], [head[:-3], head[-3:] + b"b"]):
        if spare >= 0:
            assert parse(*pieces).body == b"b"
        else:
            assert refusal(*pieces) == LARGE


@pytest.mark.parametrize("size", [MAX_HEAD + 1, MAX_BODY])
def test_a_body_is_as_long_as_its_cap(size):
    """The head takes nothing from what the body may have; one byte more is too many."""
    body = b"x" * size
    assert parse(OK + b"Content-Length: %d\r\n\r\n" % size, body).body == body
    assert parse(OK + b"\r\n", body).body == body


def test_a_body_beyond_its_cap_is_refused():
    """Whether its length is said or not, and whichever piece brings it."""
    for pieces in ([b"x" * (MAX_BODY + 1)], [b"x" * MAX_BODY, b"x"], [b"x" * (MAX_BODY + 9), b""]):
        assert refusal(OK + b"\r\n", *pieces) == LARGE
    assert refusal(OK + b"Content-Length: %d\r\n\r\n" % (MAX_BODY + 1)) == LARGE
    assert refusal(OK + b"Content-Length: 99999999999999999999\r\n\r\n") == LARGE
    assert refusal(CHUNKED + b"\r\nFFFFFFFFFFFFFFFFFFFF\r\n") == LARGE


def test_chunks_count_with_their_sizes():
    """The cap is of bytes on the wire: sizes and line ends of chunks are among them."""
    around = len(b"00000\r\n\r\n0\r\n\r\n")
    for more in (0, 1):
        size = MAX_BODY - around + more
        pieces = (CHUNKED + b"\r\n", b"%05x\r\n" % size, b"x" * size, b"\r\n0\r\n\r\n")
        if more:
            assert refusal(*pieces) == LARGE
        else:
            assert len(parse(*pieces).body) == size


@pytest.mark.parametrize(
    "part",
    [
        b"",
        b"HTTP/1.1 200 OK",
        OK,
        OK + b"X: 1\r",
        OK + b"Content-Length: 2\r\n\r\nh",
        CHUNKED + b"\r\n",
        CHUNKED + b"\r\n2\r\nhi",
        CHUNKED + b"\r\n2\r\nhi\r\n0\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
def test_a_part_of_an_answer_is_none(part):
    """An end of the connection anywhere before the end of the answer is short."""
    assert refusal(part) == SHORT


@pytest.mark.parametrize(
    "endless",
    [
        b"x" * MAX_HEAD,
        OK + b"X: " + b"x" * (MAX_HEAD - len(OK) - 3),
        OK + b"\r\n" + b"x" * (MAX_BODY + 1),
        CHUNKED + b"\r\n" + b"1" * MAX_BODY,
    ],
    ids=["status line", "header", "body", "size of a chunk"],
)
def test_what_is_too_large_is_dropped_before_the_sender_closes(endless):
    """Nothing more is taken as soon as no answer can come of it."""
    with pytest.raises(WireError, match="larger") as caught:
        ResponseParser().feed(endless)
    assert caught.value.outcome == "too-large"


@pytest.mark.parametrize(
    "endless",
    [b"x" * (MAX_HEAD - 1), OK + b"\r\n" + b"x" * MAX_BODY],
    ids=["status line", "body"],
)
def test_what_is_not_yet_too_large_is_waited_for(endless):
    """One byte less may still become an answer."""
    parser = ResponseParser()
    parser.feed(endless)
    assert parser.response is None
