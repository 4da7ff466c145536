"""Each value knows who set it, through merging, and says so in its findings."""

from __future__ import annotations

import pytest

from bootstrap.config.provenance import DocumentOrigin, Part, TagOrigin, annotate, merge_parts
from bootstrap.document import parse
from bootstrap.errors import InvalidDocument


def part_of(text, name="doc"):
    """The part that a document is, with the origin of everything in it."""
    source = parse(text, name)
    return annotate(source.data, DocumentOrigin(source, ()))


@pytest.fixture
def finding(resolve_layers):
    """A function that gives the one finding about one tag at `x`."""

    def run(text, **schema):
        with pytest.raises(InvalidDocument) as caught:
            resolve_layers(tags=[("config:x", text)], schema={"properties": {"x": schema}})
        (problem,) = caught.value.problems
        return problem

    return run


def test_a_finding_shows_the_text_of_its_tag(finding):
    """The tag's text is the line, from its first column to its end, with blanks made one."""
    problem = finding("a  long\n text", type="integer")
    assert (problem.where, problem.path) == ("tag config:x", "values.x")
    assert (problem.text, problem.column, problem.width) == ("a long text", 1, 11)


def test_a_finding_about_an_entry_names_its_place(finding):
    """What is wrong in a tag's list is found at the entry, and shows the whole tag."""
    problem = finding("[1, 22, 3]", type="array", items={"maximum": 9})
    assert (problem.path, problem.text) == ("values.x[1]", "[1, 22, 3]")


def test_a_finding_in_a_mapping_names_its_key(finding):
    """The same of a key of a tag's mapping."""
    problem = finding('{"a": 22}', type="object", properties={"a": {"maximum": 9}})
    assert (problem.where, problem.path) == ("tag config:x", "values.x.a")


def test_an_empty_tag_has_no_line_to_show(finding):
    """Nothing is marked where there is no text."""
    problem = finding(" ", type="integer")
    assert (problem.text, problem.column, problem.width) == ("", 0, 1)


def test_a_hidden_tag_is_not_shown(finding):
    """Where the schema hides the value, its finding shows no line."""
    problem = finding("hunter2", type="integer", writeOnly=True)
    assert (problem.text, problem.column, problem.width) == ("", 0, 1)
    problem = finding("[hunter2, hunter2]", type="array", items={"writeOnly": True})
    assert problem.text == ""


def test_a_tags_finding_can_be_hidden():
    """Who makes a finding decides whether it shows the text; a hint is kept either way."""
    origin = TagOrigin("config:x", "hunter2", ("values", "x"))
    for at_key in (True, False):
        hidden = origin.problem("wrong", hint="do", at_key=at_key, hidden=True)
        assert (hidden.text, hidden.column, hidden.hint) == ("", 0, "do")
        assert origin.problem("wrong", at_key=at_key).text == "hunter2"


def test_a_documents_finding_is_at_its_place():
    """A value's line, column and width; its key's where asked; nothing of it where hidden."""
    origin = part_of("a: [1, {key: hunter2}]").find(("a", 1, "key")).origin
    problem = origin.problem("wrong", hint="do")
    shown = (problem.where, problem.path, problem.text, problem.hint, problem.width)
    assert shown == ("doc:1:14", "a[1].key", "a: [1, {key: hunter2}]", "do", 7)
    assert origin.problem("wrong", at_key=True).where == "doc:1:9"
    assert "hunter2" not in origin.problem("wrong", hidden=True).text


def test_what_yaml_may_have_misread_is_known_of_documents_only():
    """A document's number keeps the text that it was read from; a tag is text already."""
    reading = part_of("a: 0022").find(("a",)).origin.reading()
    assert (reading.raw, reading.value) == ("0022", 18)
    assert part_of("a: 22").find(("a",)).origin.reading() is None
    assert TagOrigin("a", "0022", ()).reading() is None


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ((), {"a": [1, {"b": 2}], "c": None}),
        (("a",), [1, {"b": 2}]),
        (("a", 1, "b"), 2),
        (("a", 2), [1, {"b": 2}]),
        (("a", 3, "b"), [1, {"b": 2}]),
        (("a", "1"), [1, {"b": 2}]),
        (("a", 0, "b"), 1),
        (("c", "d"), None),
        (("d", "a"), {"a": [1, {"b": 2}], "c": None}),
    ],
)
def test_a_path_leads_to_a_part_or_to_the_last_one_on_the_way(path, found):
    """A finding whose path ends nowhere is told of at the nearest thing that exists."""
    assert part_of("a: [1, {b: 2}]\nc: null").find(path).to_plain() == found


def test_every_scalar_list_and_empty_mapping_has_an_origin():
    """A mapping that holds something is no more than what it holds."""
    origins = dict(part_of("a: {b: [1, {c: 2}], d: {}, e: []}\nf: null").origins(("v",)))
    assert origins == {
        ("v", "a", "b"): "doc:1:8",
        ("v", "a", "b", 0): "doc:1:9",
        ("v", "a", "b", 1, "c"): "doc:1:16",
        ("v", "a", "d"): "doc:1:24",
        ("v", "a", "e"): "doc:1:31",
        ("v", "f"): "doc:2:4",
    }
    assert dict(part_of("{}").origins(("v",))) == {("v",): "doc:1:1"}


LOWER = "a: {x: 1, y: [1, 2], z: {k: 1}}\nb: 1\n"


@pytest.mark.parametrize(
    ("upper", "merged"),
    [
        ("a: {x: 2}", {"a": {"x": 2, "y": [1, 2], "z": {"k": 1}}, "b": 1}),
        ("a: {y: [3]}", {"a": {"x": 1, "y": [3], "z": {"k": 1}}, "b": 1}),
        ("a: {z: {l: 2}}", {"a": {"x": 1, "y": [1, 2], "z": {"k": 1, "l": 2}}, "b": 1}),
        ("a: {z: null}", {"a": {"x": 1, "y": [1, 2], "z": None}, "b": 1}),
        ("a: null", {"a": None, "b": 1}),
        ("a: [1]", {"a": [1], "b": 1}),
        ("a: {}", {"a": {"x": 1, "y": [1, 2], "z": {"k": 1}}, "b": 1}),
        ("b: {x: 1}", {"a": {"x": 1, "y": [1, 2], "z": {"k": 1}}, "b": {"x": 1}}),
        ("[1]", [1]),
    ],
)
def test_mappings_merge_and_all_else_replaces(upper, merged):
    """One layer over another, with nothing of either changed by it."""
    lower, over = part_of(LOWER, "lower"), part_of(upper, "upper")
    assert merge_parts(lower, over).to_plain() == merged
    assert lower.to_plain() == parse(LOWER, "lower").data
    assert over.to_plain() == parse(upper, "upper").data


def test_a_merged_mapping_belongs_to_who_declared_it():
    """What the upper layer sets is the upper's; the mapping itself stays where it was begun."""
    merged = merge_parts(part_of(LOWER, "lower"), part_of("a: {x: 2}", "upper"))
    places = {path: str(merged.find(path).origin) for path in [(), ("a",), ("a", "x"), ("a", "y")]}
    assert places == {
        (): "lower:1:1",
        ("a",): "lower:1:4",
        ("a", "x"): "upper:1:8",
        ("a", "y"): "lower:1:14",
    }


def test_the_first_layer_lies_over_nothing():
    """A layer over none is that layer."""
    upper = part_of("a: 1")
    assert merge_parts(None, upper) is upper


def test_plain_data_is_a_copy():
    """Whoever changes what a part gives changes no part."""
    part = Part([Part({"a": Part(1, None)}, None)], None)
    part.to_plain()[0]["a"] = 2
    assert part.to_plain() == [{"a": 1}]


def test_a_tag_that_is_there_twice_shows_neither_text(resolve_layers):
    """Which of the two is meant, nobody knows; the finding shows none."""
    with pytest.raises(InvalidDocument) as caught:
        resolve_layers(tags=[("config:x", "one"), ("Config:X", "two")])
    (problem,) = caught.value.problems
    assert (problem.where, problem.text, problem.column) == ("tag Config:X", "", 0)
