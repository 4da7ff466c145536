"""`validate --image` tells where a template prints what a tag or a userData may set to any text."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from bootstrap import resources
from bootstrap.config.schema.lookup import Shape
from bootstrap.render.rendered import Template
from bootstrap.render.unfiltered import MAX_DOUBTS, unfiltered

SCHEMA = {
    "properties": {
        "name": {"type": "string"},
        "form": {"type": "string", "format": "hostname", "maxLength": 9},
        "host": {"type": "string", "pattern": "^[a-z]+$"},
        "word": {"enum": ["a", "b"]},
        "one": {"const": "a"},
        "port": {"type": "integer"},
        "on": {"type": ["boolean", "null"]},
        "either": {"type": ["integer", "string"]},
        "deep": {"$ref": "#/$defs/deep"},
        "hosts": {"type": "array", "items": {"pattern": "^a$"}},
        "texts": {"type": "array", "items": {"type": "string"}},
        "sites": {"items": {"properties": {"id": {"type": "integer"}, "title": {}}}},
        "env": {
            "type": "object",
            "propertyNames": {"pattern": "^[A-Z]+$"},
            "additionalProperties": {"type": "string"},
        },
        "closed": {
            "type": "object",
            "properties": {"a": {"enum": [1]}},
            "additionalProperties": False,
        },
        "open": {"type": "object", "additionalProperties": {"type": "integer"}},
    },
    "$defs": {"deep": {"properties": {"text": {"type": "string"}, "host": {"pattern": "^a$"}}}},
}


def told(text, schema=SCHEMA):
    """What is said to be printed unfiltered, with its line."""
    problems = unfiltered([Template("a.j2", text)], Shape(schema))
    return [
        f"{one.where.partition(':')[2]} {one.message.partition(' is printed')[0]}"
        for one in problems
    ]


FREE = {
    "{{ values.name }}": "`values.name`",
    "{{ values['name'] }}": "`values.name`",
    "{{ values.get('name') }}": "`values.name`",
    "{{ values.get('port', values.name) }}": "`values.name`",
    "{{ values.form }}": "`values.form`",
    "{{ values.either }}": "`values.either`",
    "{{ values.unknown }}": "`values.unknown`",
    "{{ values.deep.text }}": "`values.deep.text`",
    "{{ values[values.word] }}": "`values.*`",
    "{{ values.name | default('x') }}": "`values.name`",
    "{{ values.host | default(values.name) }}": "`values.name`",
    "{{ values.name | trim | upper }}": "`values.name`",
    "{{ values.name.strip() }}": "`values.name`",
    "{{ 'a' ~ values.name }}": "`values.name`",
    "{{ 'a' + values.name }}": "`values.name`",
    "{{ 'a %s' % values.name }}": "`values.name`",
    "{{ 'a %s' | format(values.name) }}": "`values.name`",
    "{{ values.name if values.on else 'x' }}": "`values.name`",
    "{{ values.on | ternary(values.name, '') }}": "`values.name`",
    "{{ values.host or values.name }}": "`values.name`",
    "{{ values.name[1:] }}": "`values.name`",
    "{{ values.texts | join(' ') }}": "`values.texts[]`",
    "{{ ' '.join(values.texts) }}": "`values.texts[]`",
    "{{ values.texts | first }}": "`values.texts[]`",
    "{{ values.texts[0] }}": "`values.texts[]`",
    "{{ values.texts | map('upper') | join }}": "`values.texts[]`",
    "{% for one in values.texts | sort %}{{ one }}{% endfor %}": "`values.texts[]`",
    "{% for one in values.sites %}{{ one.title }}{% endfor %}": "`values.sites[].title`",
    "{{ values.sites | map(attribute='title') | join }}": "`values.sites[].title`",
    "{% for k, v in values.env.items() %}{{ k }}={{ v }}{% endfor %}": "`values.env.*`",
    "{% for k, v in values.env | dictsort %}{{ v }}{% endfor %}": "`values.env.*`",
    "{% for v in values.env.values() %}{{ v }}{% endfor %}": "`values.env.*`",
    "{% for k, v in values.open.items() %}{{ k }}={{ v }}{% endfor %}": "a key of `values.open`",
    "{% for k in values.open %}{{ k }}{% endfor %}": "a key of `values.open`",
    "{% set n = values.name %}{{ n }}": "`values.name`",
    "{% with n = values.name %}{{ n }}{% endwith %}": "`values.name`",
    "{% if values.on %}{{ values.name }}{% endif %}": "`values.name`",
    "{% block b %}{{ values.name }}{% endblock %}": "`values.name`",
    "{% macro m() %}{{ values.name }}{% endmacro %}": "`values.name`",
    "{% filter upper %}{{ values.name }}{% endfilter %}": "`values.name`",
    "{% set n %}{{ values.name }}{% endset %}": "`values.name`",
    "{{ tags.Owner }}": "`tags.Owner`",
    "{% for name, text in tags.items() %}{{ text }}{% endfor %}": "`tags.*`",
    "{% for name in tags %}{{ name }}{% endfor %}": "a key of `tags`",
    "{{ environment }}": "`environment`",
}


@pytest.mark.parametrize("text", FREE)
def test_a_free_text_that_is_printed_is_told(text):
    """With its line, by whatever way the template gets to it."""
    assert told(f"\n{text}\n") == [f"2 {FREE[text]}"]


@pytest.mark.parametrize(
    "text",
    [
        "{{ values.host }} {{ values.word }} {{ values.one }} {{ values.port }} {{ values.on }}",
        "{{ values.deep.host }} {{ values.hosts | join(' ') }} {{ values.hosts[0] }}",
        "{% for one in values.sites %}{{ one.id }}{% endfor %}",
        "{% for k, v in values.closed.items() %}{{ k }}={{ v }}{% endfor %}",
        "{% for k in values.env %}{{ k }}{% endfor %}",
        "{{ values.name | quote }} {{ values.name | to_json }} {{ values.name | one_line }}",
        "{{ values.name | systemd_quote }} {{ values.name | default('') | fullmatch('[a-z]+') }}",
        "{{ values.texts | map('quote') | join(' ') }} {{ values.name | sha256 }}",
        "{{ values.texts | length }} {{ values | to_json }}",
        "{% filter quote %}{{ values.name }}{% endfilter %}",
        "{% set values = {'name': 'x'} %}{{ values.name }}",
        "{% for values in [1] %}{{ values.name }}{% endfor %}",
        "{{ instance.compute.location }} {{ secrets.db }} {{ loop.index }} {{ 'values.name' }}",
        "{% if values.name == 'a' %}a{% endif %}",
        "{{ values.name",
    ],
)
def test_what_is_held_to_a_form_or_filtered_is_not(text):
    """A pattern, an enum, another type or a filter is enough."""
    assert told(text) == []


def test_without_a_schema_every_value_is_free():
    """Nobody says what may stand there."""
    assert told("{{ values.port }}", {}) == ["1 `values.port`"]


def test_each_place_is_told_once():
    """However often a line prints it; another line is another place."""
    text = "{{ values.name }} {{ values.name }}\n{{ values.name }}"
    assert told(text) == ["1 `values.name`", "2 `values.name`"]


def test_there_is_an_end_to_doubts():
    """A thousand places are a page."""
    assert len(told("{{ values.name }}\n" * 1000)) == MAX_DOUBTS


def test_the_templates_that_ship_print_no_free_text():
    """What is advised is done, even where an image has no schema."""
    texts = {name: resources.read(name) for name in resources.names("templates")}
    templates = [Template(name, text) for name, text in texts.items() if name.endswith(".j2")]
    assert [one.where for one in unfiltered(templates, Shape({}))] == []


@pytest.fixture
def validated(tmp_path):
    """A function that validates a document of an image, which lies below a root or beside it."""

    def run(document, *words, image="root/etc/imds-bootstrap"):
        root = tmp_path / "root"
        folder = tmp_path / image
        root.mkdir(exist_ok=True)
        (folder / "templates").mkdir(parents=True)
        (folder / "config.d").mkdir()
        (folder / "templates/a.j2").write_text("x\n{{ values.name }}{{ values.host }}\n")
        (folder / "values.schema.json").write_text(json.dumps(SCHEMA))
        file = folder / "config.d/10.yaml"
        file.write_text(f"version: 1\n{document}")
        command = [sys.executable, "-m", "bootstrap", "--root", root, "--format", "json"]
        done = subprocess.run(
            [*command, "validate", *words, file], capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, 1), done.stderr
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize("image", ["root/etc/imds-bootstrap", "checkout/image"])
def test_validate_reads_the_image_around_the_document(validated, image):
    """Installed below the root or not; its schema, its templates, the contents of the document."""
    document = 'files: [{path: /etc/a, content: "{{ values.texts[0] }}"}]\nvalues: {port: a}\n'
    said = validated(document, "--image", image=image)
    assert [one["path"] for one in said["problems"]] == ["values.port"]
    places = [one["where"] for one in said["warnings"]]
    assert places[0].endswith("templates/a.j2:2")
    assert places[1].endswith("config.d/10.yaml content of /etc/a:1")
    assert len(places) == 2


def test_validate_of_a_user_data_looks_at_no_template(validated):
    """Its author has no say in them."""
    assert validated("values: {name: a}\n")["warnings"] == []


def test_validate_knows_what_userdata_may_use(validated):
    """On a machine with the image it is an error, as in a run."""
    said = validated("files: [{path: /etc/a, template: env/app.env.j2}]\n")
    (problem,) = said["problems"]
    assert problem["message"].startswith("userData may not use a template that ships")


def test_validate_warns_where_no_image_is(validated):
    """Elsewhere the image may have a template of that name, or offer the one that ships."""
    said = validated("files: [{path: /etc/a, template: env/app.env.j2}]\n", image="checkout")
    assert said["valid"]
    (warning,) = said["warnings"]
    assert "an image has to offer it to userData" in warning["message"]
