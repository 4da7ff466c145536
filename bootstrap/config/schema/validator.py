"""JSON Schema 2020-12, offline; the only module that imports jsonschema."""

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

# Keywords that depend on whether a value fits: a text that is not known yet could change that.
UNDECIDED = frozenset({
    *("anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "contains", "uniqueItems"),
    *("const", "enum", "unevaluatedItems", "unevaluatedProperties"),
})  # fmt: skip
# Keywords that are followed by a name or a number in a path into a schema.
NAMED = frozenset({
    *("properties", "patternProperties", "$defs", "dependentSchemas", "dependentRequired"),
    *("allOf", "anyOf", "oneOf", "prefixItems"),
})  # fmt: skip
# Keywords that lead from a value to what it holds.
DEEPER = frozenset({
    *("properties", "patternProperties", "additionalProperties", "unevaluatedProperties"),
    *("prefixItems", "items", "contains", "unevaluatedItems"),
})  # fmt: skip
MAX_FINDINGS = 100  # of one text: more help no reader; each costs a search for similar names
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def findings(
    schema: Mapping[str, Any],
    data: Any,
    *,
    reading: Callable[[Path], Reading | None],
    hidden: Callable[[Path], bool],
    unknown: Collection[Path] = (),
) -> Iterator[Finding]:
    """Yield in words what `schema` does not accept in `data`; at most MAX_FINDINGS findings.

    `reading` returns the scalar as written if YAML may have misread it. Values at paths that are
    `hidden` are not repeated. The paths in `unknown` have texts that are not known yet: findings
    that depend on them are left out. The schema must have been checked: see `ValuesSchema`.
    Raises ImageError if the schema refers to itself without end.
    """
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(schema, **_offline(schema))
    try:
        decided = (
            error
            for error in validator.iter_errors(data)
            if not (unknown and _is_undecided(error, unknown))
        )
        errors = list(islice(decided, MAX_FINDINGS))
    except RecursionError:
        message = "applying the image's schema for values: it refers to itself without end"
        raise ImageError(message, hint="look for a $ref that leads back to its own place") from None
    explained = (explain(error, reading=reading, hidden=hidden) for error in errors)
    yield from islice(chain.from_iterable(explained), MAX_FINDINGS)


def _is_undecided(error: Any, unknown: Collection[Path]) -> bool:
    """Return whether a text at one of these paths could make the error go away."""
    value: Path = tuple(error.absolute_path)
    if value in unknown:
        return True
    rules = iter(error.absolute_schema_path)
    depth = 0  # in `value`, of the value that the keyword is about
    for keyword in rules:
        if keyword in UNDECIDED and any(path[:depth] == value[:depth] for path in unknown):
            return True
        depth += keyword in DEEPER
        if keyword in NAMED:
            next(rules, None)
    return False


def faults(schema: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield in words each reason why `schema` itself is not a JSON Schema."""
    from jsonschema import Draft202012Validator

    rules = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    for error in rules.iter_errors(schema):
        yield from explain(error, reading=lambda _: None, hidden=lambda _: False)


def _offline(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the argument that keeps jsonschema from fetching what a `$ref` names.

    The schema was checked for such references before. This takes effect if one was overlooked.
    """
    from jsonschema import Draft202012Validator

    # jsonschema before 4.18 resolves references itself, even if `referencing` is installed.
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
