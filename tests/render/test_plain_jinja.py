"""Where no rule of ours applies, a template gives what it gives in plain Jinja."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from jinja2 import DictLoader, Environment, StrictUndefined

from bootstrap.config.model import FileSpec
from bootstrap.render.rendered import Template
from bootstrap.render.rendering import render

VALUES = {
    "port": 8443,
    "name": "shop",
    "sites": [{"host": "a", "tags": ["x", "y"]}, {"host": "b", "tags": []}],
    "limits": {"low": 1, "high": 9},
    "empty": [],
    "text": "one\ntwo\n",
}

# Nothing here prints a boolean or null, misses a name, or stands alone on a line as a statement.
PIECES = [
    "plain text",
    " ",
    "\t",
    "\n",
    "\n\n",
    "é ü 漢",
    "{ }} % # }",
    "{{ values.port }}",
    "{{- values.name -}}",
    "{{ values.name | upper | replace('S', '$') }}",
    "{{ 'a' if values.port > 80 else 'b' }}",
    "{{ values.port // 2 + 3 * 2 - 1 }}",
    "{{ 'x' ~ values.port ~ values.name }}",
    "{{ values.sites[1].host }}{{ values['name'] }}",
    "{{ values.sites | map(attribute='host') | join(', ') }}",
    "{{ values.sites | selectattr('tags') | list | length }}",
    "{{ values.limits | dictsort | map('first') | join }}",
    "{{ values.nothing | default('none') }}",
    "{{ values.text | indent(2) }}",
    "{{ '%05d' | format(values.port) }}",
    "{{ range(3) | join('-') }}",
    "x{% if values.port == 8443 %}yes{% elif values.name %}maybe{% else %}no{% endif %}y",
    "{% for s in values.sites %}{{ loop.index }}{{ s.host }}{{ ';' if not loop.last }}{% endfor %}",
    "x{% for key, value in values.limits.items() %}{{ key }}={{ value }} {% endfor %}y",
    "x{% for one in values.empty %}{{ one }}{% else %}nobody{% endfor %}y",
    "x{% for one in [1, 2, 3] if one is odd %}{{ one }}{% endfor %}y",
    "x{% set a = values.port %}{{ a }}y",
    "x{% set a %}b{{ values.name }}{% endset %}{{ a | upper }}y",
    "x{% macro m(a, b=2) %}[{{ a }}{{ b }}]{% endmacro %}{{ m(1) }}{{ m(1, b=3) }}y",
    "{% set n = namespace(c=0) %}{% for i in [1, 2] %}{% set n.c = n.c + i %}{% endfor %}{{ n.c }}",
    "x{% with a=1 %}{{ a }}{% endwith %}y",
    "x{% filter upper %}a{{ values.name }}{% endfilter %}y",
    "x{% raw %}{{ not.this }}{% endraw %}y",
    "x{# a comment #}y",
    "x {%- if true %} a {%- endif -%} y",
    "x{% include 'part.j2' %}y",
    "x{% from 'part.j2' import double %}{{ double(2) }}y",
]
PART = "[{{ values.port }}]{% macro double(a) %}{{ a * 2 }}{% endmacro %}"


TEXTS = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)


def ours(text):
    """What this program makes of a template."""
    sources = {"main.j2": Template("main.j2", text), "part.j2": Template("part.j2", PART)}
    files = [FileSpec(path="/etc/main", template="main.j2")]
    rendered = render(files, {"values": VALUES}, sources, max_bytes=100_000, seconds=10)
    return rendered[0].content.decode()


def plain(text):
    """What Jinja itself makes of it."""
    environment = Environment(
        loader=DictLoader({"main.j2": text, "part.j2": PART}),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.globals["values"] = VALUES  # as in ours, imported macros see it too
    return environment.get_template("main.j2").render()


@given(TEXTS)
def test_plain_templates_are_plain_jinja(text):
    """Any sequence of common pieces gives, character for character, what Jinja itself gives."""
    assert ours(text) == plain(text)


@given(TEXTS)
def test_line_ends_of_windows_stay(text):
    r"""The same template with `\r\n` gives the same lines with `\r\n`."""
    given_back = ours(text.replace("\n", "\r\n") + "\r\n")
    assert given_back.replace("\r\n", "\n") == ours(text + "\n")
