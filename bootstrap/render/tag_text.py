"""Tags with a control character, which a template may not read.

A tag that sets a value is refused with such a character before anything is rendered. Any other tag
is no part of the configuration, and must not stop a boot. So only a template that reads it fails,
at its line, because it would print a text that ends the line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bootstrap.document.characters import CONTROL, name
from bootstrap.render.errors import FilterError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# The fields of IMDS' `compute` with the tags, besides the context's `tags`:
# https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service#get-user-tags
FLAT, LISTED = "tags", "tagsList"


class TagText(Mapping[str, Any]):
    """A mapping in which the texts at `keys` (None: all keys) come from tags.

    Reading such a text raises FilterError if it holds a control character.
    """

    def __init__(self, held: Mapping[str, Any], keys: frozenset[str] | None = None) -> None:
        self._held = held
        self._keys = keys

    def __getitem__(self, key: str) -> Any:
        value = self._held[key]
        if self._keys is None or key in self._keys:
            _require_plain(value)
        return value

    def __contains__(self, key: object) -> bool:
        return key in self._held  # `_held` may ignore case; this reads the name, not the text

    def __iter__(self) -> Iterator[str]:
        for key in self._held:
            _require_plain(key)
            yield key

    def __len__(self) -> int:
        return len(self._held)


def without_control(context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the context, in which reading a tag with a control character raises FilterError."""
    seen = dict(context)
    tags = seen.get("tags")
    if isinstance(tags, Mapping) and any(map(_is_wild, (*tags, *tags.values()))):
        seen["tags"] = TagText(tags)
    instance = seen.get("instance")
    compute = instance.get("compute") if isinstance(instance, Mapping) else None
    if isinstance(instance, Mapping) and isinstance(compute, Mapping):
        seen["instance"] = {**instance, "compute": _compute(compute)}
    return seen


def _compute(compute: Mapping[str, Any]) -> Mapping[str, Any]:
    listed = compute.get(LISTED)
    entries = listed if isinstance(listed, list) else []
    texts = [text for entry in entries if isinstance(entry, dict) for text in entry.values()]
    if not any(map(_is_wild, (*texts, compute.get(FLAT)))):
        return compute
    guarded = [TagText(entry) if isinstance(entry, dict) else entry for entry in entries]
    return TagText({**compute, **({LISTED: guarded} if entries else {})}, frozenset([FLAT]))


def _is_wild(text: object) -> bool:
    return isinstance(text, str) and CONTROL.search(text) is not None


def _require_plain(text: object) -> None:
    if isinstance(text, str) and (match := CONTROL.search(text)):
        raise FilterError(
            f"the tag that is read here holds {name(match.group())}, and no template may print it",
            hint="correct the tag, or read a value that a tag sets and the image's schema checks",
        )
