"""The reading of a text to a Source: as JSON if it is JSON, else as YAML."""

from __future__ import annotations

import re

from bootstrap.document import json_reader, yaml_reader
from bootstrap.document.characters import escape
from bootstrap.document.limits import MAX_TEXT, Findings
from bootstrap.document.tree import Source, Span
from bootstrap.errors import InvalidDocument

YAML_BREAK = re.compile("[\n\x85]")  # U+2028 and U+2029 are refused before lines are counted
# All characters that YAML 1.1 does not call printable, and a byte order mark that is not first.
# (The complement, with its large ranges, takes ten times as long to compile.)
UNREADABLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]"
)
MEANT_AS_JSON = re.compile(r'\s*[{\[]\s*["{\[]')


def parse(text: str, name: str) -> Source:
    """Return the Source of a text: see `bootstrap.document.parse`."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > MAX_TEXT:
        message = f"longer than {MAX_TEXT // 1024} KiB"
        raise Findings(name, ()).stop(Span(1, 1), message)
    if not text.lstrip().startswith(("{", "[")):
        return _yaml(text, name)
    findings = Findings(name, text.split("\n"))
    try:
        node = json_reader.read(text, findings)
    except json_reader.NotJson as error:
        return _yaml_or(error, text, name)
    return Source(name, node.value, root=node.place, lines=findings.lines)


def _yaml(text: str, name: str) -> Source:
    findings = Findings(name, YAML_BREAK.split(text))
    _refuse_unreadable(text, findings)
    node = yaml_reader.read(text, findings)
    return Source(name, node.value, root=node.place, lines=findings.lines)


def _yaml_or(error: json_reader.NotJson, text: str, name: str) -> Source:
    """Return the Source of a text that begins like JSON and is not JSON: YAML's flow style.

    Raises InvalidDocument if it is not YAML either, with the error of the likelier format.
    """
    try:
        return _yaml(text, name)
    except InvalidDocument:
        if not MEANT_AS_JSON.match(text):
            raise
    findings = Findings(name, text.split("\n"))
    before = text[: error.at].split("\n")
    span = Span(len(before), len(before[-1]) + 1)
    raise findings.stop(span, f"not valid JSON: {error.message}") from error


def _refuse_unreadable(text: str, findings: Findings) -> None:
    """Raise InvalidDocument if the text has characters that no document may hold."""
    for match in UNREADABLE.finditer(text):
        before = YAML_BREAK.split(text[: match.start()])
        message = f"the character U+{ord(match.group()):04X} cannot stand in a document"
        written = escape(match.group())
        hint = f'remove it; a document of the image may hold it as an escape: "{written}"'
        findings.add(Span(len(before), len(before[-1]) + 1), message, hint=hint)
    if findings.problems:
        raise findings.error()
