"""Values with their origins, and how one layer is merged over another."""

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
    """The place of a value in a document: `userData:4:11`; `layer` is the document's layer."""

    __slots__ = ("layer", "path", "source")

    def __init__(self, source: Source, path: Path, layer: Layer = "image") -> None:
        self.source = source
        self.path = path
        self.layer: Layer = layer

    def __str__(self) -> str:
        return self.source.where(self.path)

    def below(self, part: str | int) -> DocumentOrigin:
        """Return the origin of what the value holds at `part`."""
        return DocumentOrigin(self.source, (*self.path, part), self.layer)

    def reading(self) -> Reading | None:
        """Return the scalar here if YAML may have misread it, else None."""
        return self.source.reading(self.path)

    def problem(
        self, message: str, *, hint: str = "", at_key: bool = False, hidden: bool = False
    ) -> Problem:
        """Return a problem with the value."""
        return self.source.problem(self.path, message, hint=hint, at_key=at_key, hidden=hidden)


class TagOrigin:
    """The tag that sets a value: `tag config:web.port`; `text` is empty if it must not be shown."""

    __slots__ = ("name", "path", "text")
    layer: Layer = "tag"

    def __init__(self, name: str, text: str, path: Path) -> None:
        self.name = name
        self.text = text
        self.path = path

    def __str__(self) -> str:
        return f"tag {escaped(self.name)}"  # a name must not begin a new line in a message

    def below(self, part: str | int) -> TagOrigin:
        """Return the origin of an entry, if the tag's text became a list or a mapping."""
        return TagOrigin(self.name, self.text, (*self.path, part))

    def reading(self) -> Reading | None:
        """Return None: a tag is text, and YAML has not read it."""
        return None

    def problem(
        self, message: str, *, hint: str = "", at_key: bool = False, hidden: bool = False
    ) -> Problem:
        """Return a problem with the value; the tag's text is its source."""
        del at_key  # a problem with a tag has no place but the tag's name
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

    A mapping that several layers fill has the origin of the lowest layer, which declares it.
    """

    __slots__ = ("origin", "value")

    def __init__(self, value: Any, origin: Origin) -> None:
        self.value = value
        self.origin = origin

    def find(self, path: Path) -> Part:
        """Return the part at `path`; if it is missing, the last part that exists on the path."""
        part = self
        for step in path:
            if not part.has(step):
                break
            part = part.value[step]
        return part

    def has(self, step: str | int) -> bool:
        """Return whether there is a part at `step`."""
        if isinstance(self.value, list):
            return isinstance(step, int) and step < len(self.value)
        return isinstance(self.value, dict) and step in self.value

    def to_plain(self) -> Any:
        """Return the value as plain data, as a copy."""
        if isinstance(self.value, dict):
            return {key: part.to_plain() for key, part in self.value.items()}
        if isinstance(self.value, list):
            return [part.to_plain() for part in self.value]
        return self.value

    def origins(self, path: Path) -> Iterator[tuple[Path, str]]:
        """Yield the path and origin of every scalar, list and empty mapping at and below this part.

        `path` is the path of this part.
        """
        if not isinstance(self.value, dict) or not self.value:
            yield path, str(self.origin)
        if isinstance(self.value, dict):
            for key, part in self.value.items():
                yield from part.origins((*path, key))
        elif isinstance(self.value, list):
            for index, part in enumerate(self.value):
                yield from part.origins((*path, index))


def annotate(value: Any, origin: Origin) -> Part:
    """Return `value`, as read, with the origin of everything in it."""
    if isinstance(value, dict):
        return Part({key: annotate(item, origin.below(key)) for key, item in value.items()}, origin)
    if isinstance(value, list):
        return Part([annotate(item, origin.below(at)) for at, item in enumerate(value)], origin)
    return Part(value, origin)


def merge_parts(lower: Part | None, upper: Part) -> Part:
    """Return `upper` over `lower`: mappings are merged, all other values (null too) replace."""
    if lower is None or not (isinstance(lower.value, dict) and isinstance(upper.value, dict)):
        return upper
    merged = dict(lower.value)
    for key, part in upper.value.items():
        merged[key] = merge_parts(merged.get(key), part)
    return Part(merged, lower.origin)
