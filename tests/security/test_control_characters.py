"""No control character of a tag or a userData reaches what may not hold one, whoever decoded it."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

from bootstrap import resources
from bootstrap.config.model import FileSpec
from bootstrap.config.resolve import resolve
from bootstrap.config.template_policy import TemplateOffer
from bootstrap.document import dump, parse
from bootstrap.errors import BootstrapError, InvalidDocument, RenderError
from bootstrap.imds.tags import TagNames
from bootstrap.render.rendered import Template
from bootstrap.render.rendering import render
from bootstrap.report.diagnostic import describe
from bootstrap.settings import TagSettings, UserDataSettings

# A character, and what a message calls it.
BREAKS = {"\n": "a line break (\\n)", "\r": "a line break (\\r)", "\t": "a tab (\\t)"}
OTHERS = {
    "\0": "U+0000 (\\x00)",
    "\x07": "U+0007 (\\x07)",
    "\x0b": "U+000B (\\x0b)",
    "\x0c": "U+000C (\\x0c)",
    "\x1b": "U+001B (\\x1b)",
    "\x1f": "U+001F (\\x1f)",
    "\x7f": "U+007F (\\x7f)",
    "\x85": "U+0085 (\\x85)",
    "\x9f": "U+009F (\\x9f)",
    "\u2028": "U+2028 (\\u2028)",
    "\u2029": "U+2029 (\\u2029)",
}
ALL = {**BREAKS, **OTHERS}
each = pytest.mark.parametrize(
    "sign", ALL, ids=[name.partition(" (")[2][:-1] for name in ALL.values()]
)
RULES = json.loads(resources.read("schema/document.schema.json"))


def configured(*, user_data=None, tags=(), schema=None, image="version: 1\n"):
    """The configuration of these layers; a userData that is not text is made JSON."""
    text = json.dumps({"version": 1, **user_data}) if isinstance(user_data, dict) else user_data
    return resolve(
        documents=[("image config.d/10.yaml", image)],
        user_data=b64encode((text or "").encode()).decode(),
        tags=tags,
        user_data_trust=UserDataSettings(allow=("content", "check", "handlers")),
        tag_rules=TagSettings(map={"CostCenter": "billing.center"}),
        document_schema=RULES,
        values_schema=parse(dump(schema), "values.schema.json") if schema else None,
        templates=TemplateOffer(patterns=("*",), own=frozenset(), shipped=frozenset()),
    ).require_valid()


def refused(**layers):
    """The problems of layers that must be refused, each on one line."""
    with pytest.raises(InvalidDocument) as caught:
        configured(**layers)
    printed = describe(caught.value)
    assert all(sign not in printed for sign in ALL if sign not in "\n\t")
    assert "a\nb" not in printed, "what others wrote begins a line"
    return [f"{one.where} {one.path}: {one.message} ({one.hint})" for one in caught.value.problems]


HOSTS = {
    "properties": {"web": {"properties": {"hosts": {"type": "array"}, "map": {"type": "object"}}}}
}


@each
def test_a_tag_holds_none(sign):
    """The message tells the tag, the path and the character."""
    hint = "remove it, or write `x-multiline: true` beside its type in the image's schema"
    (told,) = refused(tags=[("config:web.name", f"a{sign}b")])
    cure = hint if sign in BREAKS else "remove it"
    place = "tag config:web.name values.web.name"
    assert told == f"{place}: this tag may not hold {ALL[sign]} ({cure})"


@each
@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        ("web.hosts", ["ok", "a{}b"], "values.web.hosts[1]"),
        ("web.map", {"a": {"b": ["{}"]}}, "values.web.map.a.b[0]"),
        ("web.map", {"a{}": 1}, "values.web.map"),
    ],
    ids=["list", "mapping", "key"],
)
def test_what_a_tag_decodes_to_is_judged(sign, path, value, found):
    """An escape in JSON is the character that it stands for; keys count as texts do."""
    text = json.dumps(value).replace("{}", json.dumps(sign)[1:-1])
    (told,) = refused(tags=[(f"config:{path}", text)], schema=HOSTS)
    assert found in told
    assert ALL[sign] in told


def test_what_is_not_used_is_not_judged():
    """Blanks around a number, and between the parts of JSON, are gone before anything is set."""
    tags = [("config:n", " 8\n"), ("config:web.hosts", '[\n\t"a",\r\n"b"]'), ("environment", " \n")]
    schema = {"properties": {"n": {"type": "integer"}, **HOSTS["properties"]}}
    assert configured(tags=tags, schema=schema).values == {"n": 8, "web": {"hosts": ["a", "b"]}}


@each
def test_the_schema_lets_a_text_have_lines(sign):
    """`x-multiline: true` lets tab and line breaks pass in that very text, and nothing else."""
    schema = {"properties": {"motd": {"type": "string", "x-multiline": True}}}
    tags = [("config:motd", f"a{sign}b")]
    if sign in BREAKS:
        assert configured(tags=tags, schema=schema).values == {"motd": f"a{sign}b"}
    else:
        (told,) = refused(tags=tags, schema=schema)
        assert told.endswith(f"{ALL[sign]} (remove it)")


@pytest.mark.parametrize("said", ["true", 1, False, None, {}])
def test_only_true_is_true(said):
    """A slip in the schema opens nothing."""
    schema = {"properties": {"motd": {"type": "string", "x-multiline": said}}}
    assert refused(tags=[("config:motd", "a\nb")], schema=schema)


@pytest.mark.parametrize("holder", ["web", "web.hosts"])
def test_a_list_is_not_the_text_in_it(holder):
    """The keyword counts for the text beside which it is written, not for what is below."""
    schema = json.loads(json.dumps(HOSTS))
    web = schema["properties"]["web"]
    (web if holder == "web" else web["properties"]["hosts"])["x-multiline"] = True
    assert refused(tags=[("config:web.hosts", '["a\\nb"]')], schema=schema)


def test_an_item_may_have_lines():
    """The schema of an item is that of each."""
    schema = json.loads(json.dumps(HOSTS))
    schema["properties"]["web"]["properties"]["hosts"]["items"] = {"x-multiline": True}
    tags = [("config:web.hosts", '["a\\nb"]')]
    assert configured(tags=tags, schema=schema).values == {"web": {"hosts": ["a\nb"]}}


@each
def test_the_name_of_a_tag_that_is_ours_holds_none(sign):
    """A name sets a key, and stands in messages: in those it begins no line."""
    (told,) = refused(tags=[(f"config:web{sign}x", "1")])
    shown = ALL[sign].partition(" (")[2][:-1]
    assert told.startswith(f"tag config:web{shown}x values: the name of this tag may not hold")
    assert ALL[sign] in told


@each
def test_the_environment_holds_none(sign):
    """Neither a tag nor a userData names one with a control character, known or not."""
    (told,) = refused(tags=[("environment", f"a{sign}b")])
    assert told.startswith("tag environment environment: the environment in this tag may not hold")
    known = "version: 1\nenvironments: {prod: {}}\n"
    (told,) = refused(tags=[("Environment", f"a{sign}b")], image=known)
    assert ALL[sign] in told
    (told,) = refused(user_data={"environment": f"a{sign}b"})
    assert ALL[sign] in told


def test_a_mapped_tag_is_judged_as_another():
    """An existing tag that sets a value is a tag."""
    (told,) = refused(tags=[("costcenter", "4\n2")])
    assert told.startswith("tag costcenter values.billing.center: this tag may not hold")


PLACES = {
    "a value": lambda text: {"values": {"a": [{"b": text}]}},
    "an environment's value": lambda text: {"environments": {"e": {"values": {"a": text}}}},
    "a content": lambda text: {"files": [{"path": "/etc/a", "content": text}]},
    "a command": lambda text: {"handlers": {"a": ["sh", "-c", text]}},
}
KEYS = {
    "a value's": lambda key: {"values": {"a": {key: 1}}},
    "an environment's name": lambda key: {"environments": {key: {}}},
    "a handler's name": lambda key: {"handlers": {key: ["true"]}},
}


@each
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_text_of_user_data_holds_tab_and_line_breaks(place, sign):
    """They pass; every other is refused, with its place, also where JSON wrote it as an escape."""
    if sign in BREAKS or (sign == "\0" and place is PLACES["a command"]):
        sign in BREAKS and configured(user_data=place(f"a{sign}b\r\n"))
        return
    (told,) = refused(user_data=place(f"a{sign}b"))
    assert told.startswith("userData:1:")
    assert told.endswith(f"a text of userData may not hold {OTHERS[sign]} (remove it)")


@each
@pytest.mark.parametrize("place", KEYS.values(), ids=KEYS)
def test_a_key_of_user_data_holds_none(place, sign):
    """A key ends up in messages, in paths and in files, and is no text of several lines."""
    (told,) = refused(user_data=place(f"a{sign}b"))
    assert f"a key of userData may not hold {ALL[sign]} (remove it)" in told


def test_yaml_is_judged_by_what_it_says():
    """An escape, an alias and a block are the characters that they stand for."""
    text = 'version: 1\nvalues:\n  a: &a "x\\e"\n  b: *a\n  c: |\n    1\n    2\n  d: "\\L"\n'
    told = refused(user_data=text)
    assert [one.partition(":")[2].partition(":")[0] for one in told] == ["3", "3", "8"]


def test_a_character_that_is_written_raw_has_a_cure_that_works():
    """The hint names the character, and does not send a userData into the next refusal."""
    (told,) = refused(user_data="version: 1\nvalues: {a: x\x1by}\n")
    hint = 'remove it; a document of the image may hold it as an escape: "\\x1b"'
    assert told.endswith(f"the character U+001B cannot stand in a document ({hint})")
    image = "version: 1\nvalues: {a: 'x\\u2028y\u2029'}\n"
    assert 'an escape: "\\u2029"' in refused(image=image)[0]


def test_the_images_own_documents_hold_what_they_like():
    """Who can write them can write the templates, too."""
    image = 'version: 1\nvalues: {"a\\n": "\\e[1m\\x07"}\n'
    assert configured(image=image).values == {"a\n": "\x1b[1m\x07"}


def test_a_hidden_value_is_not_described():
    """Of a value that no message may repeat not even one character is told."""
    schema = {"properties": {"key": {"type": "string", "writeOnly": True}}}
    for layers in (
        {"tags": [("config:key", "hunter2\x1b")]},
        {"user_data": {"values": {"key": "hunter2\x1b"}}},
    ):
        (told,) = refused(schema=schema, **layers)
        assert "may not hold a control character (" in told
        assert "hunter2" not in told


def test_there_is_an_end_to_complaints():
    """A userData of nothing else is one error of bounded length."""
    assert len(refused(user_data={"values": {"a": ["\x0b"] * 5000}})) <= 100


INSTANCE = {
    "compute": {
        "location": "westeurope",
        "tags": "Owner:a\nb;environment:prod",
        "tagsList": [{"name": "Owner", "value": "a\nb"}, {"name": "environment", "value": "prod"}],
        "publicKeys": [{"keyData": "ssh-rsa AAAA\r\n"}],
    }
}


def printed(text):
    """What a template makes of a machine one of whose tags has a line break."""
    tags = TagNames([("Owner", "a\nb"), ("environment", "prod")])
    context = {"values": {}, "instance": INSTANCE, "tags": tags, "environment": "prod"}
    spec = FileSpec(path="/etc/a", template="a.j2")
    sources = {"a.j2": Template("a.j2", text)}
    return render([spec], context, sources, max_bytes=1000, seconds=5.0)[0].content.decode()


@pytest.mark.parametrize(
    "text",
    [
        "{{ tags.Owner }}",
        "{{ tags['owner'] }}",
        "{{ tags.get('OWNER') }}",
        "{{ tags.get('OWNER', 'x') | default('x') }}",
        "{% for name, text in tags.items() %}{{ text }}{% endfor %}",
        "{{ tags.values() | join }}",
        "{{ tags | to_json }}",
        "{{ instance.compute.tags }}",
        "{{ instance.compute.tagsList[0].value }}",
        "{% for one in instance.compute.tagsList %}{{ one.value }}{% endfor %}",
        "{{ instance.compute.tagsList | map(attribute='value') | join }}",
        "{{ instance | to_json }}",
    ],
)
def test_a_template_that_looks_at_such_a_tag_fails_at_its_line(text):
    """By whatever way it gets there."""
    with pytest.raises(RenderError) as caught:
        printed(f"\n{text}")
    (problem,) = caught.value.problems
    assert problem.where == "a.j2:2"
    assert problem.message == (
        "the tag that is read here holds a line break (\\n), and no template may print it"
    )


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("{{ tags.environment }}", "prod"),
        ("{{ 'owner' in tags }} {{ tags.nobody | default('x') }}", "true x"),
        ("{{ tags | length }}{% for name in tags %} {{ name }}{% endfor %}", "2 Owner environment"),
        ("{{ instance.compute.location }}", "westeurope"),
        ("{{ instance.compute.tagsList[1].value }}", "prod"),
        ("{{ instance.compute.publicKeys[0].keyData }}", "ssh-rsa AAAA\r\n"),
    ],
)
def test_such_a_tag_is_in_nobodys_way(text, made):
    """Somebody else's tag stops no boot, and what the platform itself wrote is as it was."""
    assert printed(text) == made


def test_a_tag_that_is_not_ours_is_no_error():
    """Only what sets a value, or picks an environment, is judged before anything is rendered."""
    try:
        configured(tags=[("Owner", "a\nb"), ("note\n", "x")])
    except BootstrapError as error:
        pytest.fail(error.message)
