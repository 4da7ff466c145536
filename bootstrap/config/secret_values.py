"""Fetched secrets, checked by the image's schema at every place where they are used."""

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
    """Yield a problem for each error of the schema in `values`, where each secret is filled in.

    The problems name places and rules, and repeat no value.
    """

    def hidden(path: Path) -> bool:
        return schema.shape.hides or any(path[: len(prefix)] == prefix for prefix in secrets)

    secrets = {path[1:]: secret for path, secret in configuration.value_secrets.items()}
    for finding in json_schema.findings(
        schema.rules, values, reading=lambda _: None, hidden=hidden
    ):
        depth = len(finding.path)
        below = (secret for path, secret in secrets.items() if path[:depth] == finding.path)
        reference = secrets.get(finding.path) or next(below, None)
        yield Problem(
            finding.message,
            where=reference.origin if reference else "",
            path=format_path(("values", *finding.path)),
            hint=HINT,
        )
