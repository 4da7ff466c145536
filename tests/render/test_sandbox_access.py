"""Which methods of a value a template may call: a closed list, each with what it gives."""

from __future__ import annotations

import pytest

from bootstrap.errors import RenderError

OF_TEXT = {
    "capitalize": ("'aB'.capitalize()", "Ab"),
    "casefold": ("'ẞB'.casefold()", "ssb"),
    "count": ("'abab'.count('b')", "2"),
    "endswith": ("'ab'.endswith('b')", "true"),
    "find": ("'abab'.find('b')", "1"),
    "index": ("'abab'.index('b')", "1"),
    "isalnum": ("'a1'.isalnum()", "true"),
    "isalpha": ("'a1'.isalpha()", "false"),
    "isascii": ("'é'.isascii()", "false"),
    "isdecimal": ("'²'.isdecimal()", "false"),
    "isdigit": ("'²'.isdigit()", "true"),
    "islower": ("'a'.islower()", "true"),
    "isnumeric": ("'½'.isnumeric()", "true"),
    "isspace": ("' '.isspace()", "true"),
    "istitle": ("'Ab'.istitle()", "true"),
    "isupper": ("'A'.isupper()", "true"),
    "lower": ("'AB'.lower()", "ab"),
    "lstrip": ("'xax'.lstrip('x')", "ax"),
    "partition": ("'a=b=c'.partition('=') | join('|')", "a|=|b=c"),
    "removeprefix": ("'aab'.removeprefix('a')", "ab"),
    "removesuffix": ("'abb'.removesuffix('b')", "ab"),
    "rfind": ("'abab'.rfind('b')", "3"),
    "rindex": ("'abab'.rindex('b')", "3"),
    "rpartition": ("'a=b=c'.rpartition('=') | join('|')", "a=b|=|c"),
    "rsplit": ("'a b c'.rsplit(none, 1) | join('|')", "a b|c"),
    "rstrip": ("'xax'.rstrip('x')", "xa"),
    "splitlines": ("'a\\nb'.splitlines() | join('|')", "a|b"),
    "startswith": ("'ab'.startswith('a')", "true"),
    "strip": ("' a '.strip()", "a"),
    "swapcase": ("'aB'.swapcase()", "Ab"),
    "title": ("'ab cd'.title()", "Ab Cd"),
    "upper": ("'ab'.upper()", "AB"),
    "join": ("','.join(['a', 'b'])", "a,b"),
    "replace": ("'abab'.replace('a', 'x', 1)", "xbab"),
    "split": ("'a,b,c'.split(',', 1) | join('|')", "a|b,c"),
}
OF_MAPPING = {
    "get": ("{'a': 1}.get('b', 2)", "2"),
    "items": ("{'a': 1}.items() | list | to_json", '[["a", 1]]'),
    "keys": ("{'a': 1}.keys() | join", "a"),
    "values": ("{'a': 1}.values() | join", "1"),
}
OF_LIST = {
    "count": ("[1, 2, 1].count(1)", "2"),
    "index": ("[1, 2, 1].index(2)", "1"),
}
OF_TUPLE = {
    "count": ("(1, 2, 1).count(1)", "2"),
    "index": ("(1, 2, 1).index(2)", "1"),
}
OPEN = [*OF_TEXT.values(), *OF_MAPPING.values(), *OF_LIST.values(), *OF_TUPLE.values()]
METHODS = {
    "'ab'": (str, OF_TEXT),
    "{'a': 1}": (dict, OF_MAPPING),
    "[1]": (list, OF_LIST),
    "(1, 2)": (tuple, OF_TUPLE),
    "5": (int, {}),
    "1.5": (float, {}),
    "none": (type(None), {}),
    "true": (bool, {}),
}
EVERY = sorted({name for kind, _ in METHODS.values() for name in dir(kind)})


@pytest.mark.parametrize(("expression", "text"), OPEN, ids=[one[0] for one in OPEN])
def test_every_open_method_does_what_pythons_does(render_text, expression, text):
    """Each of the methods that templates may call gives what its name says."""
    assert render_text(f"{{{{ {expression} }}}}") == text


@pytest.mark.parametrize("value", METHODS)
def test_every_other_method_is_closed(render_text, value):
    """What is not open is told of as closed or as missing, whatever kind of value has it."""
    closed = [name for name in EVERY if name not in METHODS[value][1]]
    with pytest.raises(RenderError) as caught:
        render_text("\n".join(f"{{{{ ({value}).{name} }}}}" for name in closed))
    for name, problem in zip(closed, caught.value.problems, strict=True):
        words = f"`{name}` is not open to templates", f"`{name}` is not defined"
        assert problem.message.startswith(words)


@pytest.mark.parametrize("name", ["append", "bit_length", "format"])
def test_a_method_that_python_has_is_closed_and_not_missing(render_text, name):
    """Who tries a method that exists is told that it is not open, not that it is not there."""
    value = {"append": "[1]", "bit_length": "(5)", "format": "'x'"}[name]
    with pytest.raises(RenderError) as caught:
        render_text(f"{{{{ {value}.{name}(1) }}}}")
    assert caught.value.problems[0].message == f"`{name}` is not open to templates"


@pytest.mark.parametrize(
    "expression",
    [
        "'x'.join(many)",
        "'x'.replace('x', long)",
        "long.replace('x', 'xy')",
        "('x ' * 200001).split()",
    ],
)
def test_a_method_that_grows_is_bounded(render_text, expression):
    """Methods that make more than they are given count first, as the filters do."""
    values = "{% set long = 'x' * 8388608 %}{% set many = [long, 'y'] %}"
    with pytest.raises(RenderError) as caught:
        render_text(f"{values}{{{{ {expression} | length }}}}")
    assert caught.value.problems[0].message.startswith("this would make a ")


def test_what_any_method_made_is_bounded(render_text):
    """A list that a method makes is no longer than any other."""
    assert render_text("{{ ('\\n' * 200000).splitlines() | length }}") == "200000"
    with pytest.raises(RenderError) as caught:
        render_text("{{ ('\\n' * 200001).splitlines() | length }}")
    assert "200000 items" in caught.value.problems[0].message


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{% for x in 'ab' %}{{ loop.index }}{% endfor %}", "12"),
        ("{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.current }}", "ab"),
        ("{% set ns = namespace(x=1) %}{{ ns.x }}", "1"),
        ("{% macro m(a) %}{% endmacro %}{{ range(3)[1] }}", "1"),
    ],
)
def test_the_languages_own_things_are_open(render_text, template, text):
    """`loop`, `cycler` and `namespace` have the attributes that Jinja gives them."""
    assert render_text(template) == text


@pytest.mark.parametrize(
    "expression", ["dict.fromkeys", "range.index", "namespace.mro", "cycler.next", "joiner.x"]
)
def test_a_class_of_python_is_closed(render_text, expression):
    """What makes things has no attributes for templates."""
    with pytest.raises(RenderError) as caught:
        render_text(f"{{{{ {expression} }}}}")
    name = expression.partition(".")[2]
    assert caught.value.problems[0].message == f"`{name}` is not open to templates"
