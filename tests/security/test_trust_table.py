"""userData says what the trust table lists, and nothing else: not by merging, nor by removing."""

from __future__ import annotations

import copy
import json
import re
from base64 import b64encode
from pathlib import Path

import pytest
import yaml

from bootstrap import resources
from bootstrap.config import documents, layers
from bootstrap.config.keyvault_references import VaultRules
from bootstrap.config.model import FileSpec
from bootstrap.config.policy_table import USER_DATA
from bootstrap.config.resolve import resolve, validate
from bootstrap.config.schema.lookup import Shape
from bootstrap.config.template_policy import TemplateOffer
from bootstrap.errors import InvalidDocument, WriteError
from bootstrap.image import Image
from bootstrap.imds.instance import Instance
from bootstrap.keyvault.resolve import masked_secrets
from bootstrap.settings import Settings, TagSettings, UserDataSettings
from bootstrap.stages import config, render

VM_ID = "02aab8a4-74ef-476e-8182-f6d2ba4166a6"
ALL = UserDataSettings(allow=("content", "check", "handlers"), paths=("/",))
IMAGE = """\
version: 1
files:
  - {path: /etc/shop/x, template: a.j2, mode: "0640", owner: root, notify: [shopd]}
  - {path: /etc/shop/plain, template: a.j2}
  - {path: 'C:\\Shop\\x.ini', template: a.j2, acl: ["Users:R"]}
handlers: {shopd: ["true"]}
environments:
  prod: {files: [{path: /etc/shop/prod, template: a.j2, mode: "0600"}]}
"""
# One value of each key of an entry that is its own file; of a later key, whatever it may be.
SAMPLES = {
    "template": "b.j2",
    "content": "x",
    "mode": "0640",
    "owner": "shop",
    "group": "shop",
    "newline": "lf",
    "check": ["true"],
    "notify": ["shopd"],
    "when": "once",
    "symlink": "follow",
    "in_place": True,
    "backup": True,
}


@pytest.fixture(scope="module")
def schema():
    return json.loads(resources.read("schema/document.schema.json"))


def problems(user_data, schema, *, rules=ALL, image=IMAGE):
    """What is wrong with a userData over the image."""
    text = user_data if isinstance(user_data, str) else yaml.safe_dump(user_data)
    resolution = resolve(
        documents=[("image config.d/10.yaml", image)],
        user_data=b64encode(text.encode()).decode(),
        tags=(),
        user_data_trust=rules,
        tag_rules=TagSettings(),
        document_schema=schema,
        values_schema=None,
        templates=TemplateOffer(patterns=("*",), own=None, shipped=frozenset()),
    )
    found = resolution.error.problems if resolution.error else ()
    return [(one.path, one.message) for one in found]


def files(*entries, environment=""):
    inner = {"files": list(entries)}
    if not environment:
        return {"version": 1, **inner}
    return {"version": 1, "environment": environment, "environments": {environment: inner}}


def test_every_key_of_a_document_is_decided(schema):
    """A key that the schema learns is listed on purpose; until then userData may not say it."""
    secret = schema["$defs"]["secrets"]["additionalProperties"]
    parts = {
        "document": schema,
        "environment": schema["$defs"]["environment"],
        "file": schema["$defs"]["file"],
        "secret": secret,
    }
    assert parts.keys() == USER_DATA.keys()
    for kind, part in parts.items():
        known = {*part["properties"], *part.get("patternProperties", ())}
        undecided = known - USER_DATA[kind].keys()
        assert not undecided, (
            f"decide in config/trust_table.py what userData may do with them: {kind}"
        )


def test_the_page_lists_what_the_table_gives(schema):
    """The row of a userData's own files in docs/documents.md is the table's."""
    page = (Path(__file__).parents[2] / "docs/documents.md").read_text()
    (row,) = re.findall(r"^\| its own files: (.*?) \|", page, re.MULTILINE)
    given = {key for key, says in USER_DATA["file"].items() if says in {"yes", "own", "bits"}}
    assert (
        set(re.findall(r"`([^`]+)`", row)) == given & schema["$defs"]["file"]["properties"].keys()
    )


@pytest.mark.parametrize("place", ["document", "environment", "file", "secret"])
def test_a_key_that_comes_later_is_refused(schema, place):
    """What the table does not list is no word of userData's, wherever the schema takes it."""
    schema = copy.deepcopy(schema)
    secret = {"vault": "contoso-prod", "name": "x"}
    document = {
        "version": 1,
        "secrets": {"s": secret},
        **files({"path": "/etc/y", "template": "a"}),
    }
    document["environments"] = {"prod": {"values": {}}}
    said, rules = {
        "document": (document, schema),
        "environment": (document["environments"]["prod"], schema["$defs"]["environment"]),
        "file": (document["files"][0], schema["$defs"]["file"]),
        "secret": (secret, schema["$defs"]["secrets"]["additionalProperties"]),
    }[place]
    said["novelty"] = 1
    rules["properties"]["novelty"] = {}
    (problem,) = validate(yaml.safe_dump(document), "u", document_schema=schema, trust=ALL)
    assert problem.path.endswith("novelty")
    assert "userData may not bring `novelty`" in problem.message


def test_a_null_takes_nothing_away(schema):
    """Where the schema takes null for a removal, userData still removes nothing of the image's."""
    schema = copy.deepcopy(schema)
    schema["$defs"]["file"]["properties"]["mode"] = {}
    schema["$defs"]["handlers"]["additionalProperties"] = {}
    schema["properties"]["handlers"] = schema["properties"]["files"] = {}
    for document in (
        files({"path": "/etc/shop/x", "mode": None}),
        {"version": 1, "handlers": {"shopd": None}},
        {"version": 1, "handlers": None},
        {"version": 1, "files": None},
    ):
        read = documents.read(
            yaml.safe_dump(document), "u", "userData", rules=schema, shape=Shape({})
        )
        (problem,) = layers.check_layers(read, ALL, VaultRules())
        assert "may not take away" in problem.message


@pytest.mark.parametrize("environment", ["", "prod", "new"])
@pytest.mark.parametrize("key", [key for key in USER_DATA["file"] if key != "path"])
def test_a_file_of_the_image_stays_the_images(schema, key, environment):
    """Its mode is all that userData may change, however much its settings allow elsewhere."""
    document = files({"path": "/etc/shop/x", key: SAMPLES.get(key)}, environment=environment)
    found = problems(document, schema)
    if key == "mode":
        assert found == []
    else:
        assert any(path.endswith(f"files[0].{key}") for path, _ in found)


@pytest.mark.parametrize(
    ("path", "mode", "fits"),
    [
        ("/etc/shop/x", "0640", True),
        ("/etc/shop/x", "0600", True),
        ("/etc/shop/x", "0000", True),
        ("/etc/shop/x", "0644", False),
        ("/etc/shop/x", "0660", False),
        ("/etc/shop/x", "0700", False),
        ("/etc/shop/x", "4640", False),
        ("/etc/shop/plain", "0600", True),
        ("/etc/shop/plain", "0644", True),
        ("/etc/shop/plain", "0666", False),
        ("/etc/shop/prod", "0640", False),
        ("/etc/shop/prod", "0400", True),
    ],
)
@pytest.mark.parametrize("by_environment", [False, True])
def test_a_mode_of_the_image_only_loses_bits(schema, path, mode, fits, by_environment):
    """A userData closes a file of the image further; it opens none."""
    document = files({"path": path, "mode": mode}, environment="prod" if by_environment else "") | {
        "environment": "prod"
    }
    assert (problems(document, schema) == []) is fits


def test_two_words_of_user_data_are_each_held_to_the_image(schema):
    """An environment of userData takes bits away; its own entry adds none."""
    document = files({"path": "/etc/shop/x", "mode": "0600"}, environment="prod")
    assert problems(document | files({"path": "/etc/shop/x", "mode": "0640"}), schema) == []
    assert problems(document | files({"path": "/etc/shop/x", "mode": "0644"}), schema) != []


@pytest.mark.parametrize("path", ["c:/shop/X.INI", "C:\\SHOP\\x.ini"])
def test_another_spelling_is_the_same_file(schema, path):
    """On Windows capitals and slashes do not make a file of the image userData's own."""
    ((where, message),) = problems(files({"path": path, "acl": ["Everyone:F"]}), schema)
    assert where == "files[0].acl"
    assert "may not change `acl` of a file of the image" in message


@pytest.mark.parametrize(
    "path", ["/etc//shop/x", "/etc/shop/./x", "/etc/shop/y/../x", "/etc/shop/x/"]
)
def test_a_path_has_one_spelling(schema, path):
    """No second spelling of a path gets past the merging."""
    assert problems(files({"path": path, "template": "a.j2"}), schema) != []


def test_a_link_is_no_way_to_a_file_of_the_image(tmp_path):
    """Two entries that lead to one place are an error, whoever wrote them."""
    from bootstrap.apply.plan.plan import plan
    from bootstrap.render.rendered import Rendered

    (tmp_path / "etc/shop").mkdir(parents=True)
    (tmp_path / "srv").symlink_to("etc/shop")
    wanted = [
        Rendered(spec=FileSpec(path="/etc/shop/x", content=""), content=b"a", secret=False),
        Rendered(
            spec=FileSpec(path="/srv/x", content="", within=("/srv",), layer="userData"),
            content=b"b",
            secret=False,
        ),
    ]
    with pytest.raises(WriteError, match="same file as /etc/shop/x"):
        plan(wanted, root=str(tmp_path))


@pytest.mark.parametrize("key", [key for key, rule in USER_DATA["file"].items() if rule == "no"])
def test_what_the_table_denies_is_refused_in_its_own_files(schema, key):
    """No setting lets userData follow links, write over mounts or leave copies."""
    entry = {"path": "/etc/own", "template": "a.j2", key: SAMPLES[key]}
    assert [path for path, _ in problems(files(entry), schema)] == [f"files[0].{key}"]


@pytest.mark.parametrize("key", ["content", "check"])
def test_text_and_commands_need_the_settings(schema, key):
    """An inline template and a check are for userData only where the image allows them."""
    entry = {"path": "/etc/own", key: SAMPLES[key]} | ({"template": "a"} if key == "check" else {})
    assert problems(files(entry), schema) == []
    default = UserDataSettings()
    assert [path for path, _ in problems(files(entry), schema, rules=default)] == [
        f"files[0].{key}"
    ]
    found = problems({"version": 1, "handlers": {"h": ["sh"]}}, schema, rules=default)
    assert [path for path, _ in found] == ["handlers"]


@pytest.mark.parametrize("mode", ["4755", "2755", "1777", "6755", "04755", "7000"])
@pytest.mark.parametrize("environment", ["", "prod"])
def test_user_data_sets_no_special_bit(schema, mode, environment):
    """No file of userData runs as its owner or its group."""
    entry = {"path": "/opt/own", "template": "a.j2", "mode": mode}
    found = problems(files(entry, environment=environment), schema)
    assert ["set-user-ID" in message for _, message in found] == [True]


def test_its_own_files_are_as_they_were(schema):
    """A file of its own has a template, an owner, a mode and the handlers of the image."""
    entry = {
        "path": "/etc/own",
        "template": "a.j2",
        "owner": "shop",
        "group": "shop",
        "mode": "0640",
        "newline": "lf",
        "when": "once",
        "notify": ["shopd"],
    }
    assert problems(files(entry), schema, rules=UserDataSettings()) == []


def decided(user_data="", image="version: 1\n"):
    """The configuration of layers whose secrets are masks, and its files."""
    instance = Instance.from_document(
        {
            "compute": {
                "vmId": VM_ID,
                "azEnvironment": "AzurePublicCloud",
                "userData": b64encode(user_data.encode()).decode(),
                "tagsList": [],
            }
        },
        api_version="saved",
    )
    template = "{{ secrets.db }}{{ values.open }}"
    given = Image(
        documents=(("image config.d/10.yaml", image.encode()),),
        templates={"db.j2": ("db.j2", template.encode()), "a.j2": ("a.j2", b"plain")},
        values_schema=None,
        digest="",
    )
    rules = UserDataSettings(paths=("/etc", "C:\\Shop"))
    settings = Settings(user_data=rules)
    configuration = config.resolve(instance, given, settings).require_valid()
    return render.render(configuration, instance, given, settings, masked_secrets(configuration))


SECRETS = "version: 1\nvalues: {open: yes please}\nsecrets: {db: {vault: contoso, name: db}}\n"


@pytest.mark.parametrize("mode", ["0640", "0604", "0660", "0610"])
@pytest.mark.parametrize("environment", [False, True])
def test_user_data_opens_no_secret(mode, environment):
    """A file of userData that holds a secret is its owner's alone, by whatever template."""
    entry = f'{{path: /etc/db, template: db.j2, mode: "{mode}"}}'
    said = f"environment: a\nenvironments: {{a: {{files: [{entry}]}}}}\n"
    said = said if environment else f"files: [{entry}]\n"
    with pytest.raises(InvalidDocument) as caught:
        decided(f"version: 1\n{said}", SECRETS)
    (problem,) = caught.value.problems
    assert problem.path == "/etc/db"
    assert problem.where.startswith("userData:")
    assert f"mode {mode} lets more than its owner read it" in problem.message


def test_user_data_opens_no_secret_of_the_image():
    """Where the image says no mode, a file with a secret stays 0600 for userData."""
    image = f"{SECRETS}files: [{{path: /etc/db, template: db.j2}}]\n"
    with pytest.raises(InvalidDocument, match="opens files that hold a secret"):
        decided('version: 1\nfiles: [{path: /etc/db, mode: "0640"}]\n', image)
    _, (file,) = decided('version: 1\nfiles: [{path: /etc/db, mode: "0400"}]\n', image)
    assert file.mode == 0o400


@pytest.mark.parametrize("path", ["/etc/db", "C:\\Shop\\db.ini"])
def test_user_data_gives_its_secret_to_one_account(path):
    """The owner, or on Windows one service, may read it."""
    access = (
        'owner: shop, acl: ["shop:R", "NT SERVICE\\\\Shop:R"]' if path[1] == ":" else "owner: shop"
    )
    _, (file,) = decided(
        f"version: 1\nfiles: [{{path: '{path}', template: db.j2, {access}}}]\n", SECRETS
    )
    assert file.secret
    assert file.mode == 0o600


@pytest.mark.parametrize("entry", ["Users:R", "Everyone:R", "NT SERVICE\\\\ALL SERVICES:R"])
def test_user_data_gives_a_secret_to_no_group_of_windows(entry):
    """An access list is a mode: it opens no secret to a group."""
    said = f"{{path: 'C:\\Shop\\db.ini', template: db.j2, acl: [\"{entry}\"]}}"
    with pytest.raises(InvalidDocument, match="opens files that hold a secret"):
        decided(f"version: 1\nfiles: [{said}]\n", SECRETS)


def test_the_image_is_warned_of_a_secret_that_it_opens():
    """The image may open a file with a secret; every run and every plan say so."""
    image = f'{SECRETS}files: [{{path: /etc/db, template: db.j2, mode: "0640"}}]\n'
    configuration, _ = decided(image=image)
    (note,) = configuration.notes
    assert note == (
        "/etc/db holds a secret, and mode 0640 lets more than its owner read it "
        "(image config.d/10.yaml:4:48)"
    )
    # userData that only takes bits from it does not open it.
    configuration, _ = decided('version: 1\nfiles: [{path: /etc/db, mode: "0440"}]\n', image)
    assert "mode 0440" in configuration.notes[0]
    configuration, _ = decided('version: 1\nfiles: [{path: /etc/db, mode: "0600"}]\n', image)
    assert configuration.notes == ()
    configuration, _ = decided(image=image.replace("db.j2", "a.j2"))
    assert configuration.notes == ()


@pytest.mark.parametrize("trust", [None, ALL])
def test_validate_warns_of_a_secret_that_a_document_opens(schema, trust):
    """Where an inline template names a secret, it is told before anybody deploys the document."""
    text = (
        "version: 1\nsecrets: {db: {vault: contoso, name: db}}\nfiles:\n"
        '  - {path: /etc/a, content: "{{ secrets.db }}", mode: "0640"}\n'
        '  - {path: /etc/b, content: "{{ secrets.db }}", mode: "0600"}\n'
        '  - {path: /etc/c, content: "no secrets", mode: "0644"}\n'
        '  - {path: /etc/d, content: "{{ secrets.db }}"}\n'
    )
    lint = []
    assert not validate(text, "d", document_schema=schema, trust=trust, on_warning=lint.append)
    assert [one.where for one in lint] == ["d:4:55"]
    assert "mode 0640 lets more than its owner read it" in lint[0].message
