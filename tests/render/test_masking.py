"""A template is tried, and shown to a person, without the values that must not be seen."""

from __future__ import annotations

import pytest

from bootstrap.config.model import FileSpec
from bootstrap.errors import RenderError
from bootstrap.render.errors import LimitExceeded
from bootstrap.render.limits import ITEMS, TEXT
from bootstrap.render.masking import MaskedText, is_masked, join_masked, mask_all, through
from bootstrap.render.rendered import Template
from bootstrap.render.rendering import render
from bootstrap.secret import MASK, Secret

VALUES = {"hidden": MASK, "db": {"port": 5432, "password": MASK}, "names": ["a", "b"]}


def shown(text, *, masked=True, values=None):
    """The files, as text, that a template makes of masks; one, or none."""
    context = {
        "values": values or VALUES,
        "secrets": {"db": Secret(MASK)},
        "instance": {},
        "tags": {},
        "environment": "",
    }
    spec = FileSpec(path="/etc/a", template="a.j2", origin="image a.yaml:1:1")
    templates = {"a.j2": Template("a.j2", text)}
    made = render([spec], context, templates, max_bytes=1000, seconds=5.0, masked=masked)
    return [one.content.decode() for one in made]


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ secrets.db }}", "***"),
        ("{{ secrets.db | from_json }}", "***"),
        ("{{ (secrets.db | from_json).user.name }}", "***"),
        ("{{ (secrets.db | from_yaml)['a'][0] }}", "***"),
        ("{{ (secrets.db | trim | from_json).user | upper | quote }}", "'***'"),
        ("{{ ('{' ~ secrets.db ~ '}') | from_json | to_yaml }}", "'***'\n"),
        ("{% set x %}[{{ secrets.db }}]{% endset %}{{ (x | from_json)[0] }}", "***"),
        ("{% macro m() %}{{ secrets.db }}{% endmacro %}{{ m() | from_json }}", "***"),
        ("{{ secrets.db.split(':')[1] }}", "***"),
        ("{{ (secrets.db | split(':'))[1] }}", "***"),
        ("{{ secrets.db | b64decode }}", "***"),
        ("{{ secrets.db | ip_address }}", "***"),
        ("{{ secrets.db | ip_host(1) }}", "***"),
        ("{{ secrets.db | int + 1 }}", "***"),
        ("{{ values.hidden + 1 }} {{ 1 - values.hidden }} {{ -values.hidden }}", "*** *** ***"),
        ("{{ values.hidden.user }}", "***"),
        ("{% for x in values.hidden %}{{ x.name }};{% endfor %}", "***;"),
        ("{% for x in range(values.hidden) %}x{% endfor %}", "x"),
        ("{{ 'yes' if values.hidden > 5 else 'no' }}", "no"),
        ("{{ 'yes' if secrets.db is ip_address else 'no' }}", "no"),
        ("{{ 'a' in values.hidden }}", "false"),
        ("{{ values.db | to_json }}", '{"port": 5432, "password": "***"}'),
        ("{{ values.db | to_yaml }}", "port: 5432\npassword: '***'\n"),
        ("{{ secrets.db | to_json }} {{ 'p=%s' | format(secrets.db) }}", '"***" p=***'),
        ("{{ 'p=' + secrets.db }} {{ secrets.db * 2 }}", "p=*** ******"),
        ("{{ values.names | join(',') }}", "a,b"),
    ],
)
def test_what_cannot_be_made_of_a_mask_is_a_mask(template, text):
    """No filter and no operator complains of `***`, and what needs no secret is as it will be."""
    assert shown(template) == [text]


def test_a_secret_taken_apart_into_several_leaves_the_file_out():
    """Nobody knows how many values are in a secret: the file is not made, nor is it a mistake."""
    assert shown("{% set a, b = secrets.db.split(':') %}{{ a }}") == []


@pytest.mark.parametrize(
    ("template", "finding"),
    [
        ("{{ secrets.db | from_json }}{{ values.nothing }}", "nothing"),
        ("{{ secrets.nothing | from_json }}", "nothing"),
        ("{{ secrets.db | no_such }}", "no_such"),
        ("{{ 'x' | from_json }}{{ secrets.db }}", "not JSON"),
        ("{{ values.names.split(':') }}", "split"),
    ],
)
def test_other_mistakes_are_told_all_the_same(template, finding):
    """A mistake that no secret would mend is found beside a mask."""
    with pytest.raises(RenderError) as caught:
        shown(template)
    assert [finding in problem.message for problem in caught.value.problems] == [True]


@pytest.mark.parametrize("template", ["{{ secrets.db | from_json }}", "{{ values.hidden + 1 }}"])
def test_a_file_that_is_written_knows_no_veil(template):
    """A secret whose value happens to be three asterisks is as wrong as any other."""
    with pytest.raises(RenderError):
        shown(template, masked=False)


def test_the_end_of_the_time_is_no_matter_of_masks():
    """A rendering that takes too long is stopped, whatever it is at work on."""

    def late(_):
        raise LimitExceeded("the time is over")

    with pytest.raises(LimitExceeded):
        through(late, MaskedText(MASK))


@pytest.mark.parametrize(
    "expression",
    [
        *("hidden + 1", "1 + hidden", "hidden - 1", "1 - hidden", "hidden / 2", "2 / hidden"),
        *("hidden // 2", "2 // hidden", "hidden % 2", "2 % hidden", "hidden ** 2", "2 ** hidden"),
        *("-hidden", "+hidden", "hidden[0]", "hidden.x", "hidden()", "range(hidden)[0]"),
    ],
)
def test_reckoning_with_a_mask_gives_a_mask(expression):
    """Every operator of the language goes through a mask, from either side."""
    assert shown(f"{{% set hidden = values.hidden %}}{{{{ {expression} }}}}") == ["***"]


@pytest.mark.parametrize(
    "expression",
    [
        *(
            "hidden < 5",
            "hidden <= 5",
            "hidden > 5",
            "hidden >= 5",
            "'a' in hidden",
            "'*' in hidden",
        ),
        *("5 < hidden", "5 >= hidden", "secrets.db is ip_address"),
    ],
)
def test_comparing_with_a_mask_is_false(expression):
    """What is asked of a mask is answered, and the answer is a boolean."""
    assert shown(f"{{% set hidden = values.hidden %}}{{{{ {expression} }}}}") == ["false"]


def test_a_mask_is_in_the_place_of_every_secret():
    """However deep, in mappings and in lists; what is no secret is as it was."""
    tree = {"a": [Secret("s"), {"b": MASK}, 3], "c": "plain", "d": None}
    found = mask_all(tree)
    assert found == {"a": [MASK, {"b": MASK}, 3], "c": "plain", "d": None}
    assert is_masked(found["a"][0])
    assert is_masked(found["a"][1]["b"])
    assert not is_masked(found["c"], found["a"][2], found["d"])
    assert not is_masked()


def test_what_holds_a_mask_is_one():
    """A text that is made of parts is a mask as soon as one of them is."""
    assert join_masked(["a", MaskedText(MASK), "b"]) == "a***b"
    assert is_masked(join_masked(["a", MaskedText(MASK)]), "b")
    assert not is_masked(join_masked(["a", "b"]))


@pytest.mark.parametrize(
    ("made", "text"),
    [
        ("x***", "x***"),
        ("x" * (TEXT + 1), "***"),
        ([1], "***"),
        ([1] * (ITEMS + 1), "***"),
        (None, "***"),
        (7, "***"),
    ],
    ids=range(6),
)
def test_what_a_function_makes_of_a_mask_is_a_mask(made, text):
    """A text stays that text, within the bounds of any other; all else is a mask alone."""
    result = through(lambda veil: made, MaskedText(MASK))
    assert result == text
    assert is_masked(result)


@pytest.mark.parametrize("truth", [True, False])
def test_what_a_test_says_of_a_mask_stays_a_truth(truth):
    """An answer that is yes or no is that answer."""
    assert through(lambda veil: truth, MaskedText(MASK)) is truth
