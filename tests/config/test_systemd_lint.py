"""A handler that waits for a unit which waits for the handler."""

from __future__ import annotations

import pytest

from bootstrap.config.resolve import validate
from bootstrap.config.systemd_lint import waits_for_a_unit


@pytest.mark.parametrize(
    ("line", "waits"),
    [
        ("systemctl restart shop.service", True),
        ("/usr/bin/systemctl -q start shop", True),
        ("systemctl reload-or-restart shop", True),
        ("systemctl restart systemd-sysctl.service shop", True),
        ("systemctl restart systemd-sysctl.service", False),
        ("systemctl restart --no-block shop", False),
        ("systemctl try-reload-or-restart shop", False),
        ("systemctl try-restart shop", False),
        ("systemctl stop restart", False),
        ("systemctl", False),
        ("echo systemctl restart shop", False),
        ("", False),
    ],
)
def test_what_waits(line, waits):
    """Only what starts a unit, and returns when it has started."""
    assert waits_for_a_unit(line.split()) is waits


def test_validate_doubts_it_in_every_section(document_schema):
    """It is told with its place, and is no mistake: the unit may wait for nothing."""
    text = (
        "version: 1\nhandlers:\n  a: [systemctl, restart, a]\n  b: [systemctl, try-restart, b]\n"
        "environments: {prod: {handlers: {c: [systemctl, start, c]}}}\n"
    )
    lint = []
    assert validate(text, "x", document_schema=document_schema, on_warning=lint.append) == ()
    assert [(one.where, one.message) for one in lint] == [
        ("x:3:6", "the handler a may wait for itself"),
        ("x:5:37", "the handler c may wait for itself"),
    ]
    assert "try-reload-or-restart" in lint[0].hint
