"""userData uses the templates that the image offers to it, by whatever way it names them."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

from bootstrap.errors import BootstrapError
from bootstrap.image import read_image
from bootstrap.imds.instance import Instance
from bootstrap.keyvault.resolve import ResolvedSecrets
from bootstrap.settings.load import load
from bootstrap.stages import config, render

SHIPPED = "app/app.json.j2"
OWN = {
    "shop/a.j2": "a",
    "shop/wraps.j2": "{% include 'env/app.env.j2' %}",
    "env/own.j2": "{% block b %}{% endblock %}{% macro m() %}m{% endmacro %}",
    "nginx/site.conf.j2": "the image's own",
    "pick.j2": "{% include values.pick %}",
}
COMPUTE = {"vmId": "11111111-2222-3333-4444-555555555555", "name": "vm", "location": "here"}
VALUES = "values: {features: [], upstreams: {}, app: {api_key: k}, env: {}, pick: a}\n"


@pytest.fixture
def configure(tmp_path):
    """A function that gives the files of a userData on an image, by path, or raises."""

    def run(user_data, *, offered=None, allow=(), image="", shown=OWN):
        folder = tmp_path / "etc/imds-bootstrap"
        for name, text in shown.items():
            (folder / "templates" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "templates" / name).write_text(text)
        (folder / "config.d").mkdir(exist_ok=True)
        (folder / "config.d/10.yaml").write_text(f"version: 1\n{VALUES}{image}")
        said = {"allow": list(allow)} | ({} if offered is None else {"templates": offered})
        (folder / "agent.yaml").write_text(json.dumps({"user_data": said}))
        settings = load(root=str(tmp_path))
        read = read_image(
            str(tmp_path), templates=settings.templates, values_schema=settings.values_schema
        )
        text = b64encode(f"version: 1\n{user_data}".encode()).decode()
        compute = {**COMPUTE, "userData": text}
        instance = Instance.from_document({"compute": compute}, api_version="2021-02-01")
        configuration = config.resolve(instance, read, settings).require_valid()
        _, contents = render.render(configuration, instance, read, settings, ResolvedSecrets({}))
        return {one.spec.path: one.content.decode() for one in contents}

    return run


def entry(**keys):
    return f"files: [{json.dumps({'path': '/etc/x', **keys})}]\n"


def refused(configure, *layers, **more):
    """The problems of what must be refused, as `where path: message (hint)`."""
    with pytest.raises(BootstrapError) as caught:
        configure(*layers, **more)
    return "\n".join(
        f"{one.where} {one.path}: {one.message} ({one.hint})" for one in caught.value.problems
    )


def test_a_template_that_ships_is_not_offered_by_default(configure):
    """The error names the layer, the key and the cure."""
    told = refused(configure, entry(template=SHIPPED))
    assert told == (
        f"userData:2:40 files[0].template: userData may not use a template that ships, {SHIPPED}, "
        "on this image (copy it to a template folder of the image, or set user_data.templates to "
        f"[image:*, {SHIPPED}] in the image's agent.yaml)"
    )


@pytest.mark.parametrize("name", OWN)
def test_the_images_own_are_offered_by_default(configure, name):
    """So is one that has the name of one that ships, or that includes one: the image chose it."""
    values = "values: {pick: env/app.env.j2}\n"
    assert "/etc/x" in configure(values + entry(template=name))


@pytest.mark.parametrize("pattern", [SHIPPED, "app/*", "*", "app/app.jso?.j2", "[a]pp/*"])
def test_a_pattern_without_a_prefix_offers_what_ships(configure, pattern):
    """The whole name has to match; `*` stands for slashes too."""
    assert "features" in configure(entry(template=SHIPPED), offered=[pattern])["/etc/x"]


@pytest.mark.parametrize(
    "pattern", ["image:*", "image:app/*", "APP/*", "app", "/app/*", "", "app/"]
)
def test_another_pattern_does_not(configure, pattern):
    """`image:` leaves out what ships; capitals and whole names count."""
    assert "userData may not use" in refused(configure, entry(template=SHIPPED), offered=[pattern])


@pytest.mark.parametrize("offered", [[], ["shop/*"], ["image:shop/*"], ["image:SHOP/a.j2"]])
def test_an_offer_narrows_the_images_own_too(configure, offered):
    """What no pattern matches is not userData's."""
    told = refused(configure, entry(template="env/own.j2"), offered=offered)
    assert "userData may not use the image's template, env/own.j2, on this image" in told


@pytest.mark.parametrize(
    "layers",
    [
        f"environment: e\nenvironments: {{e: {{{entry(template=SHIPPED).strip()}}}}}\n",
        f"environments: {{e: {{{entry(template=SHIPPED).strip()}}}}}\n",
        f'files: [{{"path": "/etc/image", "template": "{SHIPPED}"}}]\n',
        "files:\n- path: /etc/x\n  template: &a " + SHIPPED + "\n- {path: /etc/y, template: *a}\n",
        f'files: [{{"path": "/etc/x", "template": "{SHIPPED.replace("/", chr(92) + "u002f")}"}}]\n',
    ],
    ids=["environment", "another environment", "over the image's", "alias", "escape"],
)
def test_no_way_round_reaches_what_is_not_offered(configure, layers):
    """An environment, an entry of the image, an alias, an escape: it is the value that counts."""
    image = "files: [{path: /etc/image, template: shop/a.j2}]\nenvironments: {e: {}}\n"
    told = refused(configure, layers, image=image)
    assert "userData may not use a template that ships" in told
    assert told.startswith("userData:")


def test_the_images_own_documents_use_what_they_like(configure):
    """Neither an entry of the image nor its content is held to what userData may use."""
    image = (
        f"files: [{{path: /etc/a, template: {SHIPPED}}}, "
        "{path: /etc/b, content: \"{% include 'env/app.env.j2' %}\"}]\n"
    )
    made = configure("", image=image, offered=[])
    assert "DEPLOYMENT" in made["/etc/b"]
    assert "features" in made["/etc/a"]


CONTENTS = {
    "include": "{% include 'app/app.json.j2' %}",
    "include if there": "{% include 'app/app.json.j2' ignore missing %}",
    "include the first": "{% include ['nothing', 'app/app.json.j2'] %}",
    "include another first": "{% include ['app/app.json.j2', 'shop/a.j2'] ignore missing %}",
    "extends": "{% extends 'app/app.json.j2' %}",
    "import": "{% import 'app/app.json.j2' as a %}{{ a }}",
    "from": "{% from 'app/app.json.j2' import a %}",
    "computed": "{% include 'app/' ~ 'app.json.j2' %}",
    "by a value": "{% include values.pick %}",
    "in a macro": "{% macro m() %}{% include 'app/app.json.j2' %}{% endmacro %}{{ m() }}",
    "in a block": (
        "{% extends 'env/own.j2' %}{% block b %}{% include 'app/app.json.j2' %}{% endblock %}"
    ),
    "with context": "{% from 'app/app.json.j2' import a with context %}",
    "another content": "{% include 'content of /etc/image' %}",
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_a_content_of_user_data_reaches_no_further(configure, content):
    """What userData may not name as a template, its content may not include, extend or import."""
    image = "files: [{path: /etc/image, content: mine}]\n"
    user_data = f"values: {{pick: {SHIPPED}}}\n{entry(content=content)}"
    told = refused(configure, user_data, allow=["content"], image=image)
    assert "userData may not include" in told or "the content of a file is no template" in told
    assert "userData:3:9 content:1 /etc/x" in told


@pytest.mark.parametrize(
    "content",
    [
        "{% include 'shop/wraps.j2' %}",
        "{% extends 'env/own.j2' %}{% block b %}DEPLOYMENT{% endblock %}",
        "{% from 'env/own.j2' import m %}DEPLOYMENT{{ m() }}",
    ],
)
def test_a_content_of_user_data_includes_what_is_offered(configure, content):
    """What a template of the image includes in turn is the image's choice."""
    assert "DEPLOYMENT" in configure(entry(content=content), allow=["content"])["/etc/x"]


def test_no_template_prints_the_content_of_a_file(configure):
    """A value that names a template names none that another layer brought along."""
    user_data = (
        'values: {pick: "content of /etc/y"}\n'
        'files: [{path: /etc/y, content: "{{ 6 * 7 }}"}, {path: /etc/x, template: pick.j2}]\n'
    )
    told = refused(configure, user_data, allow=["content"])
    assert "the content of a file is no template" in told


def test_an_unknown_template_is_told_once(configure):
    """A slip of the pen is none of trust."""
    told = refused(configure, entry(template="shop/b.j2"))
    assert told.count("shop/b.j2") == 1
    assert "there is no template `shop/b.j2`" in told
    assert "did you mean shop/a.j2?" in told
