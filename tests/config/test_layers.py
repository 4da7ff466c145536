"""What holds for any layers, not only for those that somebody thought of."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bootstrap.config.resolve import validate
from bootstrap.document import dump, parse
from bootstrap.errors import BootstrapError
from bootstrap.settings import UserDataSettings

KEYS = st.sampled_from(["a", "b", "Web", "x.y", "files", "0"])
SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab: #{}0", max_size=6)
VALUES = st.recursive(
    st.dictionaries(KEYS, SCALARS, max_size=3),
    lambda inner: st.dictionaries(KEYS, inner | SCALARS | st.lists(inner | SCALARS, max_size=3)),
    max_leaves=12,
)
SLOW = settings(
    max_examples=settings.default.max_examples * 3 // 5, suppress_health_check=list(HealthCheck)
)


def outcome(call, **layers):
    try:
        return call(**layers)
    except BootstrapError as error:
        return error


def leaves(value, path=()):
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path


def merged(lower, upper):
    if isinstance(lower, dict) and isinstance(upper, dict):
        keys = {**lower, **upper}
        return {
            key: merged(lower[key], upper[key])
            if key in lower and key in upper
            else upper.get(key, lower.get(key))
            for key in keys
        }
    return upper


@SLOW
@given(VALUES, VALUES)
def test_every_leaf_has_an_origin(resolve_layers, lower, upper):
    """Two documents merge as mappings do, and each value names the document that set it."""
    image = {
        f"{number}.yaml": dump({"version": 1, "values": values})
        for number, values in enumerate((lower, upper))
    }
    configuration = resolve_layers(image=image)
    assert configuration.values == merged(lower, upper)
    for path in leaves(configuration.values):
        if path:
            assert configuration.origins[("values", *path)].startswith("image config.d/")
    for path in leaves(upper):
        if path:
            value = upper
            for step in path:
                value = value[step]
            if value != {}:
                assert configuration.origins[("values", *path)].startswith("image config.d/1")


@SLOW
@given(st.text(max_size=120), st.text('config:aWeb.[]0" ', max_size=12), st.text(max_size=8))
def test_no_layer_crashes(resolve_layers, text, name, value):
    """Any text in userData and tags ends in a configuration or in an error with words."""
    tags = [(f"config:{name}", value), (name, value), ("environment", value)]
    found = outcome(resolve_layers, user_data=text, tags=tags)
    assert found.problems if isinstance(found, BootstrapError) else found.origins is not None


@SLOW
@given(VALUES)
def test_no_mapping_crashes(resolve_layers, document):
    """Any data in place of a document ends in a configuration or in an error with words."""
    found = outcome(resolve_layers, user_data=dump({"version": 1, **document}))
    assert found.problems if isinstance(found, BootstrapError) else found.origins is not None


SECRET = {"properties": {"p": {"writeOnly": True, "type": "integer", "minimum": 5}}}


@SLOW
@given(
    st.sampled_from(
        ["hunter2", "'hunter2'", "{a: hunter2}", "[hunter2]", "hunter2: 1", "|\n  hunter2\n"]
    )
)
def test_a_hidden_value_is_never_echoed(resolve_layers, written):
    """Whatever stands where the schema hides, no part of an error repeats it."""
    text = f"version: 1\nvaleus: {{}}\nvalues:\n p: {written}\n q: {{p: 1}}\n"
    with pytest.raises(BootstrapError) as caught:
        resolve_layers(user_data=text, schema=SECRET, tags=[("config:p", "hunter2")])
    shown = [(problem.message, problem.hint, problem.text) for problem in caught.value.problems]
    assert "hunter2" not in str(shown)


def test_validate_needs_no_other_layer(document_schema):
    """A document is checked by itself: what other layers bring is not missed."""
    schema = parse("{required: [db], properties: {port: {type: integer}}}", "schema")
    text = "version: 1\nvalues: {port: x}\nenvironments: {prod: {values: {port: y}}}\n"
    problems = validate(text, "doc.yaml", document_schema=document_schema, values_schema=schema)
    assert [problem.where for problem in problems] == ["doc.yaml:2:16", "doc.yaml:3:38"]


def test_validate_holds_userdata_to_the_settings(document_schema):
    """With the image's settings, a userData's trust is checked before it is deployed."""
    text = "version: 1\nhandlers: {h: [sh]}\n"
    trusted = UserDataSettings(allow=("handlers",))
    assert validate(text, "doc", document_schema=document_schema, trust=UserDataSettings())
    assert not validate(text, "doc", document_schema=document_schema, trust=trusted)
    assert not validate(text, "doc", document_schema=document_schema)


def test_results_share_nothing_with_each_other(resolve_layers):
    """A value behind two aliases is two values in the configuration."""
    values = resolve_layers(user_data="version: 1\nvalues: {a: &a {x: 1}, b: *a}\n").values
    values["a"]["x"] = 2
    assert values["b"] == {"x": 1}
