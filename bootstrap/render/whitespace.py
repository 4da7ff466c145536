"""Which newlines of a template are text, and which only end a line of template statements.

A line that holds nothing but statements and comments leaves no line in the output; every other
newline stays. Plain Jinja leaves a blank line for each `{% if %}`; its `trim_blocks` (the way of
Ansible and cloud-init) takes the newline after *every* statement, so that

    listen {{ port }}{% if tls %} ssl{% endif %}
    server_name {{ name }};

becomes one line. Neither is what the eye expects. `{%-`, `-%}`, `{%+` and `+%}` work as they do
in Jinja; a line with a `+` is kept as it stands.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Token = tuple[int, str, str]  # line, kind, text

_OPENING = {"block_begin", "comment_begin", "raw_begin", "raw_end"}
_CLOSING = {"block_end", "comment_end", "raw_begin", "raw_end"}


def drop_statement_lines(tokens: Iterable[Token]) -> Iterator[Token]:
    """Jinja's token stream without the white space of lines that hold statements only."""
    line: list[Token] = []
    inside = False  # between the delimiters of a tag, where a newline ends no line
    for token in _split(tokens):
        line.append(token)
        inside = token[1] in _OPENING - _CLOSING or (inside and token[1] not in _CLOSING)
        if not inside and token[1] == "data" and token[2].endswith("\n"):
            yield from _finish(line)
            line = []
    yield from _finish(line)


def _split(tokens: Iterable[Token]) -> Iterator[Token]:
    for number, kind, text in tokens:
        if kind != "data":
            yield number, kind, text
            continue
        for offset, piece in enumerate(text.split("\n")):
            last = offset == text.count("\n")
            if piece or not last:
                yield number + offset, "data", piece if last else piece + "\n"


def _finish(line: list[Token]) -> Iterator[Token]:
    if _holds_statements_only(line):
        return (token for token in line if token[1] != "data")
    return iter(line)


def _holds_statements_only(line: list[Token]) -> bool:
    kinds = {kind for _, kind, _ in line}
    return (
        not kinds.isdisjoint(_OPENING)
        and "variable_begin" not in kinds
        and not any(kind in _OPENING and text.endswith("+") for _, kind, text in line)
        and not any(kind in _CLOSING and text.startswith("+") for _, kind, text in line)
        and all(not text.strip() for _, kind, text in line if kind == "data")
    )
