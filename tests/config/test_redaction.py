"""A value that the image's schema hides never stands in an error, wherever it was written."""

from __future__ import annotations

import pytest
import yaml

from bootstrap.errors import BootstrapError

CANARY = "hunter2"
SCHEMA = """
properties:
  db:
    required: [password]
    type: object
    properties:
      user: {type: string}
      password: {type: string, writeOnly: true, pattern: ^z}
  token: {type: integer, writeOnly: true}
  word: {const: sesame, writeOnly: true}
  keys: {type: array, uniqueItems: true, items: {type: string, writeOnly: true}}
  either:
    anyOf: [{type: integer}, {type: object, properties: {key: {type: string, x-secret: true}}}]
  one: {oneOf: [{type: string, writeOnly: true, minLength: 30}, {type: integer}]}
  tls:
    dependentSchemas: {cert: {properties: {key: {type: integer, format: password}}}}
  node: {$dynamicRef: "#node"}
  rest: {properties: {a: true}, unevaluatedProperties: {type: integer, writeOnly: true}}
  some: {type: array, contains: {type: integer, writeOnly: true}}
  names: {patternProperties: {^p: {type: integer, writeOnly: true}}}
$defs:
  node: {$dynamicAnchor: node, type: integer, writeOnly: true}
"""
# What follows `version: 1`.
BODIES = {
    "a pattern": "values: {db: {password: hunter2}}",
    "a type": "values: {token: hunter2}",
    "a constant": "values: {word: hunter2}",
    "a misspelt key": "values:\n  db:\n    pasword: hunter2",
    "a misspelt key in one line": "values:\n  db: {pasword: hunter2}",
    "a misspelt key's octal number": "values:\n  db: {pasword: 01234}",
    "a misspelt section": "valus: {db: {password: hunter2}}",
    "a misspelt section of an environment": "environments: {a: {valus: {token: hunter2}}}",
    "a list for a mapping": "values:\n  db: [password: hunter2]",
    "text for a mapping": "values:\n  db:\n    hunter2",
    "text for a list": "values: {keys: hunter2}",
    "an entry twice": "values:\n  keys:\n  - hunter2\n  - hunter2",
    "text for one of two forms": "values: {either: hunter2}",
    "a list for one of two forms": "values: {either: {key: [hunter2]}}",
    "none of two forms": "values: {one: hunter2}",
    "a schema that depends": "values: {tls: {cert: a, key: hunter2}}",
    "a dynamic reference": "values: {node: hunter2}",
    "a property that nothing else names": "values: {rest: {b: hunter2}}",
    "an entry that a list must have": "values: {some: [hunter2]}",
    "a key by its pattern": "values: {names: {px: hunter2}}",
    "values that are a list": "values:\n- db: {password: hunter2}",
    "values that are text": "values: hunter2",
    "environments that are a list": "environments: [{values: {db: {password: hunter2}}}]",
    "an environment that is a list": "environments: {a: [values: {db: {password: hunter2}}]}",
    "an environment that is text": "environments: {a: hunter2}",
    "an environment's values that are text": "environments: {a: {values: hunter2}}",
    "the chosen environment": "environment: a\nenvironments: {a: {values: {token: hunter2}}}",
    "an open bracket": "values:\n  db: {password: hunter2\n  x: ]",
    "an open quote": 'values:\n  token: "hunter2',
    "a tag of YAML": "values:\n  token: !hunter2!x y",
    "an alias": "values:\n  token: *hunter2",
    "a control character": 'values:\n  token: "hunter2\x07"',
    "a value that is a secret's": "secrets: {db: hunter2}",
    "secrets that are a list": "secrets:\n- db: hunter2",
    "an unknown key of a secret": "secrets: {db: {vault: shop, name: a, value: hunter2}}",
}
WHOLE = {
    "lines of another format": "DB_PASSWORD=hunter2",
    "a mapping of another program": "password: hunter2",
    "a list": "- hunter2",
    "a JSON list": '["hunter2"]',
    "JSON with a line break in a text": '{"version": 1, "values": {"token": "hunter2\n"}}',
    "JSON with a wrong escape": '{"version": 1, "values": {"token": "hunter2\\q"}}',
    "JSON with a key twice": '{"version": 1, "values": {"token": "hunter2", "token": "hunter2"}}',
}
TAGS = {
    "a type": ["config:token", "hunter2"],
    "text for a mapping": ["config:db", "hunter2"],
    "a misspelt key": ["config:db.pasword", "hunter2"],
    "text for a list": ["config:keys", "hunter2,hunter2"],
    "text for one of two forms": ["config:either", "hunter2"],
    "below a value": ["config:token.x", "hunter2"],
    "a broken path": ["config:db..password", "hunter2"],
}
DOCUMENTS = {name: f"version: 1\n{body}\n" for name, body in BODIES.items()} | WHOLE


def told(error):
    """Everything of an error that somebody may show."""
    texts = [str(error), error.message, error.hint, repr(error.as_dict())]
    for problem in error.problems:
        texts += [problem.message, problem.hint, problem.text, problem.path, problem.where]
    return texts


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_error_about_a_document_repeats_what_is_hidden(name, resolve_layers):
    """Misspelt, misplaced, mistyped or unreadable: the canary is in no part of the error."""
    with pytest.raises(BootstrapError) as caught:
        resolve_layers(user_data=DOCUMENTS[name], schema=SCHEMA)
    for text in told(caught.value):
        assert CANARY not in text
        assert "01234" not in text


@pytest.mark.parametrize("name", TAGS)
def test_no_error_about_a_tag_repeats_what_is_hidden(name, resolve_layers):
    """A tag's text is shown in errors, but for a place where the schema hides something."""
    with pytest.raises(BootstrapError) as caught:
        resolve_layers(tags=[TAGS[name]], schema=SCHEMA)
    assert not any(CANARY in text for text in told(caught.value))


def test_what_is_not_hidden_is_shown(resolve_layers):
    """A schema that hides one thing does not take the lines of others out of their errors."""
    text = "version: 1\nvalues:\n  db:\n    user: 5\n    password: zero\nfiles:\n- path: etc\n"
    with pytest.raises(BootstrapError) as caught:
        resolve_layers(user_data=text, schema=SCHEMA)
    assert [problem.text for problem in caught.value.problems] == ["    user: 5", "- path: etc"]


def test_the_python_loader_of_yaml_quotes_nothing(resolve_layers, monkeypatch):
    """Where PyYAML was built without libyaml, its own words quote the text; ours never do."""
    monkeypatch.setattr("bootstrap.document.yaml_reader.PARSER", yaml.SafeLoader)
    with pytest.raises(BootstrapError) as caught:
        resolve_layers(user_data=DOCUMENTS["a tag of YAML"], schema=SCHEMA)
    assert not any(CANARY in text for text in told(caught.value))
    assert caught.value.problems[0].message == "not valid YAML: found undefined tag handle"
