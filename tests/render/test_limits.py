"""A template cannot use more time or memory than it is given."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from bootstrap.config.model import FileSpec
from bootstrap.errors import RenderError
from bootstrap.render.errors import Exhausted, Refusal
from bootstrap.render.limits import BITS, COPIES, ITEMS, TEXT, WIDTH, Budget, bounded
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


LONG_TEXT = f"this would make a text of more than {TEXT} characters"
LONG_LIST = f"this would make a list of more than {ITEMS} items"
LONG_NUMBER = f"this would make a number of more than {BITS} bits"
WIDE = f"a width is at most {WIDTH}"


def test_the_limits_are_those_of_the_page():
    """Twice the largest file, Jinja's range twice, a number that is still quick to print."""
    assert (TEXT, ITEMS, BITS, WIDTH, COPIES) == (8 * 1024 * 1024, 200_000, 4096, 1000, 16)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ ('x' * 8388608) | length }}", "8388608"),
        ("{{ (8388608 * 'x') | length }}", "8388608"),
        ("{{ (4194304 * 'xy') | length }}", "8388608"),
        ("{{ ('x' * 4194304 + 'x' * 4194304) | length }}", "8388608"),
        ("{{ ('x' * 4194304 ~ 'x' * 4194304) | length }}", "8388608"),
        ("{{ ([0] * 200000) | length }}", "200000"),
        ("{{ (100000 * [0, 1]) | length }}", "200000"),
        ("{{ ((0,) * 200000) | length }}", "200000"),
        ("{{ ([0] * 100000 + [0] * 100000) | length }}", "200000"),
        ("{{ ((0,) * 100000 + (0,) * 100000) | length }}", "200000"),
        ("{{ 'x' * -1 }}{{ ([0] * 0) | length }}{{ 'ab' * true }}", "0ab"),
        ("{{ 2 ** 2048 > 0 }}", "true"),
        ("{{ (-2) ** 2048 > 0 }}", "true"),
        ("{{ 3 ** -2048 }}", "0.0"),
        ("{{ (2 ** 2047) * (2 ** 2047) > 0 }}", "true"),
        ("{{ 6 * 7 }} {{ 6 * 0.5 }} {{ 2 ** 10 }} {{ 6 + 7 }} {{ 6 + 0.5 }}", "42 3.0 1024 13 6.5"),
        ("{{ 0.5 ** 2 }} {{ 4 ** 0.5 }} {{ 2 ** -1 }} {{ 1 ** 5000.0 }}", "0.25 2.0 0.5 1.0"),
        ("{{ ('%1000d' % 1) | length }}", "1000"),
        ("{{ ('%-1000s' % 'x') | length }}", "1000"),
        ("{{ ('%.1000f' % 1) | length }}", "1002"),
        ("{{ ('%5.2f|%03d|%x|%%' % (1.005, 7, 255)) }}", " 1.00|007|ff|%"),
        ("{{ (('%d' ~ 'x' * 8386605) % 1) | length }}", "8386606"),
        ("{{ (('%%' ~ 'x' * 8384606) % ()) | length }}", "8384607"),
        ("{{ ('a\nb' | indent(1000)) | length }}", "1003"),
    ],
)
def test_what_is_at_its_bound_is_given(render_text, template, text):
    """Every operator gives what is exactly as large as is allowed, and what is small."""
    assert render_text(template) == text


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ 'x' * 8388609 }}", LONG_TEXT),
        ("{{ 8388609 * 'x' }}", LONG_TEXT),
        ("{{ 'xy' * 4194305 }}", LONG_TEXT),
        ("{{ 'x' * 4194304 + 'x' * 4194305 }}", LONG_TEXT),
        ("{{ 'x' * 4194304 ~ 'x' * 4194305 }}", LONG_TEXT),
        ("{{ [0] * 200001 }}", LONG_LIST),
        ("{{ 200001 * [0] }}", LONG_LIST),
        ("{{ (0,) * 200001 }}", LONG_LIST),
        ("{{ [0] * 100000 + [0] * 100001 }}", LONG_LIST),
        ("{{ (0,) * 100000 + (0,) * 100001 }}", LONG_LIST),
        ("{{ 2 ** 2049 }}", LONG_NUMBER),
        ("{{ (-2) ** 2049 }}", LONG_NUMBER),
        ("{{ 2 ** -2049 }}", LONG_NUMBER),
        ("{{ 1 ** 4097 }}", LONG_NUMBER),
        ("{{ (2 ** 2048) * (2 ** 2047) }}", LONG_NUMBER),
        ("{{ (2 ** 2047) * (2 ** 2048) }}", LONG_NUMBER),
        ("{{ (-2 ** 2047) * (2 ** 2048) }}", LONG_NUMBER),
        ("{{ '%1001d' % 1 }}", WIDE),
        ("{{ '%-1001d' % 1 }}", WIDE),
        ("{{ '%#+01001x' % 1 }}", WIDE),
        ("{{ '%.1001f' % 1 }}", WIDE),
        ("{{ '%1.1001f' % 1 }}", WIDE),
        ("{{ '%s%1001s' % ('a', 'b') }}", WIDE),
        ("{{ '%(a)1001s' % 'b' }}", WIDE),
        ("{{ '%%%1001d' % 1 }}", WIDE),
        ("{{ ('%' ~ '9' * 5000 ~ 'd') % 1 }}", WIDE),
        ("{{ '%*d' % (1, 1) }}", "a width in a format is a number, not *"),
        ("{{ '%.*f' % (1, 1) }}", "a width in a format is a number, not *"),
        ("{{ ('%s' * 20) % ('x' * 500000) }}", LONG_TEXT),
        ("{{ ('%s' * 20) | format('x' * 500000) }}", LONG_TEXT),
        ("{{ ('%s' * 20) % ('x' * 500000, 'y') }}", LONG_TEXT),
        ("{{ ('%s' * 20) % ('y', 'x' * 500000) }}", LONG_TEXT),
        ("{{ ('%d' * 4190) % 1 }}", LONG_TEXT),
        ("{{ ('%d' ~ 'x' * 8386606) % 1 }}", LONG_TEXT),
        ("{{ 'a' | indent(1001) }}", WIDE),
        ("{{ 'a' | indent(-1001) }}", WIDE),
    ],
)
def test_what_is_beyond_its_bound_is_not_begun(render_text, template, message):
    """One more character, item, bit or column than is allowed is refused, whichever side has it."""
    with pytest.raises(RenderError) as caught:
        render_text(template)
    assert [problem.message for problem in caught.value.problems] == [message]


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ 'x' + 1 }}", "concatenate str"),
        ("{{ [1] + 1 }}", "concatenate list"),
        ("{{ 1 + 'x' }}", "unsupported operand"),
        ("{{ 1 + [1] }}", "unsupported operand"),
        ("{{ 'x' * 9999999999.0 }}", "by non-int"),
        ("{{ 'x' * 'y' }}", "by non-int"),
    ],
)
def test_what_cannot_be_reckoned_is_said_as_it_is(render_text, template, words):
    """A bound is asked of what has a size, and no other mistake is taken for a size."""
    with pytest.raises(RenderError) as caught:
        render_text(template)
    assert words in caught.value.problems[0].message


@pytest.mark.parametrize(
    "template", ["{{ 2.0 ** 5000 }}", "{{ 2 ** 5000.0 }}", "{{ 10 ** 309.5 }}"]
)
def test_a_power_that_no_float_holds_is_a_mistake(render_text, template):
    """With a fraction on either side a power is as bounded as any other, by what a float holds."""
    with pytest.raises(RenderError) as caught:
        render_text(template)
    assert "range" in caught.value.problems[0].message


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("x" * TEXT, None),
        ("x" * (TEXT + 1), LONG_TEXT),
        ([0] * ITEMS, None),
        ([0] * (ITEMS + 1), LONG_LIST),
        ((0,) * ITEMS, None),
        ((0,) * (ITEMS + 1), LONG_LIST),
        (2**BITS, None),
        (dict.fromkeys(range(3)), None),
    ],
    ids=range(8),
)
def test_a_value_is_given_up_to_its_bound(value, message):
    """What a filter or a method made is looked at once more."""
    if message is None:
        assert bounded(value) is value
        return
    with pytest.raises(Refusal) as caught:
        bounded(value)
    assert caught.value.message == message


@pytest.fixture
def budget():
    """Two seconds and a hundred bytes, by a clock that the test sets."""
    now = [50.0]
    made = Budget(seconds=2, max_bytes=100, clock=lambda: now[0])
    return made, now


def test_the_time_is_over_after_its_last_instant(budget):
    """The last instant still counts; the next is too late for whatever looks at the clock."""
    made, now = budget
    for lstat in (made.check_time, made.begin_file, lambda: made.spend(1)):
        now[0] = 52.0
        lstat()
        now[0] = 52.001
        with pytest.raises(Exhausted) as caught:
            lstat()
        assert caught.value.message == "the rendering took longer than 2 seconds"
        assert caught.value.hint == "look for nested loops; the limit is render.timeout"


def test_the_printed_characters_are_counted_together_for_each_file(budget):
    """Sixteen times the largest file may be printed on the way, by each file anew."""
    made, _ = budget
    for _ in range(2):
        made.spend(1599)
        made.spend(1)
        with pytest.raises(Refusal) as caught:
            made.spend(1)
        assert caught.value.message == "the file is larger than 100 bytes many times over"
        assert caught.value.hint.endswith("the limit is render.max_bytes")
        made.begin_file()


def test_a_file_is_as_large_as_the_setting_says(budget):
    """The size itself is allowed, one byte more is not."""
    made, _ = budget
    made.require_file(100)
    with pytest.raises(Refusal) as caught:
        made.require_file(101)
    assert caught.value.message == "the file is larger than 100 bytes"
    assert caught.value.hint == "the limit is render.max_bytes"
