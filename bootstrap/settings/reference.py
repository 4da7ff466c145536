"""The table of settings as a JSON Schema and as a reference for people."""

from __future__ import annotations

from bootstrap.settings.table import rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from bootstrap.settings.table import Row

TYPES = {"int": "integer", "float": "number", "bool": "boolean"}


def settings_schema() -> dict[str, Any]:
    """Return the JSON Schema 2020-12 of agent.yaml and agent.d/*.yaml."""
    top = _object("What the image's builder decides: agent.yaml and agent.d/*.yaml.")
    for row in rows():
        *groups, leaf = row.name.split(".")
        level = top
        for group in groups:
            level = level["properties"].setdefault(group, _object(""))
        level["properties"][leaf] = _property(row)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "imds-bootstrap settings",
        **top,
    }


def settings_reference() -> Iterator[str]:
    """Yield the settings as lines of a Markdown table."""
    yield "| setting | default | what it decides |"
    yield "| --- | --- | --- |"
    for row in rows():
        default = _shown(row.default)
        choices = f" (any of {', '.join(row.choices)})" if row.choices else ""
        yield f"| `{row.name}` | {default} | {row.about}{choices} |"


def _object(description: str) -> dict[str, Any]:
    described = {"description": description} if description else {}
    return {**described, "type": "object", "additionalProperties": False, "properties": {}}


def _property(row: Row) -> dict[str, Any]:
    rule: dict[str, Any] = {"description": row.about, "default": row.default}
    if row.kind.startswith("tuple"):
        items: dict[str, Any] = {"type": "string"}
        if row.choices:
            items["enum"] = list(row.choices)
        return {**rule, "type": "array", "items": items, "default": list(row.default)}
    if row.kind.startswith("Mapping"):
        return {**rule, "type": "object", "additionalProperties": {"type": "string"}}
    bounds = {"minimum": row.minimum, "maximum": row.maximum}
    rule |= {name: bound for name, bound in bounds.items() if bound is not None}
    if row.choices:
        rule["enum"] = list(row.choices)
    return {**rule, "type": TYPES.get(row.kind, "string")}


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (tuple, list)):
        return ", ".join(f"`{member}`" for member in value) or "none"
    if value in ("", {}):
        return "none"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"
