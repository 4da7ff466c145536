r"""Control characters in what a tag or a userData says: which pass, and what is said of the others.

They are judged in the value that is used, after all decoding, in its keys as in its texts. From a
tag none passes, but tab and line breaks (`\t`, `\n`, `\r`) where the image's schema says
`x-multiline: true` of that very text. From a userData these three pass in texts, and none in a key
or in the name of an environment. What the image's own documents hold is the image's choice.
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

    # A text with a control character that may not be there: where, which, and whether in a key.
    Found: TypeAlias = "tuple[Path, str, bool]"

REMOVE = "remove it"
MULTILINE = "remove it, or write `x-multiline: true` beside its type in the image's schema"


def in_tag(part: Part, path: Path, shape: Shape) -> Iterator[Problem]:
    """Yield what the value of a tag, to be set at `path` below `values`, may not hold."""

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
    """Return what is wrong with the name of a tag that is ours, or with an environment's in it."""
    for subject, one in (("the name of this tag", tag), ("the environment in this tag", text)):
        if found := CONTROL.search(one):
            return _problem(origin, subject, found.group(), hint=REMOVE)
    return None


def in_document(document: Document, shape: Shape) -> Iterator[Problem]:
    """Yield what a userData holds and may not; of an image document, nothing."""
    if document.trust == "image":
        return

    def forbidden(at: Path) -> re.Pattern[str]:
        return CONTROL if at == ("environment",) else CONTROL_IN_TEXT

    source = document.source
    for at, sign, at_key in islice(_walk(source.data, (), forbidden), MAX_FINDINGS):
        hidden = shape.hides and "values" in at[:3]
        told = "a control character" if hidden else name(sign)
        subject = "a key" if at_key else "a text"
        message = f"{subject} of userData may not hold {told}"
        yield source.problem(at, message, hint=REMOVE, at_key=at_key, hidden=hidden)


def _problem(
    origin: Origin, subject: str, sign: str, *, hint: str, hidden: bool = False
) -> Problem:
    told = "a control character" if hidden else name(sign)
    return origin.problem(f"{subject} may not hold {told}", hint=hint, hidden=hidden)


def _walk(value: Any, path: Path, forbidden: Callable[[Path], re.Pattern[str]]) -> Iterator[Found]:
    """Find every key and every text in which a forbidden character stands, each with its first."""
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
    """Return `value` below the mappings that lead to it."""
    for step in reversed(path):
        value = {step: value}
    return value
