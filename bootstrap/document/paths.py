"""The path of a value inside a document, as data and as people write it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

Path: TypeAlias = "tuple[str | int, ...]"


def format_path(path: Path) -> str:
    """Return `("files", 0, "mode")` as `files[0].mode`; a key that is no plain word is quoted."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part and not set(part) & set('.[]"'):
            text += f".{part}" if text else part
        else:
            escaped = part.replace("\\", "\\\\").replace('"', '\\"')
            text += f'["{escaped}"]'
    return text


def parse_path(text: str) -> Path:
    """Return the path that `format_path` writes as `text`; `""` is the whole document.

    Raises ValueError with a message for the person who wrote the text.
    """
    path: list[str | int] = []
    rest = text
    while rest:
        part, rest = _step(rest, first=not path)
        path.append(part)
    return tuple(path)


def _step(rest: str, *, first: bool) -> tuple[str | int, str]:
    if rest[0] == "[":
        return _bracket(rest)
    if not first:
        if rest[0] != ".":
            raise ValueError(f"a dot is missing before {rest!r}")
        rest = rest[1:]
    end = min((at for at in (rest.find("."), rest.find("[")) if at >= 0), default=len(rest))
    if end == 0:
        raise ValueError("a name is missing between two dots, or at an end")
    return rest[:end], rest[end:]


def _bracket(rest: str) -> tuple[str | int, str]:
    if rest.startswith('["'):
        return _quoted(rest)
    inner, closed, after = rest[1:].partition("]")
    if not closed or not (inner.isascii() and inner.isdigit()):
        raise ValueError('brackets hold a number or a quoted name: [0], ["a.b"]')
    return int(inner), after


def _quoted(rest: str) -> tuple[str, str]:
    characters: list[str] = []
    at = 2
    while at < len(rest) and rest[at] != '"':
        at += rest[at] == "\\"
        characters.append(rest[at : at + 1])
        at += 1
    if rest[at : at + 2] != '"]':
        raise ValueError('a quoted name ends in "]')
    return "".join(characters), rest[at + 2 :]
