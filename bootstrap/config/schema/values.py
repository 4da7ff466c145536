"""The image owner's schema for `values`, checked before use; an error locates each fault."""

from __future__ import annotations

import re

from bootstrap.config.schema import validator as json_schema
from bootstrap.config.schema.lookup import Shape, resolve_reference, walk
from bootstrap.errors import ImageError, Public

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from bootstrap.document import Path, Source
    from bootstrap.errors import Problem

REFERENCES = ("$ref", "$dynamicRef")
LOCAL_HINT = "copy what is needed into $defs, and refer to it as #/$defs/name"


class ValuesSchema:
    """A checked schema, its source, and what it says about single paths."""

    def __init__(self, source: Source) -> None:
        """Check the schema in `source`; raises ImageError with every fault of it."""
        problems = list(_problems(source))
        if problems:
            message = Public("the image's schema for values cannot be used")
            raise ImageError(message, problems=problems)
        self.source = source
        self.rules: Mapping[str, Any] = source.data
        self.shape = Shape(source.data)


def _problems(source: Source) -> Iterator[Problem]:
    if not isinstance(source.data, dict):
        yield source.problem((), "a schema is a mapping")
        return
    dialect = source.data.get("$schema", json_schema.DIALECT)
    if str(dialect).rstrip("#") != json_schema.DIALECT:
        hint = f"$schema: {json_schema.DIALECT}"
        yield source.problem(("$schema",), "only JSON Schema 2020-12 is read", hint=hint)
        return
    faults = list(json_schema.faults(source.data))
    for fault in faults:
        yield source.problem(fault.path, fault.message, hint=fault.hint, at_key=fault.at_key)
    if not faults:
        for path, part in walk(source.data):
            yield from _part_problems(source, path, part)


def _part_problems(source: Source, path: Path, part: Mapping[str, Any]) -> Iterator[Problem]:
    if path and "$id" in part:
        yield source.problem((*path, "$id"), "an $id inside a schema is not supported")
    for keyword in REFERENCES:
        if keyword in part:
            yield from _reference_problems(source, (*path, keyword), part[keyword])
    names = part.get("patternProperties", {})
    patterns = {(*path, "patternProperties", name): name for name in names}
    if "pattern" in part:
        patterns[(*path, "pattern")] = part["pattern"]
    for where, pattern in patterns.items():
        if reason := _broken_pattern(pattern):
            yield source.problem(where, f"not a regular expression: {reason}")


def _broken_pattern(pattern: str) -> str | None:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return str(error)
    return None


def _reference_problems(source: Source, path: Path, reference: str) -> Iterator[Problem]:
    if not reference.startswith("#"):
        message = "a reference outside the schema is never fetched"
        yield source.problem(path, message, hint=LOCAL_HINT)
        return
    target = resolve_reference(source.data, reference)
    if not isinstance(target, (dict, bool)):
        yield source.problem(path, "the reference leads to no schema", hint=LOCAL_HINT)
    elif isinstance(target, dict) and not any(part is target for _, part in walk(source.data)):
        message = "the reference leads to a place where no schema stands"
        yield source.problem(path, message, hint=LOCAL_HINT)
