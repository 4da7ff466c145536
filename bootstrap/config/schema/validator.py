"""JSON Schema 2020-12, offline; the one module that imports jsonschema."""

from __future__ import annotations

from itertools import chain, islice

from bootstrap.config.schema.messages import explain
from bootstrap.errors import ImageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from typing import Any

    from bootstrap.config.schema.messages import Finding
    from bootstrap.document import Path, Reading

# What decides by whether a value fits, so that a text nobody knows yet could decide otherwise.
UNDECIDED = frozenset({
    *("anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "contains", "uniqueItems"),
    *("const", "enum", "unevaluatedItems", "unevaluatedProperties"),
})  # fmt: skip
# Keywords with a name or a number behind them in a path into a schema, and those among them that
# lead from a value into what it holds.
NAMED = frozenset({
    *("properties", "patternProperties", "$defs", "dependentSchemas", "dependentRequired"),
    *("allOf", "anyOf", "oneOf", "prefixItems"),
})  # fmt: skip
DEEPER = frozenset({
    *("properties", "patternProperties", "additionalProperties", "unevaluatedProperties"),
    *("prefixItems", "items", "contains", "unevaluatedItems"),
})  # fmt: skip
MAX_FINDINGS = 100  # of one text: nobody reads more, and each costs a search for what was meant
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def findings(
    schema: Mapping[str, Any],
    data: Any,
    *,
    reading: Callable[[Path], Reading | None],
    hidden: Callable[[Path], bool],
    unknown: Collection[Path] = (),
) -> Iterator[Finding]:
    """Yield what `schema` does not accept of `data`, in words; the first MAX_FINDINGS of it.

    `reading` gives the scalar as written where YAML may have misread it; of what is `hidden` no
    value is repeated. At the paths in `unknown` is a text that is not known yet: what depends on it
    is left out. The schema must have been checked: see `image_schema`.
    Raises ImageError when it never ends.
    """
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(schema, **_offline(schema))
    try:
        found = (
            error
            for error in validator.iter_errors(data)
            if not (unknown and _is_undecided(error, unknown))
        )
        errors = list(islice(found, MAX_FINDINGS))
    except RecursionError:
        message = "applying the image's schema for values: it refers to itself without end"
        raise ImageError(message, hint="look for a $ref that leads back to its own place") from None
    said = (explain(error, reading=reading, hidden=hidden) for error in errors)
    yield from islice(chain.from_iterable(said), MAX_FINDINGS)


def _is_undecided(error: Any, unknown: Collection[Path]) -> bool:
    """Return whether a text at one of these paths could make the error go away."""
    value: Path = tuple(error.absolute_path)
    if value in unknown:
        return True
    rules = iter(error.absolute_schema_path)
    depth = 0  # of the value that the keyword is about, in the path to the faulty one
    for keyword in rules:
        if keyword in UNDECIDED and any(path[:depth] == value[:depth] for path in unknown):
            return True
        depth += keyword in DEEPER
        if keyword in NAMED:
            next(rules, None)
    return False


def faults(schema: Mapping[str, Any]) -> Iterator[Finding]:
    """What makes `schema` itself no JSON Schema, in words."""
    from jsonschema import Draft202012Validator

    rules = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    for error in rules.iter_errors(schema):
        yield from explain(error, reading=lambda _: None, hidden=lambda _: False)


def _offline(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The argument that keeps jsonschema from fetching what a `$ref` names.

    A schema was read for such references before; this holds should one have been overlooked.
    """
    from jsonschema import Draft202012Validator

    # Before 4.18 it resolves by itself, even where something else has installed `referencing`.
    if "registry" not in Draft202012Validator.__init__.__code__.co_varnames:
        return {"resolver": _closed_resolver(schema)}
    from referencing import Registry

    return {"registry": Registry()}


def _closed_resolver(schema: Mapping[str, Any]) -> Any:
    from jsonschema import RefResolver

    class Closed(RefResolver):
        def resolve_remote(self, uri: str) -> Any:
            raise ValueError(f"{uri} lies outside the schema")

    return Closed.from_schema(schema)
