r"""Control characters in tags and userData: which are allowed, and the problems with the others.

The value that is used is checked after all decoding, both its keys and its texts. A tag may hold
none, except tab and line breaks (`\t`, `\n`, `\r`) where the image's schema has `x-multiline: true`
for that very text. A userData may hold these three in texts, but none in a key or in the name of an
environment. The image's own documents are not checked: what they hold is the image's choice.
"""

from __future__ import annotations

from itertools import islice

from bootstrap.config.schema.validator import MAX_FINDINGS
from bootstrap.document.characters import CONTROL, CONTROL_IN_TEXT, NAMES, name

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator
    from typing import Any, TypeAlias

    from bootstrap.config.documents import Document
    from bootstrap.config.provenance import Origin, Part
    from bootstrap.config.schema.lookup import Shape
    from bootstrap.document import Path
    from bootstrap.errors import Problem

    # A forbidden control character: the path of the text, the character, whether it is in a key.
    Occurrence: TypeAlias = "tuple[Path, str, bool]"

REMOVE = "remove it"
MULTILINE = "remove it, or write `x-multiline: true` beside its type in the image's schema"


def in_tag(part: Part, path: Path, shape: Shape) -> Iterator[Problem]:
    """Yield a problem for each key and text with a forbidden character in the value of a tag.

    `path` is the path below `values` that the tag sets. There are at most MAX_FINDINGS problems.
    """

    def forbidden(at: Path) -> re.Pattern[str]:
        many = any(schema.get("x-multiline") is True for schema in shape.at(at))
        return CONTROL_IN_TEXT if many else CONTROL

    guarded = set(shape.guarded(_skeleton(part.to_plain(), path))) if shape.hides else set()
    for at, sign, at_key in islice(_walk(part.to_plain(), path, forbidden), MAX_FINDINGS):
        origin = part.find(at[len(path) :]).origin
        hint = MULTILINE if sign in NAMES and not at_key else REMOVE
        subject = "a key in this tag" if at_key else "this tag"
        yield _problem(origin, subject, sign, hint=hint, hidden=at in guarded)


def in_tag_name(origin: Origin, tag: str, text: str = "") -> Problem | None:
    """Return the problem with the name of one of our tags, or with the environment `text` in it.

    None if neither has a control character.
    """
    for subject, value in (("the name of this tag", tag), ("the environment in this tag", text)):
        if match := CONTROL.search(value):
            return _problem(origin, subject, match.group(), hint=REMOVE)
    return None


def in_document(document: Document, shape: Shape) -> Iterator[Problem]:
    """Yield a problem for each key and text with a forbidden character in a userData.

    An image document has none. There are at most MAX_FINDINGS problems.
    """
    if document.trust == "image":
        return

    def forbidden(at: Path) -> re.Pattern[str]:
        return CONTROL if at == ("environment",) else CONTROL_IN_TEXT

    source = document.source
    for at, sign, at_key in islice(_walk(source.data, (), forbidden), MAX_FINDINGS):
        hidden = shape.hides and "values" in at[:3]
        shown = "a control character" if hidden else name(sign)
        subject = "a key" if at_key else "a text"
        message = f"{subject} of userData may not hold {shown}"
        yield source.problem(at, message, hint=REMOVE, at_key=at_key, hidden=hidden)


def _problem(
    origin: Origin, subject: str, sign: str, *, hint: str, hidden: bool = False
) -> Problem:
    shown = "a control character" if hidden else name(sign)
    return origin.problem(f"{subject} may not hold {shown}", hint=hint, hidden=hidden)


def _walk(
    value: Any, path: Path, forbidden: Callable[[Path], re.Pattern[str]]
) -> Iterator[Occurrence]:
    """Yield the first forbidden character of each key and each text that has any."""
    if isinstance(value, str):
        if (first := CONTROL.search(value)) and (first := forbidden(path).search(value)):
            yield path, first.group(), False
    elif isinstance(value, dict):
        for key, item in value.items():
            if first := CONTROL.search(key):
                yield (*path, key), first.group(), True
            yield from _walk(item, (*path, key), forbidden)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _walk(item, (*path, at), forbidden)


def _skeleton(value: Any, path: Path) -> Any:
    """Return `value` nested in one mapping for each step of `path`."""
    for step in reversed(path):
        value = {step: value}
    return value
