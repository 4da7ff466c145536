"""One HTTP/1.1 answer, read from bytes as they come: no socket, no clock.

The parser takes what RFC 9112 asks a client to take and nothing looser, because what comes from
a middlebox instead of IMDS should be noticed rather than understood. It holds at most
`MAX_HEAD` + `MAX_BODY` bytes and one piece that was fed to it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from typing import TypeAlias

    Steps: TypeAlias = Generator[None, None, "Response"]

MAX_HEAD = 64 * 1024  # bytes of the status line and the headers; IMDS sends about 200
# Bytes of the body as they are on the wire. The largest document holds 64 KiB of userData in
# base64, 50 tags of 768 characters and some disks: well under a quarter of this.
MAX_BODY = 1024 * 1024

_CRLF = b"\r\n"
_BODILESS = (204, 304)  # RFC 9110, 6.4.1
_TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


class WireError(Exception):
    """No whole answer came.

    `outcome` is one greppable word (`refused`, `timeout`, `short`, `garbage`, …); the text of the
    error says more.
    """

    def __init__(self, outcome: str, detail: str) -> None:
        super().__init__(detail)
        self.outcome = outcome


class Response:
    """A whole answer; header names are lower-case, and repeated ones are joined by a comma."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class ResponseParser:
    """Takes the answer piece by piece; `response` is there as soon as it is whole.

    `feed` and `end` raise `WireError` and nothing else.
    """

    __slots__ = ("_incoming", "_steps", "response")

    def __init__(self) -> None:
        self._incoming = _Incoming()
        self._steps = _response(self._incoming)
        self.response: Response | None = None

    def feed(self, piece: bytes) -> None:
        """Take more of the answer; what comes after its end is ignored."""
        if self.response is None:
            self._incoming.held += piece
            self._advance()

    def end(self) -> None:
        """The sender closed: the answer is whole now, or never will be."""
        self._incoming.ended = True
        if self.response is None:
            self._advance()

    def _advance(self) -> None:
        try:
            next(self._steps)
        except StopIteration as finished:
            self.response = finished.value


class _Incoming:
    """The bytes that came and are not yet understood, and how many more may be taken."""

    __slots__ = ("budget", "ended", "held")

    def __init__(self) -> None:
        self.held = bytearray()
        self.ended = False
        self.budget = MAX_HEAD

    def line(self) -> Generator[None, None, bytes]:
        """The next line, without its CRLF."""
        seen = 0
        while (found := self.held.find(_CRLF, seen, self.budget)) < 0:
            # A line that drips in must not be searched from its start for every byte.
            seen = max(0, len(self.held) - 1)
            yield from self._more()
        line = self._take(found)
        self._take(len(_CRLF))
        return line

    def exactly(self, count: int) -> Generator[None, None, bytes]:
        """The next `count` bytes."""
        if count > self.budget:
            raise _too_large()
        while len(self.held) < count:
            yield from self._more()
        return self._take(count)

    def rest(self) -> Generator[None, None, bytes]:
        """Everything until the sender closes."""
        while not self.ended:
            if len(self.held) > self.budget:
                raise _too_large()
            yield
        return (yield from self.exactly(len(self.held)))

    def _more(self) -> Generator[None, None, None]:
        if len(self.held) >= self.budget:
            raise _too_large()
        if self.ended:
            raise WireError("short", "the connection closed before the answer was whole")
        yield

    def _take(self, count: int) -> bytes:
        taken = bytes(self.held[:count])
        del self.held[:count]
        self.budget -= count
        return taken


def _response(incoming: _Incoming) -> Steps:
    status, headers = yield from _head(incoming)
    while status < 200:  # noqa: PLR2004 - interim answers come before the real one
        status, headers = yield from _head(incoming)
    incoming.budget = MAX_BODY
    body = b"" if status in _BODILESS else (yield from _body(incoming, headers))
    return Response(status, headers, body)


def _head(incoming: _Incoming) -> Generator[None, None, tuple[int, dict[str, str]]]:
    status = _status((yield from incoming.line()))
    headers: dict[str, str] = {}
    while line := (yield from incoming.line()):
        name, value = _header(line)
        if name == "content-length" and headers.get(name, value) != value:
            raise _garbage("two lengths")
        if name in headers and name != "content-length":
            value = f"{headers[name]}, {value}"
        headers[name] = value
    return status, headers


def _status(line: bytes) -> int:
    version, _, rest = line.partition(b" ")
    code = rest[:3]
    if version not in (b"HTTP/1.1", b"HTTP/1.0") or rest[3:4] not in (b"", b" "):
        raise _garbage("no HTTP/1 status line")
    if len(code) != 3 or not code.isdigit() or not b"100" <= code < b"600":  # noqa: PLR2004
        raise _garbage("no status code from 100 to 599")
    if code == b"101":
        raise _garbage("a switch of protocols that nobody asked for")
    return int(code)


def _header(line: bytes) -> tuple[str, str]:
    name, colon, value = line.partition(b":")
    if not colon or not name or not _TOKEN.issuperset(name):
        raise _garbage("a line among the headers that is none")
    if b"\r" in value or b"\n" in value or b"\0" in value:
        raise _garbage("a header with a line end or a NUL in it")
    return name.decode("ascii").lower(), value.strip(b" \t").decode("latin-1")


def _body(incoming: _Incoming, headers: Mapping[str, str]) -> Generator[None, None, bytes]:
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None:
        if coding.lower() != "chunked" or length is not None:
            raise _garbage("a transfer coding other than chunked alone")
        return (yield from _chunks(incoming))
    if length is None:
        return (yield from incoming.rest())
    return (yield from incoming.exactly(_number(length, "0123456789", 10)))


def _chunks(incoming: _Incoming) -> Generator[None, None, bytes]:
    body = bytearray()
    while size := _chunk_size((yield from incoming.line())):
        body += yield from incoming.exactly(size)
        if (yield from incoming.line()):
            raise _garbage("a chunk longer than it says")
    while (yield from incoming.line()):
        pass  # trailers say nothing about metadata
    return bytes(body)


def _chunk_size(line: bytes) -> int:
    return _number(
        line.partition(b";")[0].rstrip(b" \t").decode("latin-1"), "0123456789abcdefABCDEF", 16
    )


def _number(text: str, digits: str, base: int) -> int:
    if not text or not frozenset(digits).issuperset(text):
        raise _garbage("a length that is not a number")
    # Sixteen digits are far beyond the cap in either base; int() of a longer text costs time.
    return int(text.lstrip("0")[:16] or "0", base)


def _garbage(what: str) -> WireError:
    return WireError("garbage", f"the answer is not HTTP/1.1: {what}")


def _too_large() -> WireError:
    return WireError("too-large", f"the answer is larger than {MAX_BODY // 1024} KiB")
