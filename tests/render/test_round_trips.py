"""What the filters write is read back by the programs that it is for."""

from __future__ import annotations

import configparser
import json
import math
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.render.errors import FilterError
from bootstrap.render.filters import encoding, text

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
INTEGERS = st.integers(-(2**63), 2**63 - 1)
SCALARS = st.one_of(TEXT, INTEGERS, st.booleans(), st.floats(allow_nan=False))
NESTED = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)
MAPPINGS = st.dictionaries(TEXT, NESTED, max_size=4)
WORDS = st.text(st.characters(categories=["Lu", "Ll", "Nd"], max_codepoint=255), min_size=1)


@given(st.one_of(NESTED, st.none()).filter(lambda value: "inf" not in repr(value)))
def test_json_comes_back(value):
    """from_json reads what to_json writes, and so does everybody's parser."""
    assert encoding.from_json(encoding.to_json(value)) == value
    assert json.loads(encoding.to_json(value, indent=2)) == value


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
@given(MAPPINGS)
def test_toml_comes_back(value):
    """Any mapping without null is a TOML document."""
    import tomllib

    assert tomllib.loads(encoding.to_toml(value)) == value


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
@given(TEXT)
def test_json_text_is_toml_text(value):
    """A text that to_json quotes can stand in a TOML file."""
    import tomllib

    assert tomllib.loads(f"key = {encoding.to_json(value)}")["key"] == value


@given(NESTED.filter(lambda value: "inf" not in repr(value)))
@settings(max_examples=settings.default.max_examples * 2 // 5)
def test_yaml_comes_back(value):
    """from_yaml reads what to_yaml writes."""
    try:
        assert encoding.from_yaml(encoding.to_yaml(value)) == value
    except FilterError as refusal:
        pytest.fail(f"{value!r}: {refusal.message}")


@given(TEXT)
def test_base64_comes_back(value):
    """b64decode reads what b64encode writes."""
    assert encoding.b64decode(encoding.b64encode(value)) == value


@given(st.dictionaries(WORDS, st.dictionaries(WORDS, TEXT | INTEGERS | st.booleans())))
def test_ini_comes_back_or_is_refused(value):
    """What to_ini does not refuse, configparser reads as it was."""
    try:
        written = encoding.to_ini(value)
    except FilterError:
        return
    parser = configparser.RawConfigParser(default_section="", strict=True)
    parser.optionxform = str
    parser.read_string(written)
    read = {name: dict(parser[name]) for name in parser.sections()}
    assert read == {
        name: {key: text.string(one) for key, one in pairs.items()} for name, pairs in value.items()
    }


@given(st.lists(TEXT.filter(lambda word: "\0" not in word), max_size=20))
@settings(max_examples=settings.default.max_examples // 5)
def test_quoted_words_reach_the_command(words):
    """A real shell hands each quoted word on as it was."""
    quoted = " ".join(text.quote(word) for word in words)
    script = f"printf '%s\\0' {quoted}" if words else ":"
    done = subprocess.run(["sh", "-c", script], check=True, capture_output=True)
    assert done.stdout.decode() == "".join(f"{word}\0" for word in words)


@pytest.mark.parametrize("number", [math.inf, math.nan])
def test_json_has_no_infinity(number):
    """What no JSON parser has to read is not written."""
    with pytest.raises(FilterError, match="infinity"):
        encoding.to_json({"a": number})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": None}, "TOML has no null, and `a` is null"),
        ({"a": {"b": [None]}}, "TOML has no null, and `a.b` is null"),
        ({"a": 2**63}, "TOML's numbers have 64 bits, and `a` has more"),
        ([1], "a TOML document is a mapping, and this is a list"),
    ],
)
def test_what_toml_cannot_say_is_refused(value, message):
    """The message names the key, not the value."""
    with pytest.raises(FilterError) as caught:
        encoding.to_toml(value)
    assert caught.value.message == message
