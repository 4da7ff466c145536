"""Attacks that must not get through: one file for each kind, each test named by its promise.

docs/security.md lists the promises, each with the file that attacks it.
"""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from bootstrap import resources
from bootstrap.config.keyvault_references import VaultRules
from bootstrap.config.resolve import resolve
from bootstrap.config.template_policy import TemplateOffer
from bootstrap.document import dump, parse
from bootstrap.settings import TagSettings, UserDataSettings

sys.path.insert(0, str(Path(__file__).parent))  # tests are no package


@pytest.fixture(scope="session")
def layers():
    """A function that resolves layers as the run does; `settings` are those of the image."""
    rules = json.loads(resources.read("schema/document.schema.json"))

    def run(*, image=None, user_data=None, tags=(), schema=None, tag_map=None, allow=()):
        return resolve(
            documents=[("image config.d/10.yaml", dump({"version": 1, **(image or {})}))],
            user_data=b64encode(dump({"version": 1, **user_data}).encode()).decode()
            if user_data
            else "",
            tags=tags,
            user_data_trust=UserDataSettings(),
            tag_rules=TagSettings(map=tag_map or {}),
            document_schema=rules,
            values_schema=parse(dump(schema), "values.schema.json") if schema else None,
            templates=TemplateOffer(patterns=("*",), own=None, shipped=frozenset()),
            vaults=VaultRules(allow=allow, suffixes=("vault.azure.net",)),
        )

    return run
