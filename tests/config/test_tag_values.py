"""The text of a tag becomes what the schema asks for at its place, or is refused: no guessing."""

from __future__ import annotations

import pytest

from bootstrap.errors import InvalidDocument

LONG = "1" * 100


@pytest.fixture
def tagged(resolve_layers):
    """A function that sets one value by a tag, where the schema says what it is."""

    def run(text, schema):
        layers = resolve_layers(tags=[("config:x", text)], schema={"properties": {"x": schema}})
        return layers.values["x"]

    return run


@pytest.fixture
def refused(tagged):
    """A function that gives the finding about one tag that is not what the schema asks for."""

    def run(text, schema):
        with pytest.raises(InvalidDocument) as caught:
            tagged(text, schema)
        (problem,) = caught.value.problems
        assert problem.where == "tag config:x"
        assert problem.message.startswith(('"', "the value is not"))  # of the tag's own text
        return problem.message

    return run


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("yes", True),
        ("1", True),
        ("false", False),
        ("no", False),
        ("0", False),
        ("TRUE", True),
        ("No", False),
        ("  yes ", True),
    ],
)
def test_six_words_switch_a_thing_on_or_off(tagged, text, value):
    """`true`, `yes`, `1` are on and `false`, `no`, `0` are off, in any case."""
    assert tagged(text, {"type": "boolean"}) is value


@pytest.mark.parametrize(
    "text", ["", "on", "off", "y", "n", "t", "2", "-1", "null", "yes no", "[]"]
)
def test_no_other_word_switches_anything(refused, text):
    """What is none of the six words is neither on nor off, but a mistake."""
    assert refused(text, {"type": "boolean"}).endswith("is not true or false")


@pytest.mark.parametrize(
    ("text", "value"),
    [("5", 5), (" 5 ", 5), ("+5", 5), ("-5", -5), ("007", 7), (LONG, int(LONG))],
)
def test_a_whole_number_is_decimal_digits(tagged, text, value):
    """A sign and up to a hundred digits; leading zeros make no octal number."""
    number = tagged(text, {"type": "integer"})
    assert number == value
    assert type(number) is int


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5.0",
        "1e3",
        "0x10",
        "1_000",
        "1,000",
        "--5",
        "+-5",
        "５",
        "²",
        "five",
        LONG + "1",
        "5\n6",
    ],
)
def test_nothing_else_is_a_whole_number(refused, text):
    """No other notation, no other script's digits, and no number that takes long to read."""
    assert refused(text, {"type": "integer"}).endswith("is not a whole number")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        (LONG, int(LONG)),
        ("-0.5", -0.5),
        ("+1.25", 1.25),
        ("1e3", 1000.0),
        ("1E+03", 1000.0),
        ("25e-1", 2.5),
        ("1.5e99", 1.5e99),
        (f"{LONG}.{LONG}", float(f"{LONG}.{LONG}")),
    ],
)
def test_a_number_is_written_as_in_json(tagged, text, value):
    """Digits, a fraction, an exponent; what has neither of the last two stays a whole number."""
    number = tagged(text, {"type": "number"})
    assert number == value
    assert type(number) is type(value)


@pytest.mark.parametrize(
    "text",
    ["", ".5", "5.", "1e", "e5", "1e100", "nan", "inf", "-Infinity", "1.2.3", "1,5", f"0.{LONG}1"],
)
def test_nothing_else_is_a_number(refused, text):
    """Neither infinity, nor half a notation, nor an exponent beyond what a float holds."""
    assert refused(text, {"type": "number"}).endswith("is not a number")


@pytest.mark.parametrize(("text", "value"), [("", None), ("  ", None), ("null", None), ("3", 3)])
def test_null_is_nothing_or_its_name(tagged, text, value):
    """Where null is taken, an empty tag is null, and so is the word."""
    assert tagged(text, {"type": ["integer", "null"]}) == value


@pytest.mark.parametrize("text", ["Null", "none", "~", "0.5"])
def test_nothing_else_is_null(refused, text):
    """The words of other notations are no null, and the message names every type in question."""
    message = refused(text, {"type": ["integer", "null"]})
    assert message == f'"{text}" is not null or a whole number'


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", []),
        ("80", [80]),
        ("80, 443 ,8080", [80, 443, 8080]),
        ("[80, 443]", [80, 443]),
        ("  [80] ", [80]),
        ("[]", []),
    ],
)
def test_a_list_is_commas_or_json(tagged, text, value):
    """Each entry between commas is typed as the schema says of the list's items."""
    assert tagged(text, {"type": "array", "items": {"type": "integer"}}) == value


@pytest.mark.parametrize("text", ["80,", ",80", "80,,443", "80 443"])
def test_each_entry_has_to_fit(refused, text):
    """An entry that is no number makes no list of numbers, an empty one included."""
    assert refused(text, {"type": "array", "items": {"type": "integer"}}).endswith("whole number")


def test_an_entry_is_typed_by_its_own_place(tagged):
    """Where the schema says something of each place in a list, an entry is what stands there."""
    schema = {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]}
    assert tagged("80, 80", schema) == ["80", 80]


NOT_JSON = [
    "[a, b]",
    "['a']",
    "[a: 1]",
    '["a",]',
    '["a"',
    '["a"] # comment',
    "[~]",
    "[yes]",
    "[0x10]",
    "[NaN]",
    "[-Infinity]",
    "[!!str 1]",
    "[&a 1, *a]",
    '[{"a": 1, "a": 2}]',
    "[" * 200 + "]" * 200,
    "[" * 20_000,
]


@pytest.mark.parametrize("text", NOT_JSON, ids=lambda text: text[:20])
def test_a_list_in_brackets_is_json_and_never_yaml(refused, text):
    """YAML's lists, words and anchors are refused, and so are a key twice and a deep nesting."""
    assert refused(text, {"type": "array"}).endswith("is not a list")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a: 1",
        "{a: 1}",
        "{'a': 1}",
        '{"a": 1,}',
        '{"a": 1} # comment',
        '{"a": 1, "a": 2}',
        '["a"]',
        "null",
        '"a"',
    ],
)
def test_a_mapping_is_a_json_object_and_nothing_else(refused, text):
    """There is no other way to write a mapping in a tag."""
    assert refused(text, {"type": "object"}).endswith("is not a mapping")


def test_a_mapping_is_read_from_json(tagged):
    """What JSON says is taken as it is, whatever is in it."""
    assert tagged(' {"a": [1, {"b": null}]} ', {"type": "object"}) == {"a": [1, {"b": None}]}


@pytest.mark.parametrize(
    ("text", "items"),
    [("a", {"type": "array"}), ('{"a": 1}', {"type": "object"}), ("[1", {"type": "array"})],
)
def test_an_entry_between_commas_is_no_list_and_no_mapping(refused, text, items):
    """What is nested is written as JSON, from the outermost bracket on."""
    schema = {"type": "array", "items": items}
    assert " is not a " in refused(f" {text}, {text}".replace(" [", "x["), schema)


def test_what_is_nested_is_written_as_json(tagged):
    """A list of lists, or of mappings, comes from one JSON text."""
    schema = {"type": "array", "items": {"type": ["array", "object"]}}
    assert tagged('[[1], {"a": 2}]', schema) == [[1], {"a": 2}]


@pytest.mark.parametrize(
    "schema", [{}, {"type": "string"}, {"type": ["integer", "boolean", "string", "null"]}]
)
@pytest.mark.parametrize("text", ["", " 5 ", "true", "null", "[1]", '{"a": 1}', "1e3"])
def test_a_text_stays_a_text(tagged, text, schema):
    """Where the schema takes text, or says nothing, a tag is taken as it is, blanks and all."""
    assert tagged(text, schema) == text


@pytest.mark.parametrize(
    ("text", "types", "value"),
    [
        ("1", ["boolean", "integer"], 1),
        ("yes", ["boolean", "integer"], True),
        ("1", ["boolean", "number"], 1),
        ("1.5", ["integer", "number"], 1.5),
        ("0", ["array", "boolean"], False),
        ("", ["array", "null"], None),
        ('{"a": 1}', ["object", "boolean"], {"a": 1}),
    ],
)
def test_of_several_types_the_more_particular_wins(tagged, text, types, value):
    """Null, then numbers, then the words for booleans, then lists and mappings."""
    found = tagged(text, {"type": types})
    assert found == value
    assert type(found) is type(value)


def test_a_value_that_is_hidden_is_not_in_its_message(refused):
    """Where the schema hides a value, the message says only what it should have been."""
    message = refused("hunter2", {"type": ["integer", "boolean"], "writeOnly": True})
    assert message == "the value is not a whole number or true or false"
