"""A document that was read: its data, and the place of every key and value."""

from __future__ import annotations

from bootstrap.document.paths import format_path
from bootstrap.errors import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from bootstrap.document.paths import Path

SHOWN_COLUMNS = 120  # of a longer line (JSON on one line) only the part around it is shown


class Span:
    """The place of a key or a value: line and column from 1, and its width in characters."""

    __slots__ = ("column", "last_line", "line", "width")

    def __init__(self, line: int, column: int, width: int = 1, last_line: int = 0) -> None:
        self.line = line
        self.column = column
        self.width = max(1, width)
        self.last_line = max(line, last_line)


class Reading:
    """A plain scalar that YAML 1.1 may read differently from what its writer meant.

    `raw` is the text as written, `kind` one of `octal` (0644), `sexagesimal` (12:30) and
    `boolean-word` (yes, no, on, off), `value` the value that YAML reads.
    """

    __slots__ = ("kind", "raw", "value")

    def __init__(self, raw: str, kind: str, value: object) -> None:
        self.raw = raw
        self.kind = kind
        self.value = value


class Place:
    """The span of one value, the spans of the keys in it, and the places of what it holds.

    It is a tree as deep as the data, not a table of paths, so that its size is that of the text. A
    value that an alias repeats has one place, that of its anchor.
    """

    __slots__ = ("children", "key", "reading", "span")

    def __init__(self, span: Span, reading: Reading | None = None) -> None:
        self.span = span
        self.key: dict[str | int, Span] = {}
        self.children: dict[str | int, Place] = {}
        self.reading = reading

    def walk(self, path: Path = ()) -> Iterator[tuple[Path, Place]]:
        """Yield every place at and below this one, with its path; `path` is that of this one."""
        yield path, self
        for part, child in self.children.items():
            yield from child.walk((*path, part))


class Source:
    """One text with a name, the data in it, and the place of each value in the data.

    `readings` holds the scalars that YAML may have misread, by path. Lines that hold a hidden
    value (see `concealing`) are never shown.
    """

    __slots__ = ("_concealed", "_lines", "_root", "data", "name")

    def __init__(
        self,
        name: str,
        data: Any,
        *,
        root: Place,
        lines: Sequence[str],
        concealed: frozenset[int] = frozenset(),
    ) -> None:
        self.name = name
        self.data = data
        self._root = root
        self._lines = lines
        self._concealed = concealed

    def where(self, path: Path = (), *, at_key: bool = False) -> str:
        """Return the place of the value (or of its key): `userData:4:11`.

        If the value is missing, return its parent's place.
        """
        span = self._span(path, at_key=at_key)
        return f"{self.name}:{span.line}:{span.column}"

    def problem(
        self,
        path: Path,
        message: str,
        *,
        hint: str = "",
        at_key: bool = False,
        hidden: bool = False,
    ) -> Problem:
        """Return a problem at `path`.

        With `hidden`, or on a concealed line, it does not show the source text.
        """
        span = self._span(path, at_key=at_key)
        hidden = hidden or span.line in self._concealed
        lines = () if hidden else self._lines
        return problem_at(self.name, lines, span, message, path=path, hint=hint)

    @property
    def readings(self) -> Mapping[Path, Reading]:
        """The scalars that YAML 1.1 may have misread, by path; aliases of one are included."""
        return {path: place.reading for path, place in self._root.walk() if place.reading}

    def reading(self, path: Path) -> Reading | None:
        """Return the scalar at `path` if YAML 1.1 may have misread it, else None."""
        place: Place | None = self._root
        for part in path:
            place = place.children.get(part) if place else None
        return place.reading if place else None

    def concealing(self, paths: Iterable[Path]) -> Source:
        """Return this source, but with the lines of the values at `paths` never shown."""
        spans = [self._span(path, at_key=False) for path in paths]
        lines = {line for span in spans for line in range(span.line, span.last_line + 1)}
        concealed = self._concealed | lines
        return Source(self.name, self.data, root=self._root, lines=self._lines, concealed=concealed)

    def _span(self, path: Path, *, at_key: bool) -> Span:
        place = self._root
        for depth, part in enumerate(path, start=1):
            if part not in place.children:
                break
            if at_key and depth == len(path) and part in place.key:
                return place.key[part]
            place = place.children[part]
        return place.span


def problem_at(
    name: str,
    lines: Sequence[str],
    span: Span,
    message: str,
    *,
    path: Path = (),
    hint: str = "",
) -> Problem:
    """Return a problem at `span` of the text called `name`; without `lines`, no text is shown."""
    line = lines[span.line - 1] if 0 < span.line <= len(lines) else ""
    start = max(0, span.column - 1 - SHOWN_COLUMNS // 2) if len(line) > SHOWN_COLUMNS else 0
    text = line[start : start + SHOWN_COLUMNS]
    column = span.column - start
    visible = max(1, len(text.rstrip()) - column + 1)
    return Problem(
        message,
        where=f"{name}:{span.line}:{span.column}",
        path=format_path(path),
        text=text,
        column=column,
        width=min(span.width, visible) if text else span.width,
        hint=hint,
    )
