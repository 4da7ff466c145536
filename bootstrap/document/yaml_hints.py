"""The errors of PyYAML and libyaml in plain words, each with a hint how to correct it."""

from __future__ import annotations

import re

QUOTED = re.compile(r""" (['"]).{2,}\1""")
# A part of the library's message, our message, the hint. libyaml and PyYAML differ in some.
WORDS = (
    (
        "mapping values are not allowed",
        "a colon makes no sense here",
        "quote a value that holds a colon and a space; check the indentation",
    ),
    (
        "could not find expected ':'",
        "a key without a colon",
        "write `key: value`, with a space after the colon; check the lines above",
    ),
    (
        "expected <block end>",
        "this does not belong to what stands above it",
        "check the indentation, and that nothing follows a closing quote",
    ),
    (
        "did not find expected key",
        "this does not belong to what stands above it",
        "check the indentation, and that nothing follows a closing quote",
    ),
    (
        "did not find expected '-'",
        "a list is broken here",
        "each entry begins with `- ` in the same column",
    ),
    (
        "expected ',' or",
        "a flow mapping or list is broken here",
        "check the commas, quotes and the closing bracket",
    ),
    (
        "did not find expected ','",
        "a flow mapping or list is broken here",
        "check the commas, quotes and the closing bracket",
    ),
    (
        "node content",
        "a value is missing where the document or a bracket ends",
        "check that every bracket is closed and every comma is followed by something",
    ),
    ("escape", "an unknown escape in a text in double quotes", "use single quotes, or \\\\"),
)


def explain(
    problem: str, context: str, line: str, column: int, opened: int | None
) -> tuple[str, str]:
    """Return the message and the hint for a syntax error at `column` (from 1) of `line`.

    `problem` and `context` are the library's messages. `opened` is the line where the broken
    construct begins, None if that is unknown.
    """
    character = line[column - 1 : column]
    indentation = line[: len(line) - len(line.lstrip())]
    if character == "\t" or "\t" in indentation or "'\\t'" in problem:
        return "a tab cannot indent YAML", "indent with spaces"
    if character and character in "@`%" and "token" in problem:
        return f"a value cannot begin with {character}", "quote it"
    if "{{" in line:
        return "not valid YAML", 'quote it: "{{ … }}"   (an unquoted brace begins a mapping)'
    if "quoted scalar" in context and "end of stream" in problem:
        return f"the quote that opens in line {opened} is never closed", "close it"
    for part, message, hint in WORDS:
        if part in problem:
            return message, hint
    # PyYAML quotes the text, libyaml does not. The quote is removed: it may have to stay hidden.
    return f"not valid YAML: {QUOTED.sub('', problem)}", ""
