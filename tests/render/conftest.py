from __future__ import annotations

import pytest

from bootstrap.config.model import FileSpec
from bootstrap.render.rendered import Template
from bootstrap.render.rendering import render

VALUES = {
    "web": {"port": 8443, "tls": True},
    "sites": [{"name": "a", "port": 1}, {"name": "b"}],
    "shelf": {"items": ["a", "b"], "keys": 3},
    "evil": "{{ 7*7 }}",
    "crlf": "x\r\ny",
    "nothing": None,
}


@pytest.fixture
def context():
    """What the templates of these tests see."""
    return {
        "values": VALUES,
        "secrets": {"db": "s3cret"},
        "instance": {"compute": {"location": "westeurope"}},
        "tags": {"owner": "ops"},
        "environment": "prod",
    }


@pytest.fixture
def render_text(context):
    """Render one template; more `templates` by name, more `values`, other limits."""

    def text_of(text, *, templates=None, values=None, max_bytes=100_000, seconds=10.0, **more):
        sources = {name: Template(name, one) for name, one in (templates or {}).items()}
        sources["main.j2"] = Template("main.j2", text)
        seen = context | ({"values": values} if values is not None else {})
        spec = FileSpec(path="/etc/main", template="main.j2", origin="image a.yaml:1:1")
        limits = {"max_bytes": max_bytes, "seconds": seconds, **more}
        return render([spec], seen, sources, **limits)[0].content.decode()

    return text_of
