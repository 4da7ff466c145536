"""A template cannot use more time or memory than it is given."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from bootstrap.config.configuration import FileSpec
from bootstrap.errors import RenderError
from bootstrap.render.rendered import Template
from bootstrap.render.rendering import render

DOUBLING = (
    "{%% set ns = namespace(x=%s) %%}{%% for i in range(60) %%}%s{%% endfor %%}{{ ns.x | length }}"
)
GREEDY = {
    "repeated text": "{{ 'x' * 30000000 }}",
    "repeated list": "{{ ([0] * 30000000) | length }}",
    "range": "{{ range(10 ** 9) | sum }}",
    "nested loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}"
    "{% endfor %}",
    "loop of text": "{% for a in range(99999) %}xxxxxxxxxx{% endfor %}",
    "captured text": "{% set x %}{% for a in range(99999) %}{% for a in range(99999) %}"
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx{% endfor %}{% endfor %}{% endset %}",
    "recursive macro": "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
    "bounded recursion": "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}"
    "{% endmacro %}{{ f(50) }}",
    "recursive include": "{% include 'main.j2' %}",
    "recursive loop": "{% for a in [1] recursive %}{{ loop([1, 1]) }}{% endfor %}",
    "doubled by +": DOUBLING % ("'ab'", "{% set ns.x = ns.x + ns.x %}"),
    "doubled by ~": DOUBLING % ("'ab'", "{% set ns.x = ns.x ~ ns.x %}"),
    "doubled list": DOUBLING % ("[1]", "{% set ns.x = ns.x + ns.x %}"),
    "doubled by printing": DOUBLING % ("'ab'", "{% set ns.x %}{{ ns.x }}{{ ns.x }}{% endset %}"),
    "doubled by replace": DOUBLING % ("'ab'", "{% set ns.x = ns.x.replace('a', 'aaaa') %}"),
    "doubled by format": DOUBLING % ("'ab'", "{% set ns.x = '%s%s' % (ns.x, ns.x) %}"),
    "doubled by format filter": DOUBLING % ("'ab'", "{% set ns.x = '%s%s'|format(ns.x, ns.x) %}"),
    "doubled by join": DOUBLING % ("'ab'", "{% set ns.x = [ns.x, ns.x] | join %}"),
    "doubled by regex": DOUBLING
    % ("'ab'", r"{% set ns.x = ns.x | regex_replace('(.+)', '\\1\\1') %}"),
    "doubled by comment": DOUBLING % ("'ab\nc'", "{% set ns.x = ns.x | comment(ns.x) %}"),
    "shared lists": "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}"
    "{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x | to_json }}",
    "big power": "{{ 9 ** 999999999 }}",
    "squares": "{% set ns = namespace(x=9) %}{% for i in range(60) %}{% set ns.x = ns.x * ns.x %}"
    "{% endfor %}{{ ns.x }}",
    "wide format": "{{ '%1000000000d' % 1 }}",
    "precise format": "{{ '%.1000000000f' % 1 }}",
    "starred format": "{{ '%*d' % (1000000000, 1) }}",
    "wide format filter": "{{ '%1000000000d' | format(1) }}",
    "wide indent": "{{ 'x' | indent(1000000000, true) }}",
    "wide nindent": "{{ 'x' | nindent(1000000000) }}",
    "wide JSON": "{{ [1] | to_json(indent=1000000000) }}",
    "centered": "{{ 'x'.center(1000000000) }}",
    "justified": "{{ 'x'.ljust(1000000000) }}",
    "filled": "{{ 'x'.zfill(1000000000) }}",
    "tabs": "{{ '\t'.expandtabs(1000000000) }}",
    "center filter": "{{ 'x' | center(1000000000) }}",
    "batch filter": "{{ [1] | batch(1000000000, 0) | list }}",
    "rounded": "{{ 1.5 | round(1000000000) }}",
}


@pytest.mark.parametrize("template", GREEDY.values(), ids=GREEDY.keys())
def test_greedy_template_is_stopped(template, render_text):
    """No template outlasts its time by much or takes memory to match its wishes."""
    tracemalloc.start()
    started = time.thread_time()  # not the time that other processes take
    try:
        with pytest.raises(RenderError) as caught:
            render_text(template, max_bytes=50_000, seconds=0.3)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.thread_time() - started < 5  # tracing makes everything several times slower
    assert peak < 100_000_000
    assert caught.value.problems[0].where.startswith("main.j2:")


def test_largest_file_is_allowed_and_one_more_byte_is_not(render_text):
    """max_bytes is the size of the file in bytes, not in characters."""
    assert render_text("é" * 50, max_bytes=100) == "é" * 50
    with pytest.raises(RenderError, match="do not fit") as caught:
        render_text("é" * 50 + "x", max_bytes=100)
    assert caught.value.problems[0].message == "the file is larger than 100 bytes"


def test_time_is_for_all_files_together(context):
    """When the time is over, no other file is begun."""
    ticks = iter(range(1000))
    files = [FileSpec(path=f"/etc/{name}", template="t") for name in "abc"]
    template = Template("t", "{% for i in range(9) %}{% endfor %}")
    with pytest.raises(RenderError) as caught:
        render(
            files,
            context,
            {"t": template},
            max_bytes=10,
            seconds=15,
            clock=lambda: next(ticks),
        )
    (problem,) = caught.value.problems
    assert problem.path == "/etc/b"
    assert "15 seconds" in problem.message
