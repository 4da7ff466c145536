"""Values that know who set them, and how one layer lies over another."""

from __future__ import annotations

from bootstrap.document import format_path
from bootstrap.document.characters import escaped
from bootstrap.errors import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Literal, TypeAlias

    from bootstrap.document import Path, Reading, Source

    Layer: TypeAlias = Literal["image", "userData", "tag"]
    Origin: TypeAlias = "DocumentOrigin | TagOrigin"


class DocumentOrigin:
    """A value's place in a document: `userData:4:11`; `layer` says whose document it is."""

    __slots__ = ("layer", "path", "source")

    def __init__(self, source: Source, path: Path, layer: Layer = "image") -> None:
        self.source = source
        self.path = path
        self.layer: Layer = layer

    def __str__(self) -> str:
        return self.source.where(self.path)

    def below(self, part: str | int) -> DocumentOrigin:
        """The origin of what the value holds at `part`."""
        return DocumentOrigin(self.source, (*self.path, part), self.layer)

    def reading(self) -> Reading | None:
        """What YAML may have misread here."""
        return self.source.reading(self.path)

    def problem(
        self, message: str, *, hint: str = "", at_key: bool = False, hidden: bool = False
    ) -> Problem:
        """A finding about the value."""
        return self.source.problem(self.path, message, hint=hint, at_key=at_key, hidden=hidden)


class TagOrigin:
    """A value set by a tag: `tag config:web.port`; `text` is empty where it must not be shown."""

    __slots__ = ("name", "path", "text")
    layer: Layer = "tag"

    def __init__(self, name: str, text: str, path: Path) -> None:
        self.name = name
        self.text = text
        self.path = path

    def __str__(self) -> str:
        return f"tag {escaped(self.name)}"  # which must not begin a line of a message

    def below(self, part: str | int) -> TagOrigin:
        """The origin of an entry, when the tag's text became a list or a mapping."""
        return TagOrigin(self.name, self.text, (*self.path, part))

    def reading(self) -> Reading | None:
        """A tag is text: nothing was misread."""
        return None

    def problem(
        self, message: str, *, hint: str = "", at_key: bool = False, hidden: bool = False
    ) -> Problem:
        """A finding about the value; the tag's text is its source."""
        del at_key  # a tag's name is its place already
        text = "" if hidden else " ".join(self.text.split())
        return Problem(
            message,
            where=str(self),
            path=format_path(self.path),
            text=text,
            column=1 if text else 0,
            width=max(1, len(text)),
            hint=hint,
        )


class Part:
    """A value and its origin; a mapping or a list holds parts in turn.

    A mapping that several layers fill has the origin of the lowest: the place that declares it.
    """

    __slots__ = ("origin", "value")

    def __init__(self, value: Any, origin: Origin) -> None:
        self.value = value
        self.origin = origin

    def find(self, path: Path) -> Part:
        """The part at `path`, or the last one on the way to it."""
        part = self
        for step in path:
            if not part.has(step):
                break
            part = part.value[step]
        return part

    def has(self, step: str | int) -> bool:
        """Whether there is a part at `step`."""
        if isinstance(self.value, list):
            return isinstance(step, int) and step < len(self.value)
        return isinstance(self.value, dict) and step in self.value

    def to_plain(self) -> Any:
        """The value as plain data, shared with nothing."""
        if isinstance(self.value, dict):
            return {key: part.to_plain() for key, part in self.value.items()}
        if isinstance(self.value, list):
            return [part.to_plain() for part in self.value]
        return self.value

    def origins(self, path: Path) -> Iterator[tuple[Path, str]]:
        """The origin of every scalar, list and empty mapping here and below; this is at `path`."""
        if not isinstance(self.value, dict) or not self.value:
            yield path, str(self.origin)
        if isinstance(self.value, dict):
            for key, part in self.value.items():
                yield from part.origins((*path, key))
        elif isinstance(self.value, list):
            for index, part in enumerate(self.value):
                yield from part.origins((*path, index))


def annotate(value: Any, origin: Origin) -> Part:
    """`value`, as read, with the origin of everything in it."""
    if isinstance(value, dict):
        return Part({key: annotate(item, origin.below(key)) for key, item in value.items()}, origin)
    if isinstance(value, list):
        return Part([annotate(item, origin.below(at)) for at, item in enumerate(value)], origin)
    return Part(value, origin)


def merge_parts(lower: Part | None, upper: Part) -> Part:
    """`upper` over `lower`: mappings merge, everything else (null too) replaces."""
    if lower is None or not (isinstance(lower.value, dict) and isinstance(upper.value, dict)):
        return upper
    merged = dict(lower.value)
    for key, part in upper.value.items():
        merged[key] = merge_parts(merged.get(key), part)
    return Part(merged, lower.origin)
