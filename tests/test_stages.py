"""From an instance and an image to the contents of files: what counts, is masked, or fails."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

from bootstrap.config.masking import mask_values
from bootstrap.errors import ImageError, InvalidDocument, MissingInput, RenderError
from bootstrap.frozen import replace
from bootstrap.image import Image, parse_schema
from bootstrap.imds.instance import Instance
from bootstrap.keyvault.resolve import ResolvedSecrets
from bootstrap.render.contents import render_files, template_context
from bootstrap.secret import Secret
from bootstrap.settings import (
    RenderSettings,
    Settings,
    TagSettings,
    UserDataSettings,
    VaultSettings,
)
from bootstrap.stages import config, render
from bootstrap.state import fingerprint as fingerprints
from bootstrap.state.fingerprint import fingerprint

VM_ID = "0f9e8d7c-6b5a-4938-8271-605f4e3d2c1b"
SCHEMA = {"properties": {"db": {"properties": {"password": {"writeOnly": True}}}}}
DOCUMENT = """\
version: 1
values: {db: {user: shop, password: hunter2}, port: 80}
secrets: {api: {vault: contoso, name: api}}
files:
  - {path: /etc/plain, content: "{{ values.port }} {{ instance.compute.name }} {{ tags.role }}"}
  - {path: /etc/password, content: "{{ values.db.password }}"}
"""


def instance_of(user_data="", tags=(("role", "web"),), cloud="AzurePublicCloud", **more):
    compute = {
        "vmId": VM_ID,
        "name": "web-1",
        "location": "westeurope",
        "azEnvironment": cloud,
        "userData": b64encode(user_data.encode()).decode(),
        "tagsList": [{"name": name, "value": value} for name, value in tags],
    }
    return Instance.from_document({"compute": compute | more}, "2023-07-01")


def image_of(document=DOCUMENT, *, schema=SCHEMA, templates=None, digest="d", **documents):
    texts = {"10.yaml": document, **documents}
    return Image(
        documents=tuple((f"image config.d/{name}", text.encode()) for name, text in texts.items()),
        templates={name: (f"/t/{name}", text.encode()) for name, text in (templates or {}).items()},
        values_schema=None if schema is None else ("schema.json", json.dumps(schema).encode()),
        digest=digest,
    )


def only(content, **more):
    """A document with one file of that content."""
    lines = {"version": 1, "files": [{"path": "/etc/a", "content": content}], **more}
    return image_of(json.dumps(lines))


def rendered(image, instance=None, settings=None, disclosed=None):
    """The files by path: their content, and whether it is secret."""
    instance, settings = instance or instance_of(), settings or Settings()
    configuration = decide(instance, image, settings)
    made = render_files(configuration, instance, image, settings, disclosed)
    return {one.spec.path: (one.content.decode(), one.secret) for one in made}


def disclosing(**secrets):
    """What discloses these secrets, and notes what it was asked for."""
    asked = []

    def disclose(configuration):
        asked.append(configuration)
        found = {("secrets", name): Secret(value) for name, value in secrets.items()}
        versions = dict.fromkeys(found, "1")
        return ResolvedSecrets(found, versions, ("a note of the vault",))

    return disclose, asked


def never(*_):
    raise AssertionError("nobody asked for this")


def decide(instance, image, settings):
    """The configuration of the layers; raises what is wrong with it."""
    return config.resolve(instance, image, settings).require_valid()


def decide_and_render(instance, image, settings, fetch):
    """The stages from config to render, with these secrets."""
    resolution = config.resolve(instance, image, settings)
    configuration = config.validate(resolution, instance, image, settings)
    return render.render(configuration, instance, image, settings, fetch(configuration))


BASE = {"instance": instance_of(), "image": image_of(), "settings": Settings(digest="s")}


@pytest.mark.parametrize(
    "changed",
    [
        {"instance": instance_of(name="web-2")},
        {"instance": instance_of("version: 1\n")},
        {"instance": instance_of(tags=(("role", "db"),))},
        {"instance": instance_of(more={"a": [1]})},
        {"image": image_of(digest="e")},
        {"settings": Settings(digest="t")},
    ],
    ids=range(6),
)
def test_whatever_goes_in_changes_the_fingerprint(changed):
    """An equal fingerprint means that nothing can differ."""
    assert fingerprint(**BASE) == fingerprint(**BASE)
    assert fingerprint(**BASE) != fingerprint(**{**BASE, **changed})


def test_another_version_of_the_program_has_another_fingerprint(monkeypatch):
    """What was rendered by another program may be rendered otherwise by this one."""
    before = fingerprint(**BASE)
    monkeypatch.setattr(fingerprints, "__version__", "999")
    assert fingerprint(**BASE) != before


def test_the_order_of_lists_and_keys_does_not_count():
    """IMDS promises neither, at any depth."""
    one = instance_of(disks=[{"lun": [1, 2], "a": 2}, {"lun": [3], "a": 1}], x=1)
    two = instance_of(x=1, disks=[{"a": 1, "lun": [3]}, {"a": 2, "lun": [2, 1]}])
    other = instance_of(disks=[{"lun": [1, 3], "a": 2}, {"lun": [2], "a": 1}], x=1)
    assert fingerprint(**BASE | {"instance": one}) == fingerprint(**BASE | {"instance": two})
    assert fingerprint(**BASE | {"instance": one}) != fingerprint(**BASE | {"instance": other})


def test_a_fingerprint_says_nothing_of_what_it_is_made_from():
    """It is a digest of 64 hexadecimal digits, and it can be kept where everybody reads."""
    mark = fingerprint(**BASE)
    assert len(mark) == 64
    assert set(mark) <= set("0123456789abcdef")


def test_every_layer_has_its_say():
    """Image, environment, userData and tags, each over the one before, within the settings."""
    text = "version: 1\nvalues: {a: 1, b: 1, c: 1, d: 1}\nenvironments: {prod: {values: {b: 2}}}\n"
    user_data = "version: 1\nenvironment: prod\nvalues: {c: 3}\n"
    instance = instance_of(user_data, tags=(("cfg:d", "4"),))
    settings = Settings(tags=TagSettings(prefix="cfg:"))
    values = decide(instance, image_of(text, schema=None), settings).values
    assert values == {"a": 1, "b": 2, "c": 3, "d": "4"}


def test_an_instance_that_is_too_old_has_neither_userdata_nor_tags():
    """What its api-version cannot say counts as nothing said."""
    old = replace(instance_of(), user_data=None, tags=None)
    assert decide(old, image_of(), Settings()).values["port"] == 80
    assert rendered(only("{{ tags | length }}"), old) == {"/etc/a": ("0", False)}


def test_the_settings_limit_each_layer():
    """What userData must bring, what it may say and which vaults may be named."""
    with pytest.raises(MissingInput):
        decide(instance_of(), image_of(), Settings(user_data=UserDataSettings(required=True)))
    foreign = instance_of("version: 1\nfiles: [{path: /usr/x, template: a}]\n")
    with pytest.raises(InvalidDocument, match="userData"):
        decide(foreign, image_of(), Settings())
    far = "version: 1\nsecrets: {a: {vault: other.vault.azure.cn, name: a}}\n"
    for settings in (Settings(), Settings(vaults=VaultSettings(allow=("third",)))):
        with pytest.raises(InvalidDocument):
            decide(instance_of(), image_of(far), settings)
    allowing = Settings(vaults=VaultSettings(allow=("other.vault.azure.cn",)))
    assert "a" in decide(instance_of(), image_of(far), allowing).secrets


def test_the_cloud_says_whose_vaults_are_its_own():
    """China's vaults are China's; a cloud that nobody knows has those of the settings only."""
    text = "version: 1\nsecrets: {a: {vault: shop.vault.azure.cn, name: a}}\n"
    assert decide(instance_of(cloud="AzureChinaCloud"), image_of(text), Settings()).secrets
    for cloud in ("AzurePublicCloud", "Unheard"):
        with pytest.raises(InvalidDocument, match="not valid"):
            decide(instance_of(cloud=cloud), image_of(text), Settings())
    named = Settings(vaults=VaultSettings(allow=("shop.vault.azure.cn",)))
    assert decide(instance_of(cloud="Unheard"), image_of(text), named).secrets


def test_the_images_schema_types_and_checks():
    """With a schema a tag has its type; without one it is text; one that is none is the image's."""
    instance = instance_of(tags=(("config:port", "81"),))
    typed = {"properties": {"port": {"type": "integer"}}}
    assert decide(instance, image_of(schema=typed), Settings()).values["port"] == 81
    assert decide(instance, image_of(schema=None), Settings()).values["port"] == "81"
    broken = replace(image_of(), values_schema=("schema.json", b"{a: ["))
    with pytest.raises(ImageError, match="schema for values cannot be read") as caught:
        decide(instance, broken, Settings())
    assert caught.value.problems[0].where == "schema.json:2:1"


def test_a_schema_is_json_or_yaml():
    """Either is read, with its name for messages; bytes that are no text are an image's mistake."""
    assert parse_schema("s", b'{"type": "object"}').data == {"type": "object"}
    assert parse_schema("s", b"type: object\n").data == {"type": "object"}
    with pytest.raises(ImageError):
        parse_schema("s", b"\xff")
    with pytest.raises(ImageError) as caught:
        parse_schema("s", b"{a: 1, a: 2}")
    assert caught.value.problems[0].where == "s:1:8"
    assert caught.value.__cause__ is None


def test_documents_apply_in_order():
    """The image's documents lie over each other as they come."""
    image = image_of(
        "version: 1\nvalues: {a: 1, b: 1}\n", **{"20.yaml": "version: 1\nvalues: {b: 2}"}
    )
    assert decide(instance_of(), image, Settings()).values == {"a": 1, "b": 2}
    broken = replace(image, documents=(("image config.d/10.yaml", b"\xff"),))
    with pytest.raises(ImageError):
        decide(instance_of(), broken, Settings())


def test_a_template_sees_the_machine_but_no_more():
    """Values, the whole instance, its tags by name, and the environment."""
    instance = instance_of()
    configuration = decide(instance, image_of(), Settings())
    context = template_context(configuration, instance)
    assert set(context) == {"values", "instance", "tags", "environment"}
    assert context["values"] == configuration.values
    assert context["instance"] == instance.raw
    assert context["tags"]["ROLE"] == "web"
    assert context["environment"] == configuration.environment


def test_a_file_is_secret_when_its_content_depends_on_one():
    """What a hidden value shows in is known by rendering once more without it."""
    assert rendered(image_of()) == {
        "/etc/plain": ("80 web-1 web", False),
        "/etc/password": ("hunter2", True),
    }


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        ("{{ values.db.user }}", False),
        ("{{ values.db.password }}", True),
        ("{{ values.db.password | length }}", True),
        ("{{ 'a' if values.db.password == 'hunter2' else 'b' }}", True),
        ("{{ 'a' if values.db.password else 'b' }}", False),
        ("{{ values.db | to_json }}", True),
        ("{{ (values.db.password ~ '1') | regex_replace('[0-9]', '') }}", True),
        ("{{ '%d' % (values.db.password | length) }}", True),
    ],
)
def test_how_a_file_depends_on_a_hidden_value(content, secret):
    """In whole, in part, by a condition or by its length: all of it counts."""
    image = only(content, values={"db": {"user": "shop", "password": "hunter2"}})
    assert rendered(image)["/etc/a"][1] is secret


def test_a_file_that_no_mask_fits_is_secret():
    """What cannot be made of a mask needs the value; the files beside it are looked at by name."""
    files = [
        {"path": "/etc/a", "content": "{{ (values.db.password | from_json).user }}"},
        {"path": "/etc/b", "content": "{{ values.db.user }}"},
        {"path": "/etc/c", "content": "{{ values.db.password }}"},
    ]
    values = {"db": {"user": "shop", "password": '{"user": "x"}'}}
    image = image_of(json.dumps({"version": 1, "values": values, "files": files}))
    assert rendered(image) == {
        "/etc/a": ("x", True),
        "/etc/b": ("shop", False),
        "/etc/c": ('{"user": "x"}', True),
    }


def test_one_file_beside_another_that_no_mask_fits_is_looked_at():
    """Of two files too, each is looked at by itself."""
    files = [
        {"path": "/etc/a", "content": "{{ (values.db.password | from_json).user }}"},
        {"path": "/etc/b", "content": "{{ values.db.user }}"},
    ]
    values = {"db": {"user": "shop", "password": '{"user": "x"}'}}
    image = image_of(json.dumps({"version": 1, "values": values, "files": files}))
    assert rendered(image) == {"/etc/a": ("x", True), "/etc/b": ("shop", False)}


def test_an_empty_text_is_no_secret():
    """A key that is not set yet makes no file a secret one."""
    image = only("[{{ values.db.password }}]", values={"db": {"password": ""}})
    assert rendered(image) == {"/etc/a": ("[]", False)}


def test_without_hidden_values_no_file_is_secret():
    """Nothing is rendered a second time where there is nothing to hide."""
    assert rendered(image_of(schema=None))["/etc/password"] == ("hunter2", False)


def test_a_secret_makes_its_file_a_secret_one():
    """A file that prints what was fetched is secret, whatever else is hidden."""
    image = only("{{ secrets.api }}", secrets={"api": {"vault": "contoso", "name": "api"}})
    told = ResolvedSecrets({("secrets", "api"): Secret("s3cret")})
    assert rendered(image, disclosed=told) == {"/etc/a": ("s3cret", True)}
    assert rendered(image) == {"/etc/a": ("***", True)}
    secrets = {"api": {"vault": "contoso", "name": "api"}}
    hiding = only("{{ secrets.api }}", secrets=secrets, values={"db": {"password": "hunter2"}})
    assert rendered(hiding, disclosed=told) == {"/etc/a": ("s3cret", True)}


def test_a_value_that_is_a_reference_is_filled_in():
    """The secret is where the reference was, and its file is secret."""
    reference = "@Microsoft.KeyVault(VaultName=contoso;SecretName=db)"
    image = only("{{ values.key }}", values={"key": reference})
    told = ResolvedSecrets({("values", "key"): Secret("s3cret")})
    assert rendered(image, disclosed=told) == {"/etc/a": ("s3cret", True)}
    assert rendered(image)["/etc/a"][0] == "***"


def test_masking_leaves_out_a_file_that_cannot_be_made_of_masks():
    """Without the secrets such a file is not there; with them it has to be right."""
    text = "{% set a, b = secrets.api.split(':') %}{{ a }}"
    image = only(text, secrets={"api": {"vault": "contoso", "name": "api"}})
    assert rendered(image) == {}
    told = ResolvedSecrets({("secrets", "api"): Secret("a:b")})
    assert rendered(image, disclosed=told) == {"/etc/a": ("a", True)}
    with pytest.raises(RenderError):
        rendered(image, disclosed=ResolvedSecrets({("secrets", "api"): Secret("a")}))


def test_hidden_values_are_masked():
    """Every hidden value, with all that is in it; the configuration itself keeps them."""
    text = "version: 1\nvalues: {db: {user: shop, password: {a: [1]}}, empty: '', list: [a, b]}\n"
    schema = {
        "properties": {
            **SCHEMA["properties"],
            "empty": {"x-secret": True},
            "list": {"items": {"format": "password"}},
        }
    }
    configuration = decide(instance_of(), image_of(text, schema=schema), Settings())
    whole = {"db": {"user": "shop", "password": "***"}, "empty": "***", "list": ["***", "***"]}
    assert mask_values(configuration).values == whole
    assert mask_values(configuration, also_empty=False).values == {**whole, "empty": ""}
    assert configuration.values["db"]["password"] == {"a": [1]}
    assert mask_values(configuration).hidden == configuration.hidden


def test_the_images_templates_come_before_those_that_ship():
    """By name: what the image has of a name is what that name means."""
    text = "version: 1\nvalues: {env: {A: b}}\nfiles: [{path: /etc/a, template: env/app.env.j2}]\n"
    shipped = rendered(image_of(text, schema=None))["/etc/a"][0]
    assert "A=" in shipped
    mine = image_of(text, schema=None, templates={"env/app.env.j2": "mine"})
    assert rendered(mine) == {"/etc/a": ("mine", False)}


def test_a_template_that_is_no_text_is_the_images_mistake():
    """The file that is meant is named."""
    image = image_of("version: 1\nfiles: [{path: /etc/a, template: a.j2}]\n")
    broken = replace(image, templates={"a.j2": ("/t/a.j2", b"a\n\xff")})
    with pytest.raises(ImageError) as caught:
        rendered(broken)
    assert caught.value.problems[0].where == "/t/a.j2:2"


def test_the_settings_limit_what_is_rendered():
    """The size of a file and the time for all of them."""
    image = only("{{ 'x' * 11 }}")
    assert rendered(image, settings=Settings(render=RenderSettings(max_bytes=11)))
    with pytest.raises(RenderError):
        rendered(image, settings=Settings(render=RenderSettings(max_bytes=10)))
    endless = only("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}")
    with pytest.raises(RenderError) as caught:
        rendered(endless, settings=Settings(render=RenderSettings(timeout=0.1)))
    assert "0.1 seconds" in caught.value.problems[0].message


def test_a_missing_template_is_looked_for_where_the_settings_say():
    """The folders are those of the settings."""
    image = image_of("version: 1\nfiles: [{path: /etc/a, template: none.j2}]\n")
    with pytest.raises(RenderError) as caught:
        rendered(image, settings=Settings(templates=("/opt/shop/templates",)))
    assert "/opt/shop/templates" in str(caught.value.as_dict())


def test_a_sound_configuration_is_rendered_with_its_secrets():
    """Secrets are fetched once, for the sound configuration; credentials come after the files."""
    secrets = {
        "api": {"vault": "contoso", "name": "api"},
        "plain": {"vault": "contoso", "name": "p", "credential": "plain"},
        "sealed": {"vault": "contoso", "name": "q", "credential": "sealed"},
    }
    image = only("{{ secrets.api }}", secrets=secrets)
    disclose, asked = disclosing(api="one", plain="two", sealed="three")
    configuration, contents = decide_and_render(
        instance_of("#cloud-config\n"),
        image,
        Settings(),
        disclose,
    )
    assert [(one.spec.path, one.content, one.secret, one.source) for one in contents] == [
        ("/etc/a", b"one", True, ""),
        ("/run/credstore/plain", b"two", True, ""),
        ("/etc/credstore.encrypted/sealed", b"three", True, "contoso/q/1 (value, text)"),
    ]
    (sound,) = asked
    assert sound.secrets.keys() == secrets.keys()
    assert configuration.notes == (
        "userData holds cloud-init configuration: left alone",
        "a note of the vault",
    )


def test_a_configuration_without_files_says_so():
    """Who has asked for nothing is told where it is looked for."""
    disclose, _ = disclosing()
    configuration, contents = decide_and_render(
        instance_of(), image_of("version: 1\n"), Settings(), disclose
    )
    assert contents == ()
    (note,) = configuration.notes[1:]
    assert note == (
        "no file is asked for: neither documents in /etc/imds-bootstrap/config.d nor userData "
        "name one"
    )


def test_mistakes_of_documents_and_templates_come_in_one_error():
    """Nobody has to mend one mistake to be told of the next; nobody is asked for a secret."""
    handlers = {
        "version": 1,
        "files": [{"path": "/etc/a", "content": "{{ nope }}", "notify": ["h"]}],
    }
    with pytest.raises(InvalidDocument) as caught:
        decide_and_render(instance_of(), image_of(json.dumps(handlers)), Settings(), never)
    assert "no layer has a handler 'h'" in caught.value.problems[0].message
    assert "`nope` is not defined" in caught.value.problems[1].message
    assert caught.value.message == (
        "image config.d/10.yaml is not valid, and the templates do not fit the values"
    )
    assert caught.value.__cause__ is None


def test_a_mistake_of_a_document_alone_is_told_alone():
    """Templates that are sound add nothing to it."""
    handlers = {"version": 1, "files": [{"path": "/etc/a", "content": "a", "notify": ["h"]}]}
    with pytest.raises(InvalidDocument) as caught:
        decide_and_render(instance_of(), image_of(json.dumps(handlers)), Settings(), never)
    assert len(caught.value.problems) == 1
    assert caught.value.message == "image config.d/10.yaml is not valid"


def test_values_in_doubt_are_not_rendered():
    """Where the values themselves are wrong, no template complains of what follows from it."""
    text = 'version: 1\nvalues: [1]\nfiles: [{path: /etc/a, content: "{{ values.port }}"}]\n'
    with pytest.raises(InvalidDocument) as caught:
        decide_and_render(instance_of(), image_of(text), Settings(), never)
    assert len(caught.value.problems) == 1


def test_a_mistake_of_a_template_alone_is_the_templates():
    """A sound configuration is disclosed first; what does not fit then is told as it is."""
    disclose, asked = disclosing()
    with pytest.raises(RenderError) as caught:
        decide_and_render(instance_of(), only("{{ nope }}"), Settings(), disclose)
    assert len(caught.value.problems) == 1
    assert len(asked) == 1
