"""YAML and JSON as data that remembers where it stood, and what neither may hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.document import dump, format_path, parse, parse_path, yaml_reader
from bootstrap.errors import InvalidDocument

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))


@pytest.fixture(params=["libyaml", "pure"])
def parser(request, monkeypatch):
    """Either of PyYAML's parsers: not every build of it has libyaml's."""
    if request.param == "pure":
        monkeypatch.setattr(yaml_reader, "PARSER", yaml.SafeLoader)
    elif not hasattr(yaml, "CSafeLoader"):
        pytest.skip("PyYAML was built without libyaml")
    return request.param


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path, parser):
    """A text that cannot be read gives the problems that its case names, by either parser."""
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
    with pytest.raises(InvalidDocument) as caught:
        parse(case["text"], "doc")
    found = [
        {
            "at": problem.where.removeprefix("doc:"),
            "path": problem.path,
            "says": problem.message,
            "hint": problem.hint,
            "underlined": problem.text[problem.column - 1 :][: problem.width],
        }
        for problem in caught.value.problems
    ]
    expected = case["problems"]
    assert [
        {key: item[key] for key in wanted} for item, wanted in zip(found, expected, strict=False)
    ] == expected
    assert len(found) == len(expected)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), JSON), st.sampled_from([None, 1, "\t"]), st.booleans())
def test_all_json_is_read_as_json(data, indent, escaped):
    """Whatever JSON says, it says here: tabs, escapes, surrogate pairs, numbers such as 1e300."""
    assert parse(json.dumps(data, indent=indent, ensure_ascii=escaped), "doc").data == data


@given(JSON)
def test_what_dump_writes_parse_reads(data):
    """A value survives being written and read; nothing turns into a number or a date."""
    printable = json.loads(json.dumps(data).encode().decode())
    try:
        read = parse(dump({"value": printable}), "doc").data
    except InvalidDocument as error:
        pytest.fail(str(error.problems))
    assert read == {"value": printable}


@given(st.text(max_size=200))
def test_no_text_crashes_the_reader(text):
    """Any text is data or an error whose places lie in it."""
    try:
        parse(text, "doc")
    except InvalidDocument as error:
        for problem in error.problems:
            line = int(problem.where.split(":")[1])
            assert 1 <= line <= text.count("\n") + text.count("\r") + text.count("\x85") + 2


def test_every_value_knows_its_place(parser):
    """A value, its key, an entry and what is missing are found where a person sees them."""
    source = parse('a: 1\nfiles:\n  - path: "/x"\n    mode: 0644\n', "userData")
    assert source.where(("files", 0, "mode")) == "userData:4:11"
    assert source.where(("files", 0, "mode"), at_key=True) == "userData:4:5"
    assert source.where(("files", 0)) == "userData:3:5"
    assert source.where(("files", 0, "owner")) == "userData:3:5"
    problem = source.problem(("files", 0, "mode"), "420 is not a string")
    assert (problem.path, problem.text, problem.column, problem.width) == (
        "files[0].mode",
        "    mode: 0644",
        11,
        4,
    )


def test_readings_tell_what_yaml_made_of_it(parser):
    """The scalars that YAML 1.1 reads in its own way are remembered as they were written."""
    source = parse("a: 0644\nb: [12:30, yes]\nc: true\nd: 'no'\ne: 10\nf: 0\n", "doc")
    assert source.data == {"a": 420, "b": [750, True], "c": True, "d": "no", "e": 10, "f": 0}
    readings = {format_path(path): item.raw for path, item in source.readings.items()}
    assert readings == {"a": "0644", "b[0]": "12:30", "b[1]": "yes"}
    kinds = [source.reading(path).kind for path in source.readings]
    assert kinds == ["octal", "sexagesimal", "boolean-word"]


@given(st.from_regex(r"[-+]?[0-9_.:xeEb]{1,8}|\.inf|~|null|[A-Za-z]{2,5}", fullmatch=True))
def test_scalars_read_as_pyyaml_reads_them(raw):
    """What is accepted means what it means to every other YAML 1.1 program."""
    try:
        data = parse(f"a: {raw}\n", "doc").data
    except InvalidDocument:
        return
    assert data == yaml.safe_load(f"a: {raw}\n")


def test_lines_of_windows_and_marks_are_no_matter(parser):
    """CR LF, a byte order mark and the mark of the first line change nothing."""
    source = parse("\ufeff#imds-bootstrap\r\nversion: 1\r\n", "doc")
    assert source.data == {"version": 1}
    assert parse("a: |\r\n  x\r\n  y\r\n", "doc").data == {"a": "x\ny\n"}


def test_a_concealed_line_is_never_shown():
    """A finding on a line that holds a hidden value comes without the line."""
    source = parse("user: x\npassword: a\nkey: |\n  b\n  c\nlast: z\n", "doc")
    source = source.concealing([("password",), ("key",)])
    shown = [source.problem((key,), "no").text for key in ("user", "password", "key", "last")]
    assert shown == ["user: x", "", "", "last: z"]
    assert source.problem(("user",), "no", hidden=True).text == ""


def test_a_long_line_is_shown_around_the_finding():
    """JSON in one line shows only what is near."""
    source = parse(json.dumps({"a": "x" * 500, "b": 5, "c": "y" * 500}), "doc")
    problem = source.problem(("b",), "no")
    assert len(problem.text) <= 120
    assert problem.text[problem.column - 1 : problem.column - 1 + problem.width] == "5"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("files[0].mode", ("files", 0, "mode")),
        ('a["b.c"].d', ("a", "b.c", "d")),
        ("", ()),
        ('[""]', ("",)),
    ],
)
def test_paths_are_written_and_read(text, path):
    """A path reads as a person writes it."""
    assert format_path(path) == text
    assert parse_path(text) == path


@given(st.lists(st.text(min_size=1) | st.integers(0, 99) | st.just("")))
def test_every_path_survives_being_written(parts):
    """No key is so odd that its path cannot be written and read back."""
    assert parse_path(format_path(tuple(parts))) == tuple(parts)


@pytest.mark.parametrize("text", [".a", "a.", "a..b", "a[", "a[x]", "a[0", "a[0]b", 'a["b', "[-1]"])
def test_a_broken_path_is_refused(text):
    """A path with a hole in it is an error, not a guess."""
    with pytest.raises(ValueError, match=" "):
        parse_path(text)
