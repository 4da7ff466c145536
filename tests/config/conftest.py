"""Layers for tests: what IMDS and the image would give, and the settings of the image."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

from bootstrap import resources
from bootstrap.config.keyvault_references import VaultRules
from bootstrap.config.resolve import resolve
from bootstrap.config.template_policy import TemplateOffer
from bootstrap.document import dump, parse
from bootstrap.settings import TagSettings, UserDataSettings

SHIPPED = ["env/app.env.j2", "app/app.toml.j2"]


@pytest.fixture(scope="session")
def document_schema():
    return json.loads(resources.read("schema/document.schema.json"))


@pytest.fixture(scope="session")
def resolve_layers(document_schema):
    """A function that resolves layers given as plain text and data."""

    def run(*, image=None, user_data="", tags=(), schema=None, settings=None, templates=()):
        trust = _settings(UserDataSettings, settings, "user_data")
        return resolve(
            documents=[(f"image config.d/{name}", text) for name, text in (image or {}).items()],
            user_data=encode(user_data),
            tags=[tuple(tag) for tag in tags],
            user_data_trust=trust,
            tag_rules=_settings(TagSettings, settings, "tags"),
            document_schema=document_schema,
            values_schema=schema_source(schema),
            templates=TemplateOffer(
                patterns=trust.templates, own=frozenset(templates), shipped=frozenset(SHIPPED)
            ),
            vaults=VaultRules(**_lists((settings or {}).get("vaults", {}))),
        ).require_valid()

    return run


def encode(content):
    return b64encode(content if isinstance(content, bytes) else content.encode()).decode()


def schema_source(schema):
    if schema is None:
        return None
    return parse(schema if isinstance(schema, str) else dump(schema), "values.schema.json")


def _settings(kind, settings, name):
    return kind(**_lists((settings or {}).get(name, {})))


def _lists(given):
    """What a case gives, with its lists as settings have them."""
    return {key: tuple(v) if isinstance(v, list) else v for key, v in given.items()}
