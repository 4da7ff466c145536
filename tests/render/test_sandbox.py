"""A template reaches its values and nothing else."""

from __future__ import annotations

import pytest

from bootstrap.errors import RenderError
from bootstrap.render.filters import table

ESCAPES = [
    "{{ ''.__class__.__mro__ }}",
    "{{ ''['__class__'] }}",
    "{{ values['__class__'] }}",
    "{{ values.__class__ }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ range.__self__ }}",
    "{{ dict.mro() }}",
    "{{ '{0.__class__}'.format(values) }}",
    "{{ '{a.__class__}'.format_map({'a': 1}) }}",
    "{{ ['{0.__class__}'] | map('format', values) | list | to_json }}",
    "{{ values | attr('__class__') }}",
    "{{ [values] | map(attribute='__class__') | join }}",
    "{{ 'x'.encode() }}",
    "{{ values.sites.append(1) }}",
    "{{ values.web.update({'port': 1}) }}",
    "{{ values.web.pop('port') }}",
    "{% macro m() %}{% endmacro %}{{ m.__call__ }}{{ m._environment }}",
    "{% for x in [1] %}{{ loop._iterator }}{% endfor %}",
    "{{ environment.turn }}",
    "{{ secrets._secrets }}",
    "{{ secrets.used }}",
    "{{ lipsum() }}",
    "{{ [1, 2] | random }}",
    "{{ values | pprint }}",
    "{% include '/etc/passwd' %}",
    "{% include '../main.j2' %}",
]


@pytest.mark.parametrize("template", ESCAPES)
def test_escape_is_refused(template, render_text):
    """Nothing of Python, of the machine, or of chance is open to a template."""
    with pytest.raises(RenderError):
        render_text(template)


@pytest.mark.parametrize("template", ["{{ loop.x }}", "{{ cycler('a').next() }}{{ nothing }}"])
def test_language_objects_work_or_report(template, render_text):
    """What the template language offers itself fails like any other missing name."""
    with pytest.raises(RenderError) as caught:
        render_text(template)
    assert "is not defined" in caught.value.problems[0].message


def test_every_filter_says_what_it_does():
    """The page of filters can be written from their docstrings: one line each, with a full stop."""
    for name, function in {**table.FILTERS, **table.TESTS}.items():
        assert function.__doc__, name
        first = function.__doc__.splitlines()[0]
        assert first.endswith((".", ":")), name


def test_rendering_changes_no_value(render_text, context):
    """A template cannot change what the next template sees."""
    before = repr(context)
    render_text("{% set values = {'web': 1} %}{% set x = values %}{{ x.web }}")
    assert repr(context) == before
