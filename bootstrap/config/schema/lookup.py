"""What a JSON Schema says about a path: the types it takes, the names it knows, what is hidden.

The schema is read, and no data is validated. `$ref` into the same schema, `properties`, `items` and
the combining keywords are followed as far as possible; every alternative counts.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from bootstrap.document import Path

MAPS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
ALTERNATIVES = ("allOf", "anyOf", "oneOf")
SAME_PLACE = ("then", "else", "if")
REFERENCES = ("$ref", "$dynamicRef")
SINGLES = (
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
)
LIMITS = ("pattern", "enum", "const")
ANY = "any\0key"  # in a path, it means every key that a mapping may have
TYPE_NAMES = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}


class Shape:
    """The image owner's schema for `values`; all paths are below `values`."""

    def __init__(self, schema: Any) -> None:
        self.root = schema
        self.hides = any(_is_hidden(part) for _, part in walk(schema))
        self._keeping: dict[int, bool] = {}  # by the `id` of a part of the schema

    def types(self, path: Path) -> frozenset[str]:
        """Return the types that the schema takes at `path`; empty if it gives none."""
        return frozenset(name for schema in self.at(path) for name in _types(schema))

    def takes_any_text(self, path: Path) -> bool:
        """Return whether the schema takes any text at `path`.

        It does not if it gives a pattern, an enum, a const or another type. `ANY` in the path means
        every key that a mapping may have. `format` limits nothing, because it is not enforced.
        """
        return self._takes_any_text(self._unfold([self.root]), path)

    def _takes_any_text(self, schemas: list[Mapping[str, Any]], path: Path) -> bool:
        if not path:
            types = {name for schema in schemas for name in _types(schema)}
            return not any(map(_limits, schemas)) and (not types or "string" in types)
        parts = [part for schema in schemas for part in _step(schema, path[0])]
        if path[0] == ANY:
            ways = [[part] for part in parts if part is not False]
            return not parts or any(self._takes_any_text(self._unfold(w), path[1:]) for w in ways)
        return False not in parts and self._takes_any_text(self._unfold(parts), path[1:])

    def takes_any_key(self, path: Path) -> bool:
        """Return whether the mapping at `path` may have any key: no pattern, no list of names."""
        closed = ("additionalProperties", "unevaluatedProperties")
        return not any(
            _limits(schema.get("propertyNames")) or False in map(schema.get, closed)
            for schema in self.at(path)
        )

    def names(self, path: Path) -> set[str]:
        """Return the keys that the schema knows for the mapping at `path`."""
        return {name for schema in self.at(path) for name in schema.get("properties", ())}

    def at(self, path: Path) -> list[Mapping[str, Any]]:
        """Return every part of the schema that applies to `path`."""
        schemas = self._unfold([self.root])
        for part in path:
            schemas = self._below(schemas, part)
        return schemas

    def hidden(self, value: Any, path: Path = ()) -> Iterator[Path]:
        """Yield the paths in `value` that must never be shown, and all paths below them."""
        if self.hides:
            yield from self._hidden(value, self._unfold([self.root]), path)

    def _hidden(self, value: Any, schemas: list[Mapping[str, Any]], path: Path) -> Iterator[Path]:
        if any(_is_hidden(schema) for schema in schemas):
            yield from _everything(value, path)
            return
        for part, item in _items(value):
            yield from self._hidden(item, self._below(schemas, part), (*path, part))

    def guarded(self, value: Any) -> Iterator[Path]:
        """Yield the paths in `value` that no message may repeat: more than the hidden ones.

        A hidden value can be in the wrong place: under a misspelled key, or where the mapping that
        should hold it was left out. So wherever the schema hides something, a value of another form
        than the schema gives is guarded too.
        """
        if self.hides:
            yield from self._guarded(value, self._unfold([self.root]), ())

    def _guarded(self, value: Any, schemas: list[Mapping[str, Any]], path: Path) -> Iterator[Path]:
        if any(map(_is_hidden, schemas)):
            yield from _everything(value, path)
        elif any(map(self._keeps_hidden, schemas)):
            if value is not None and not isinstance(value, (dict, list)):
                yield path
            for part, item in _items(value):
                known = self._below(schemas, part)
                inner = (*path, part)
                yield from self._guarded(item, known, inner) if known else _everything(item, inner)

    def _keeps_hidden(self, schema: Mapping[str, Any]) -> bool:
        """Return whether `schema` hides something at or below the place that it applies to."""
        if id(schema) not in self._keeping:
            self._keeping[id(schema)] = any(map(_is_hidden, self._reachable(schema)))
        return self._keeping[id(schema)]

    def _reachable(self, schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Yield the schema, all schemas inside it, and all that its references lead to."""
        seen: set[int] = set()
        waiting: list[Any] = [schema]
        while waiting:
            for _, part in walk(waiting.pop()):
                if id(part) not in seen:
                    seen.add(id(part))
                    yield part
                    waiting += self._referred(part)

    def _below(self, schemas: list[Mapping[str, Any]], part: str | int) -> list[Mapping[str, Any]]:
        return self._unfold(inner for schema in schemas for inner in _step(schema, part))

    def _referred(self, schema: Mapping[str, Any]) -> Iterator[Any]:
        for name in REFERENCES:
            if isinstance(reference := schema.get(name), str):
                yield resolve_reference(self.root, reference)

    def _unfold(self, schemas: Iterable[Any]) -> list[Mapping[str, Any]]:
        """Return the schemas, and all that they refer to or combine for the same value."""
        unfolded: dict[int, Mapping[str, Any]] = {}
        waiting = list(schemas)
        while waiting:
            schema = waiting.pop()
            if not isinstance(schema, dict) or id(schema) in unfolded:
                continue
            unfolded[id(schema)] = schema
            waiting += self._referred(schema)
            waiting += schema.get("dependentSchemas", {}).values()
            waiting += [part for name in ALTERNATIVES for part in schema.get(name, ())]
            waiting += [schema[name] for name in SAME_PLACE if name in schema]
        return list(unfolded.values())


def resolve_reference(root: Any, reference: str) -> Any:
    """Return the part that a `$ref` into the same schema refers to; None if there is none.

    Such references are `#`, `#/$defs/port` and `#anchor`.
    """
    if not reference.startswith("#"):
        return None
    pointer = reference[1:]
    if pointer and not pointer.startswith("/"):
        anchors = (part for _, part in walk(root) if pointer in _anchors(part))
        return next(anchors, None)
    target = root
    for raw in pointer.split("/")[1:]:
        step = raw.replace("~1", "/").replace("~0", "~")
        if isinstance(target, list) and step.isdecimal() and int(step) < len(target):
            target = target[int(step)]
        elif isinstance(target, dict) and step in target:
            target = target[step]
        else:
            return None
    return target


def walk(schema: Any, path: Path = ()) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield every schema inside `schema`, with its path; data in `const` or `enum` is no schema."""
    if not isinstance(schema, dict):
        return
    yield path, schema
    for name in MAPS:
        if isinstance(table := schema.get(name), dict):
            for key, part in table.items():
                yield from walk(part, (*path, name, key))
    for name in LISTS:
        if isinstance(parts := schema.get(name), list):
            for index, part in enumerate(parts):
                yield from walk(part, (*path, name, index))
    for name in SINGLES:
        yield from walk(schema.get(name), (*path, name))


def _anchors(schema: Mapping[str, Any]) -> tuple[Any, Any]:
    return schema.get("$anchor"), schema.get("$dynamicAnchor")


def _is_hidden(schema: Mapping[str, Any]) -> bool:
    marked = schema.get("writeOnly") is True or schema.get("x-secret") is True
    return marked or schema.get("format") == "password"


def _types(schema: Mapping[str, Any]) -> Iterator[str]:
    declared = schema.get("type")
    if declared is not None:
        yield from [declared] if isinstance(declared, str) else declared
        return
    choices = [schema["const"]] if "const" in schema else schema.get("enum", ())
    yield from (TYPE_NAMES[type(choice)] for choice in choices if type(choice) in TYPE_NAMES)


def _limits(schema: Any) -> bool:
    return isinstance(schema, dict) and any(name in schema for name in LIMITS)


def _step(schema: Mapping[str, Any], part: str | int) -> Iterator[Any]:
    """Yield the parts of the schema that apply to one key (or to all: ANY) or one entry."""
    if part == ANY:
        for name in ("properties", "patternProperties"):
            yield from schema.get(name, {}).values()
        yield _rest(schema, "additionalProperties", "unevaluatedProperties")
        return
    if isinstance(part, int):
        prefix = schema.get("prefixItems", [])
        yield prefix[part] if part < len(prefix) else _rest(schema, "items", "unevaluatedItems")
        return
    known = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    fitting = [inner for pattern, inner in patterns.items() if re.search(pattern, part)]
    if part in known:
        yield known[part]
    yield from fitting
    if part not in known and not fitting:
        yield _rest(schema, "additionalProperties", "unevaluatedProperties")


def _rest(schema: Mapping[str, Any], name: str, otherwise: str) -> Any:
    """Return what applies to the keys or entries that the schema does not name."""
    return schema.get(name, schema.get(otherwise))


def _items(value: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def _everything(value: Any, path: Path) -> Iterator[Path]:
    yield path
    for part, item in _items(value):
        yield from _everything(item, (*path, part))
