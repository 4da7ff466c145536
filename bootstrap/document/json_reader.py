"""JSON with places.

YAML is nearly a superset of JSON. This reader is needed for what YAML cannot read: tabs, surrogate
pairs in escapes, numbers such as `1e3`, keys longer than 1024 characters.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from json.decoder import JSONDecodeError, scanstring  # type: ignore[attr-defined]
from math import isfinite

from bootstrap.document.limits import Node
from bootstrap.document.tree import Place, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bootstrap.document.limits import Findings
    from bootstrap.document.paths import Path

SPACE = re.compile(r"[ \t\n]*")
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
WORDS = {"true": True, "false": False, "null": None}
MAX_DIGITS = 100


class NotJson(ValueError):
    """The text is not valid by the grammar of JSON, at the offset `at`."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.message = message
        self.at = at


def read(text: str, findings: Findings) -> Node:
    """Return the node of a JSON text.

    Raises NotJson if the text is not valid JSON (it may be YAML's flow style), InvalidDocument if
    it is JSON that holds something a document must not hold.
    """
    node = _Reader(text, findings).document()
    if findings.problems:
        raise findings.error()
    return node


class _Reader:
    """A recursive descent parser of one text; line starts turn offsets into places."""

    def __init__(self, text: str, findings: Findings) -> None:
        self.text = text
        self.findings = findings
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def document(self) -> Node:
        node, at = self.value(self.space(0), ())
        if self.space(at) != len(self.text):
            raise NotJson("text follows the end of the document", at)
        return node

    def space(self, at: int) -> int:
        match = SPACE.match(self.text, at)
        return match.end() if match else at

    def span(self, at: int, end: int) -> Span:
        line = bisect_right(self.starts, at)
        last = bisect_right(self.starts, max(at, end - 1))
        return Span(line, at - self.starts[line - 1] + 1, end - at, last)

    def value(self, at: int, path: Path) -> tuple[Node, int]:
        opening = self.text[at : at + 1]
        if opening in {"{", "["}:
            self.findings.enter(self.span(at, at + 1), path)
            return self.mapping(at, path) if opening == "{" else self.sequence(at, path)
        value, end = self.scalar(at, path)
        span = self.span(at, end)
        self.findings.count(span)
        return Node(value, Place(span)), end

    def mapping(self, start: int, path: Path) -> tuple[Node, int]:
        node = Node({}, Place(self.span(start, start + 1)))
        at = self.space(start + 1)
        while self.text[at : at + 1] != "}":
            at = self.separator(at, first=not node.place.children)
            key, end = self.string(at, path)
            key_span = self.span(at, end)
            at = self.space(self.expect(":", self.space(end)))
            child, at = self.value(at, (*path, key))
            if key in node.value:
                first = node.place.key[key].line
                self.findings.add(
                    key_span, f"the key is here twice; first in line {first}", path=(*path, key)
                )
            node.put(key, child)
            node.place.key[key] = key_span
            at = self.space(at)
        return self.closed(node, start, at)

    def sequence(self, start: int, path: Path) -> tuple[Node, int]:
        node = Node([], Place(self.span(start, start + 1)))
        at = self.space(start + 1)
        while self.text[at : at + 1] != "]":
            at = self.separator(at, first=not node.value)
            index = len(node.value)
            child, at = self.value(at, (*path, index))
            node.put(index, child)
            at = self.space(at)
        return self.closed(node, start, at)

    def closed(self, node: Node, start: int, at: int) -> tuple[Node, int]:
        node.place.span = self.span(start, at + 1)
        return node, at + 1

    def separator(self, at: int, *, first: bool) -> int:
        return at if first else self.space(self.expect(",", at))

    def expect(self, mark: str, at: int) -> int:
        if self.text[at : at + 1] != mark:
            raise NotJson(f"expected {mark!r}", at)
        return at + 1

    def string(self, at: int, path: Path) -> tuple[str, int]:
        self.expect('"', at)
        try:
            value, end = scanstring(self.text, at + 1, True)
        except JSONDecodeError as error:
            raise NotJson(error.msg, error.pos) from error
        if any("\ud800" <= character <= "\udfff" for character in value):
            message = "half of a surrogate pair is not a character"
            self.findings.add(self.span(at, end), message, path=path)
        return value, end

    def scalar(self, at: int, path: Path) -> tuple[Any, int]:
        if self.text[at : at + 1] == '"':
            return self.string(at, path)
        for word, value in WORDS.items():
            if self.text.startswith(word, at):
                return value, at + len(word)
        match = NUMBER.match(self.text, at)
        if not match:
            raise NotJson("expected a value", at)
        return self.number(match, path), match.end()

    def number(self, match: re.Match[str], path: Path) -> int | float:
        integer = match.group(1) is None and match.group(2) is None
        if len(match.group()) <= MAX_DIGITS:
            value = int(match.group()) if integer else float(match.group())
            if integer or isfinite(value):
                return value
        self.findings.add(self.span(*match.span()), "the number is too large", path=path)
        return 0
