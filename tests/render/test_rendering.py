"""Files to contents: order, names, secrets, and errors of several files at once."""

from __future__ import annotations

import pytest

from bootstrap.config.model import FileSpec
from bootstrap.errors import RenderError
from bootstrap.render.rendered import Template
from bootstrap.render.rendering import render

LIMITS = {"max_bytes": 10_000, "seconds": 5.0}


def test_contents_come_in_the_order_of_the_files(context):
    """Each file gets its own content, from a template of the image or from the document."""
    files = [
        FileSpec(path="/etc/b", template="t"),
        FileSpec(path="/etc/a", content="inline {{ tags.owner }}"),
    ]
    rendered = render(files, context, {"t": Template("/t", "é\n")}, **LIMITS)
    assert [(one.spec.path, one.content) for one in rendered] == [
        ("/etc/b", "é\n".encode()),
        ("/etc/a", b"inline ops"),
    ]


@pytest.mark.parametrize(
    ("newline", "content"),
    [("", b"a\r\nb\nc"), ("lf", b"a\nb\nc"), ("crlf", b"a\r\nb\r\nc")],
)
def test_lines_end_as_the_document_says(context, newline, content):
    """Without a word of the document lines end as values and template have them."""
    file = FileSpec(path="/a", content="{{ values.lines }}\nc", newline=newline)
    values = {**context["values"], "lines": "a\r\nb"}
    assert render([file], {**context, "values": values}, {}, **LIMITS)[0].content == content


def test_errors_of_all_files_come_together(context):
    """A file that cannot be rendered does not hide what is wrong with the others."""
    templates = {
        "a": Template("/t/a", "{{ values.web.prot }}"),
        "b": Template("/t/b", "{% for %}"),
        "c": Template("/t/c", "{{ 1 / 0 }}{{ values.never }}"),
    }
    files = [FileSpec(path=f"/etc/{name}", template=name) for name in "abc"]
    files.append(FileSpec(path="/etc/d", template="aa", origin="image x.yaml:7:5"))
    files.append(FileSpec(path="/etc/e", content="\n{{ nope }}", origin="image x.yaml:9:5"))
    with pytest.raises(RenderError) as caught:
        render(files, context, templates, **LIMITS)
    assert [(one.where, one.path) for one in caught.value.problems] == [
        ("/t/a:1", "/etc/a"),
        ("/t/b:1", "/etc/b"),
        ("/t/c:1", "/etc/c"),
        ("image x.yaml:7:5", "/etc/d"),
        ("image x.yaml:9:5 content:2", "/etc/e"),
    ]
    assert caught.value.problems[3].hint == "did you mean a?"


def test_template_of_several_files_is_reported_once(context):
    """One mistake in a template is one problem, however many files are made of it."""
    files = [FileSpec(path=f"/etc/{name}", template="t") for name in "ab"]
    with pytest.raises(RenderError) as caught:
        render(files, context, {"t": Template("/t", "{{ values.x1 }}")}, **LIMITS)
    assert len(caught.value.problems) == 1


def test_problem_shows_the_line_and_where_in_it(context):
    """A problem can be underlined: the line as it stands, the column, the width."""
    text = "port: 1\r\n  x: {{ values.web.prot }}\r\n"
    with pytest.raises(RenderError) as caught:
        render([FileSpec(path="/a", content=text, origin="o")], context, {}, **LIMITS)
    (problem,) = caught.value.problems
    assert (problem.text, problem.column, problem.width) == ("  x: {{ values.web.prot }}", 20, 4)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("{{ secrets.db }}", True),
        ("{% if secrets['db'] == 'x' %}{% endif %}", True),
        ("{{ secrets | to_json }}", True),
        ("{% import 'm' as m %}", True),
        ("{% include 'm' %}", True),
        ("{{ values.web.port }} {{ secrets.db is defined and false }}", True),
        ("{{ values.web.port }}", False),
        ("{{ 'db' in secrets }}", False),
    ],
)
def test_file_that_looked_at_a_secret_says_so(text, secret, context):
    """Whoever writes the file knows whether it may hold a secret; each file for itself."""
    templates = {"m": Template("m", "{% set x = secrets.db %}")}
    files = [
        FileSpec(path="/first", content="{% import 'm' as m %}"),
        FileSpec(path="/a", content=text),
        FileSpec(path="/last", content="plain"),
    ]
    rendered = render(files, context, templates, **LIMITS)
    assert [one.secret for one in rendered] == [True, secret, False]


def test_secret_is_in_no_message(context):
    """An error about a secret names it, and never holds it."""
    text = "{{ secrets.db | int + 'x' }}\n{{ secrets.db.x }}\n{{ secrets.dbs }}\n{{ secrets }}"
    with pytest.raises(RenderError) as caught:
        render(
            [FileSpec(path=f"/{n}", content=line) for n, line in enumerate(text.split("\n"))],
            context,
            {},
            **LIMITS,
        )
    told = "".join(repr(vars_of(problem)) for problem in caught.value.problems)
    assert len(caught.value.problems) == 4
    assert "did you mean secrets.db?" in told
    assert "s3cret" not in told


@pytest.mark.parametrize(
    "text",
    [
        "{{ values.web[secrets.db] }}",
        "{{ {'a': 1}[secrets.db] }}",
        "{{ [1][secrets.db] }}",
        "{{ values.sites | map(attribute=secrets.db) | list }}",
        "{{ values.sites | sort(attribute=secrets.db) | list }}",
        "{{ values.sites | selectattr('name', secrets.db) | list }}",
        "{{ ['x'] | map(secrets.db) | list }}",
        "{% include secrets.db %}",
        "{% include ['none.j2', secrets.db] %}",
        "{% import secrets.db as x %}",
        "{{ 'a' | regex_replace('(?P=' ~ secrets.db ~ ')', '') }}",
        "{{ 'a' is matching('(?P<' ~ secrets.db ~ ' x>a)') }}",
    ],
)
def test_name_that_comes_out_of_a_value_is_in_no_message(text, context):
    """A key, a template or a filter may be named by a value; the message does not repeat it."""
    with pytest.raises(RenderError) as caught:
        render([FileSpec(path="/a", content=text)], context, {}, **LIMITS)
    assert not any("s3cret" in repr(vars_of(problem)) for problem in caught.value.problems)


def test_computed_name_is_told_apart_from_a_written_one(context):
    """A name that stands in the template is told with its path; of another, what there is."""
    text = "{% set k = 'po' ~ 'rts' %}{{ values.web[k] }}{{ values.web['ports'] }}"
    with pytest.raises(RenderError) as caught:
        render([FileSpec(path="/a", content=text)], context, {}, **LIMITS)
    assert caught.value.problems[0].message == "`values.web.ports` is not defined"
    with pytest.raises(RenderError) as caught:
        render([FileSpec(path="/a", content=text[:45])], context, {}, **LIMITS)
    problem = caught.value.problems[0]
    assert problem.message == "`values.web` has no key of the name that is worked out here"
    assert problem.hint == "there is port, tls"


def vars_of(problem):
    return {name: getattr(problem, name) for name in problem.__slots__}
