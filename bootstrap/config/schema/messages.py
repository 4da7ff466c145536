"""The errors of a schema in plain words, each with a hint how to correct it."""

from __future__ import annotations

import json

from bootstrap.errors import nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from bootstrap.document import Path, Reading

MAX_SHOWN = 60  # characters of a value in a message

TYPES = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}
# Keyword → what is wrong with the value; {value} is the value, {limit} that of the keyword.
MESSAGES = {
    "const": "{value} is not {limit}",
    "minimum": "{value} is less than {limit}, the least allowed",
    "maximum": "{value} is more than {limit}, the most allowed",
    "exclusiveMinimum": "{value} is not more than {limit}",
    "exclusiveMaximum": "{value} is not less than {limit}",
    "multipleOf": "{value} is not a multiple of {limit}",
    "minLength": "{value} is shorter than {limit} characters",
    "maxLength": "{value} is longer than {limit} characters",
    "minItems": "the list has fewer than {limit} entries",
    "maxItems": "the list has more than {limit} entries",
    "minProperties": "the mapping has fewer than {limit} keys",
    "maxProperties": "the mapping has more than {limit} keys",
    "uniqueItems": "the list has an entry twice",
    "contains": "the list lacks an entry that the schema asks for",
    "minContains": "the list has too few entries that the schema asks for",
    "maxContains": "the list has too many of some entry",
    "not": "{value} is what the schema excludes",
    "dependentRequired": "a key that another key needs is missing",
    "unevaluatedProperties": "the mapping has a key that the schema does not know",
    "unevaluatedItems": "the list has an entry that the schema does not know",
}


class Finding:
    """One error in the value (or, with `at_key`, the key) at `path`.

    `missing` means that something is missing rather than wrong, `unknown_key` that a name is
    perhaps misspelled.
    """

    __slots__ = ("at_key", "hint", "message", "missing", "path", "unknown_key")

    def __init__(
        self,
        path: Path,
        message: str,
        *,
        hint: str = "",
        at_key: bool = False,
        missing: bool = False,
        unknown_key: bool = False,
    ) -> None:
        self.path = path
        self.message = message
        self.hint = hint
        self.at_key = at_key
        self.missing = missing
        self.unknown_key = unknown_key


def explain(
    error: Any, *, reading: Callable[[Path], Reading | None], hidden: Callable[[Path], bool]
) -> Iterator[Finding]:
    """Yield the findings in one error of jsonschema; see `validator.findings`."""
    path: Path = tuple(error.absolute_path)
    if error.validator in {"anyOf", "oneOf"}:
        yield from _no_alternative(error, path, reading=reading, hidden=hidden)
    elif error.validator == "additionalProperties":
        yield from _unknown_keys(error, path)
    elif error.validator == "required":
        yield from _missing_keys(error, path)
    elif "propertyNames" in list(error.absolute_schema_path)[-2:-1]:
        yield _wrong_key(error, path)
    elif error.validator == "type":
        yield _wrong_type(error, path, None if hidden(path) else reading(path), hidden(path))
    else:
        yield _wrong_value(error, path, hidden=hidden(path))


def shorten(value: Any, *, hidden: bool = False) -> str:
    """Return a value for a message: a scalar as JSON, shortened; of any other, only its type."""
    if hidden:
        return "the value"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def misread(reading: Reading, key: str | int | None) -> str:
    """Return the hint for a scalar that YAML read as a boolean or a number, not as text."""
    prefix = f"{key}: " if isinstance(key, str) else ""
    kind = "boolean" if reading.kind == "boolean-word" else "number"
    value = shorten(reading.value)
    return f'quote it: {prefix}"{reading.raw}"   (YAML reads {reading.raw} as the {kind} {value})'


def _wrong_type(error: Any, path: Path, reading: Reading | None, hidden: bool) -> Finding:  # noqa: FBT001
    wanted = error.validator_value
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    expected = " or ".join(TYPES.get(name, name) for name in names)
    hint = _type_hint(error.instance, names, path[-1] if path else None, reading, hidden=hidden)
    return Finding(path, f"{shorten(error.instance, hidden=hidden)} is not {expected}", hint=hint)


def _type_hint(
    value: Any, names: list[str], key: str | int | None, reading: Reading | None, *, hidden: bool
) -> str:
    if "string" in names and isinstance(value, (bool, int, float)):
        if reading:
            return misread(reading, key)
        prefix = f"{key}: " if isinstance(key, str) else ""
        return "quote it" if hidden else f'quote it: {prefix}"{shorten(value)}"'
    if isinstance(value, str):
        return "" if hidden else _hint_for_text(value, names)
    if reading and reading.kind == "boolean-word" and not hidden:
        return f"YAML reads {reading.raw} as the boolean {shorten(value)}"
    if value is None:
        return "nothing stands behind the colon: write a value, or remove the key"
    return ""


def _hint_for_text(value: str, names: list[str]) -> str:
    is_number = value.removeprefix("-").replace(".", "", 1).isdecimal()
    if (is_number and {"integer", "number"} & set(names)) or (
        value in {"true", "false"} and "boolean" in names
    ):
        return "remove the quotes"
    if names == ["array"] and len(value) < MAX_SHOWN:
        return f"write it as a list: [{', '.join(value.split())}]"
    return ""


def _wrong_value(error: Any, path: Path, *, hidden: bool) -> Finding:
    value = shorten(error.instance, hidden=hidden)
    limit = error.validator_value
    if error.validator == "enum":
        return _not_among(error, path, value, hidden=hidden)
    if error.validator == "pattern":
        expected = error.schema.get("x-expected", f"of the form {limit}")
        return Finding(path, f"{value} is not {expected}")
    if error.validator is None:
        return Finding(path, "nothing may stand here")
    is_kept = hidden and error.validator == "const"  # its limit would be the value itself
    shown = "the one that the schema asks for" if is_kept else shorten(limit)
    if error.validator == "const" and not is_kept:
        shown = error.schema.get("x-expected", shown)
    template = MESSAGES.get(error.validator, f"{{value}} does not satisfy `{error.validator}`")
    is_quoted = error.validator == "const" and str(limit) == error.instance and not hidden
    hint = "remove the quotes" if is_quoted else ""
    return Finding(path, template.format(value=value, limit=shown), hint=hint)


def _not_among(error: Any, path: Path, value: str, *, hidden: bool) -> Finding:
    choices = error.validator_value
    listed = f"none of {', '.join(shorten(choice) for choice in choices)}"
    expected = error.schema.get("x-expected")
    message = f"{value} is not {expected}" if expected else f"{value} is {listed}"
    near = None
    if isinstance(error.instance, str) and not hidden:
        near = nearest(error.instance, [choice for choice in choices if isinstance(choice, str)])
    return Finding(path, message, hint=f"did you mean {near}?" if near else "")


def _unknown_keys(error: Any, path: Path) -> Iterator[Finding]:
    known = set(error.schema.get("properties", ()))
    patterns = error.schema.get("patternProperties", ())
    spare = known.difference(error.instance)
    for key in error.instance:
        if key in known or any(_matches(pattern, key) for pattern in patterns):
            continue
        near = nearest(key, spare) or nearest(key, known)
        others = f"the keys here are {', '.join(sorted(known))}" if known else ""
        yield Finding(
            (*path, key),
            f"the key {shorten(key)} is not known here",
            hint=f"did you mean {near}?" if near else others,
            at_key=True,
            unknown_key=True,
        )


def _matches(pattern: str, key: str) -> bool:
    import re

    return re.search(pattern, key) is not None


def _missing_keys(error: Any, path: Path) -> Iterator[Finding]:
    """Yield the finding for one missing key.

    jsonschema gives one error for each missing key, and names the key only in its message.
    """
    for key in error.validator_value:
        if key not in error.instance and error.message.startswith(repr(key)):
            rules = error.schema.get("properties", {}).get(key, {})
            hint = f"add {key}: {shorten(rules['const'])}" if "const" in rules else ""
            yield Finding(path, f"the key {shorten(key)} is missing", hint=hint, missing=True)


def _wrong_key(error: Any, path: Path) -> Finding:
    expected = error.schema.get("x-expected", "a name that may stand here")
    message = f"the key {shorten(error.instance)} is not {expected}"
    return Finding((*path, error.instance), message, at_key=True, unknown_key=True)


def _no_alternative(
    error: Any,
    path: Path,
    *,
    reading: Callable[[Path], Reading | None],
    hidden: Callable[[Path], bool],
) -> Iterator[Finding]:
    """Yield the findings of the alternative that was meant, if that is clear; else one for all."""
    branches: dict[Any, list[Any]] = {}
    for inner in error.context:
        which = next(iter(inner.relative_schema_path), None)  # no path: a plain `false`
        branches.setdefault(which, []).append(inner)
    if not branches:
        message = "this fits more than one of the forms of which the schema takes one"
        yield Finding(path, message)
        return
    meant = [inner for inner in branches.values() if not any(map(_is_about_kind, inner))]
    if len(meant) == 1 or len(branches) == 1:
        for inner in meant[0] if meant else next(iter(branches.values())):
            yield from explain(inner, reading=reading, hidden=hidden)
        return
    value = shorten(error.instance, hidden=hidden(path))
    if all(inner[0].validator == "type" for inner in branches.values()):
        names = [str(inner[0].validator_value) for inner in branches.values()]
        expected = " or ".join(TYPES.get(name, name) for name in names)
        yield Finding(path, f"{value} is not {expected}")
        return
    forms = f"in none of the {len(branches)} forms that the schema takes"
    expected = error.schema.get("x-expected")
    yield Finding(path, f"{value} is not {expected}" if expected else f"{value} is {forms}")


def _is_about_kind(inner: Any) -> bool:
    """Return whether an alternative fails on the value as a whole, not on something in it."""
    return inner.validator in {"type", "const", "enum", None} and not inner.relative_path
