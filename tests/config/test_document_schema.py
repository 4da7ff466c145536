"""The shipped schema is one, and describes itself to editors and people."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from bootstrap.config.schema.lookup import walk
from bootstrap.config.schema.values import ValuesSchema
from bootstrap.document import dump, parse


def test_the_schema_is_valid(document_schema):
    """The schema that checks documents is itself JSON Schema 2020-12, without remote references."""
    Draft202012Validator.check_schema(document_schema)
    ValuesSchema(parse(dump(document_schema), "document.schema.json"))


def test_every_key_is_described(document_schema):
    """Whoever hovers over a key in an editor reads what it does."""
    for path, schema in walk(document_schema):
        for name, part in schema.get("properties", {}).items():
            described = {**part, **document_schema["$defs"].get(part.get("$ref", "")[8:], {})}
            assert "description" in described or "title" in described, (path, name)


@pytest.mark.parametrize(
    ("path", "good"),
    [
        ("/etc/a", True),
        ("/a/..b/.c/d..", True),
        ("/", False),
        ("/etc/", False),
        ("/etc//a", False),
        ("/etc/./a", False),
        ("/etc/../a", False),
        ("/etc/..", False),
        ("etc/a", False),
        ("/etc/a\n", False),
        ("/etc/\0", False),
        ("/" + "a" * 256, False),
        ("C:\\Shop\\shop.ini", True),
        ("c:/Program Files/Shop/a..b", True),
        ("C:\\Shop/.hidden", True),
        ("C:\\conf\\console.txt", True),
        ("C:", False),
        ("C:\\", False),
        ("C:Shop", False),
        ("C:\\Shop\\", False),
        ("C:\\Shop\\..\\a", False),
        ("C:\\Shop\\\\a", False),
        ("C:\\Shop\\a.ini:stream", False),
        ("C:\\Shop\\dot.", False),
        ("C:\\Shop\\space ", False),
        ("C:\\Shop\\NUL", False),
        ("C:\\Shop\\com1.txt\\a", False),
        ("C:\\Shop\\a*b", False),
        ("\\\\server\\share\\a", False),
        ("\\\\?\\C:\\a", False),
        ("CC:\\a", False),
        ("C:\\a\n", False),
    ],
)
def test_only_plain_absolute_paths_are_destinations(document_schema, path, good):
    """A destination says where it is without dots, double slashes or control characters.

    On Windows it is no stream, no device and no share, and has the name that Windows gives it.
    """
    rules = document_schema["$defs"]["file"]["properties"]["path"]
    assert Draft202012Validator(rules).is_valid(path) is good


@pytest.mark.parametrize(
    ("mode", "good"),
    [("0644", True), ("644", True), ("4755", True), ("04755", True), ("0o644", False),
     ("0844", False), ("64", False), ("u+rw", False), ("0644\n", False), ("", False)],
)  # fmt: skip
def test_modes_are_octal_text(document_schema, mode, good):
    """A mode is three or four octal digits, with or without a zero in front."""
    rules = document_schema["$defs"]["file"]["properties"]["mode"]
    assert Draft202012Validator(rules).is_valid(mode) is good


@pytest.mark.parametrize(
    ("entry", "good"),
    [("Users:R", True), ("NT SERVICE\\Shop:M", True), ("SYSTEM:RX", True), ("S-1-5-18:F", True),
     ("Users", False), ("Users:W", False), ("Users:r", False), (":R", False), ("a\\b\\c:R", False),
     ("Users:R\n", False)],
)  # fmt: skip
def test_an_acl_names_accounts_and_rights(document_schema, entry, good):
    """Each entry of an access list is an account and one of the four words for its rights."""
    rules = document_schema["$defs"]["file"]["properties"]["acl"]
    assert Draft202012Validator(rules).is_valid([entry]) is good


@pytest.mark.parametrize(
    ("name", "good"),
    [("root", True), ("1000", True), ("machine$", True), ("NT SERVICE\\Shop", True),
     ("Network Service", True), ("", False), ("-x", False), ("a\\b\\c", False), ("a ", False),
     ("a:b", False), ("a\n", False)],
)  # fmt: skip
def test_accounts_have_names(document_schema, name, good):
    """An owner is a name or a number, on Windows with a domain and with spaces."""
    assert Draft202012Validator(document_schema["$defs"]["account"]).is_valid(name) is good
