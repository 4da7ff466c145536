"""Filters that return text, or the parts of a text."""

from __future__ import annotations

import re
import shlex

from bootstrap.render.errors import FilterError, kind
from bootstrap.render.limits import require_format, require_items, require_text, require_width
from bootstrap.render.undefined import MissingValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

# Every line end that some program recognizes: those of str.splitlines().
_LINE_END = re.compile("\r\n|[\n\x0b\x0c\r\x1c-\x1e\x85\u2028\u2029]")
SUBJECT = 64 * 1024  # characters that a regular expression may search: all of a userData


def string(value: Any) -> str:
    """Return the value as it is printed: `true` and `false` in lower case, numbers plain."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | MissingValue):
        return str(value)
    hint = "" if callable(value) else _PRINTING.get(kind(value), "")
    raise FilterError(f"{kind(value)} cannot be printed", hint=hint or "call it: name()")


_PRINTING = {
    "null": "give it a default: {{ … | default('', true) }}",
    "a mapping": "choose a form: {{ … | to_json }}, to_yaml, to_toml or to_ini",
    "a list": "choose a form: {{ … | join(', ') }} or {{ … | to_json }}",
    "something else": "choose a form: {{ … | list | to_json }} or {{ … | join(', ') }}",
}


def lower(value: Any) -> str:
    """Return the text in lower case."""
    return string(value).lower()


def upper(value: Any) -> str:
    """Return the text in upper case."""
    return string(value).upper()


def capitalize(value: Any) -> str:
    """Return the text with its first letter in upper case and the others in lower case."""
    return string(value).capitalize()


def title(value: Any) -> str:
    """Return the text with each word's first letter in upper case and the others in lower case."""
    return re.sub(r"[^\W_]+('\w+)?", lambda word: word.group().capitalize(), string(value))


def trim(value: Any, characters: str | None = None) -> str:
    """Remove white space, or these characters, from both ends of the text."""
    return string(value).strip(characters)


def quote(value: Any) -> str:
    """Quote the value as one word for a POSIX shell; it may hold any text, even line breaks."""
    text = string(value)
    if "\0" in text:
        raise FilterError("a shell word cannot hold a NUL character")
    return shlex.quote(text)


def indent(value: Any, width: int = 4, first: bool = False, blank: bool = False) -> str:  # noqa: FBT001, FBT002  # Jinja's signature
    """Indent every line but the first by `width` columns; `first`, `blank`: these lines too."""
    require_width(width)
    text = string(value)
    require_text(len(text) + width * (text.count("\n") + 1))
    padding = " " * width
    head, *rest = text.split("\n")
    moved = [padding + line if line or blank else line for line in rest]
    return "\n".join([padding + head if first else head, *moved])


def nindent(value: Any, width: int = 4) -> str:
    """Add a newline, then indent every line by `width` columns, for a block after a key."""
    return "\n" + indent(value, width, first=True)


def comment(value: Any, prefix: str = "# ") -> str:
    """Make every line a comment that begins with `prefix`."""
    lines = _LINE_END.split(string(value))
    require_text(sum(map(len, lines)) + (len(prefix) + 1) * len(lines))
    return "\n".join((prefix + line).rstrip() for line in lines)


def split(value: Any, separator: str | None = None, maximum: int = -1) -> list[str]:
    """Split a text at each `separator`, or at white space."""
    text = string(value)
    require_items(text.count(separator) if separator else len(text.split()))
    return text.split(separator, maximum)


def join(values: Iterable[Any], separator: str = "") -> str:
    """Join the items to one text with `separator` between them."""
    pieces = []
    length = 0
    for item in values:
        pieces.append(string(item))
        length += len(pieces[-1]) + len(separator)
        require_text(length)
    return separator.join(pieces)


def replace(value: Any, old: str, new: str, count: int = -1) -> str:
    """Replace every `old` in the text by `new`, at most `count` of them."""
    text = string(value)
    require_text(len(text) + text.count(old) * len(new))
    return text.replace(old, new, count)


def regex_replace(
    value: Any, pattern: str, replacement: str = "", *, ignorecase: bool = False, count: int = 0
) -> str:
    r"""Replace each match of a regular expression by `replacement` (`\1`, `\g<name>`).

    The pattern comes from the image, the text may come from anyone. The text is limited in length,
    the pattern is not. So no pattern that can match in exponentially many ways (`(a+)+$`) belongs
    in a template.
    """
    text = _subject(value)
    length = 0

    def expand(match: re.Match[str]) -> str:
        nonlocal length
        expanded = match.expand(replacement)
        length += len(expanded)
        require_text(length)
        return expanded

    return _compile(pattern, ignorecase=ignorecase).sub(expand, text, count=count)


def matches(value: Any, pattern: str, *, ignorecase: bool = False) -> bool:
    """Return whether a regular expression matches somewhere in the text."""
    return _compile(pattern, ignorecase=ignorecase).search(_subject(value)) is not None


def fullmatch(value: Any, pattern: str, expected: str = "") -> str:
    """Return the text; fail if the regular expression does not match all of it."""
    text = _subject(value)
    if not _compile(pattern, ignorecase=False).fullmatch(text):
        raise FilterError(
            f"the value is not {expected or 'of the form that is asked for here'}",
            hint="imds-bootstrap show config --origin tells which layer set it",
        )
    return text


def percent(form: Any, *arguments: Any) -> str:
    """Return the text with the arguments in place of `%s`, `%05d`, `%.2f`."""
    form = string(form)
    scalars = [_scalar(argument) for argument in arguments]
    require_format(form, scalars)
    return str(form % tuple(scalars))


def _subject(value: Any) -> str:
    text = string(value)
    if len(text) > SUBJECT:
        raise FilterError(f"a regular expression is tried on at most {SUBJECT} characters")
    return text


def _compile(pattern: str, *, ignorecase: bool) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.IGNORECASE if ignorecase else 0)
    except re.error as error:
        reason = error.msg.partition("'")[0].strip()  # the quoted part may come from a value
        raise FilterError(f"the regular expression is not valid: {reason}") from None


def _scalar(value: Any) -> str | int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return string(value)
