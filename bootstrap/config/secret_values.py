"""Fetched secrets against the image's schema: each has to satisfy every place that it goes to."""

from __future__ import annotations

from bootstrap.config.schema import validator as json_schema
from bootstrap.document import format_path
from bootstrap.errors import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from bootstrap.config.model import Configuration
    from bootstrap.config.schema.values import ValuesSchema
    from bootstrap.document import Path

HINT = "change the secret in its vault, or what the image's schema asks of this place"


def mismatches(
    values: Any, configuration: Configuration, schema: ValuesSchema
) -> Iterator[Problem]:
    """Yield what the schema does not accept of `values`, in which each secret is filled in.

    The problems name places and rules, and repeat no value.
    """

    def hidden(path: Path) -> bool:
        return schema.shape.hides or any(path[: len(one)] == one for one in secrets)

    secrets = {path[1:]: one for path, one in configuration.value_secrets.items()}
    for finding in json_schema.findings(
        schema.rules, values, reading=lambda _: None, hidden=hidden
    ):
        below = (one for path, one in secrets.items() if path[: len(finding.path)] == finding.path)
        reference = secrets.get(finding.path) or next(below, None)
        yield Problem(
            finding.message,
            where=reference.origin if reference else "",
            path=format_path(("values", *finding.path)),
            hint=HINT,
        )
