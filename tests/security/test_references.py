"""No text gets further than the layer it came from: a tag names no secret, in whatever spelling."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import yaml

from bootstrap.config.keyvault_references import parse, references
from bootstrap.config.model import SecretReference
from bootstrap.config.provenance import TagOrigin, annotate
from bootstrap.emulator import Emulator
from bootstrap.errors import InvalidDocument
from bootstrap.imds.clouds import cloud_of
from bootstrap.keyvault.resolve import ResolvedSecrets
from bootstrap.keyvault.urls import address_of
from bootstrap.secret import Secret

ATTACKER = "vault.attacker.example"
REFERENCE = f"@Microsoft.KeyVault(SecretUri=https://{ATTACKER}/secrets/x)"
ESCAPED = REFERENCE.replace("@", "\\u0040")
ANYTHING = {
    "properties": {"web": {"properties": {"hosts": {"type": ["array", "object", "string"]}}}}
}
IF_A = {"if": {"properties": {"key": {"pattern": "^a"}}}, "then": {"required": ["port"]}}
LISTS = {"properties": {"web": {"properties": {"hosts": {"type": "array"}}}}}
MAPPINGS = {"properties": {"web": {"properties": {"hosts": {"type": "object"}}}}}
CLOUD = cloud_of("AzurePublicCloud")


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        (None, REFERENCE),
        (None, f"  {REFERENCE}"),
        (None, REFERENCE.upper()),
        (None, REFERENCE.replace("K", "\u212a")),  # the Kelvin sign is a k to .lower()
        (LISTS, json.dumps([REFERENCE])),
        (LISTS, f'["{ESCAPED}"]'),
        (LISTS, f'["a", ["{ESCAPED}"]]'),
        (LISTS, f'[{{"deep": "{ESCAPED}"}}]'),
        (LISTS, f"a, {REFERENCE}"),
        (MAPPINGS, f'{{"a": "{ESCAPED}"}}'),
        (MAPPINGS, f'{{"{ESCAPED}": "a key"}}'),
        (ANYTHING, REFERENCE),
    ],
)
@pytest.mark.parametrize("name", ["config:web.hosts", "Hosts"])
def test_a_tag_names_no_secret(layers, schema, text, name):
    """Whatever a tag's text decodes to, it is an error of that tag and no reference."""
    mapping = {"Hosts": "web.hosts"}
    resolution = layers(tags=[(name, text)], tag_map=mapping, schema=schema)
    with pytest.raises(InvalidDocument) as caught:
        resolution.require_valid()
    assert {one.where for one in caught.value.problems} == {f"tag {name}"}
    assert any("may not name a secret" in one.message for one in caught.value.problems)
    assert not resolution.configuration or not resolution.configuration.value_secrets


def test_a_text_of_a_tag_is_no_reference():
    """Even where such a text got among the values, nothing would be fetched for it."""
    origin = TagOrigin("config:web.hosts", REFERENCE, ("values", "web", "hosts"))
    assert list(references(annotate([REFERENCE, {"a": REFERENCE}], origin))) == []


def test_a_tag_in_a_mapping_of_references_makes_none(layers):
    """Each value counts by who set it, not by who declared the mapping that it is in."""
    image = {"values": {"db": {"password": "@Microsoft.KeyVault(VaultName=ours;SecretName=db)"}}}
    resolved = layers(image=image, tags=[("config:db.user", "shop")]).require_valid()
    assert list(resolved.value_secrets) == [("values", "db", "password")]
    replaced = layers(image=image, tags=[("config:db.password", "plain")]).require_valid()
    assert replaced.value_secrets == {}
    assert replaced.values["db"]["password"] == "plain"


@pytest.mark.parametrize(
    "text",
    [
        "@Microsoft.KeyVault(VaultName=;SecretName=x)",
        "@Microsoft.KeyVault(VaultName= ;SecretName=x)",
        "@Microsoft.KeyVault(VaultName=ours;SecretName=)",
        "@Microsoft.KeyVault(VaultName;SecretName=x)",
        "@Microsoft.KeyVault(SecretUri=)",
        "@Microsoft.KeyVault(SecretUri=https://a.vault.azure.net/secrets/x;SecretUri=https://ours)",
        "@Microsoft.KeyVault(VaultName=ours\n;SecretName=x\n\n.y)",
    ],
)
def test_only_a_version_may_be_empty(layers, text):
    """A reference with an empty part is told where it is written, before anything is asked."""
    with pytest.raises(InvalidDocument) as caught:
        layers(image={"values": {"password": text}}).require_valid()
    assert caught.value.problems[0].where.startswith("image config.d/10.yaml:")
    current = parse("@Microsoft.KeyVault(VaultName=ours;SecretName=x;SecretVersion=)")
    assert (current.vault, current.version) == ("ours", "")


@pytest.mark.parametrize(
    ("vault", "allow"),
    [
        (ATTACKER, ()),
        (ATTACKER, ("contoso-prod",)),
        ("contoso-prod.vault.azure.net.attacker.example", ("contoso-prod",)),
        ("contoso-prod.vault.azure.cn", ("contoso-prod",)),
        ("other", ("contoso-prod",)),
        ("contoso-prod\n", ("contoso-prod",)),
        ("", ()),
        ("a.example", ("a.example.vault.azure.net",)),  # a host is a host, and no name of another
        ("contoso-prod.vault.azure.net.", ("contoso-prod",)),
    ],
)
def test_no_request_is_built_around_the_rules(vault, allow):
    """Where a request to a vault is built, the settings and the cloud are asked once more."""
    with pytest.raises(ValueError, match="vault"):
        address_of(SecretReference(vault=vault, name="x"), CLOUD, allow)


def test_an_image_may_name_a_vault_that_userdata_may_not():
    """`vaults.allow` limits userData; an image's own documents name any vault of the cloud."""
    reference = SecretReference(vault="other", name="x", of_image=True)
    assert address_of(reference, CLOUD, ("contoso-prod",)).host == "other.vault.azure.net"


@pytest.mark.parametrize("change", [{"name": "root-password"}, {"version": "0" * 32}])
def test_userdata_turns_no_secret_of_the_image_into_another(layers, change):
    """Half of an entry from the image does not lend the image's trust to the other half."""
    image = {"secrets": {"db": {"vault": "other", "name": "db"}}}
    user_data = {"secrets": {"db": {"vault": "other", "name": "db"} | change}}
    with pytest.raises(InvalidDocument, match="not valid"):
        layers(image=image, user_data=user_data, allow=("contoso-prod",)).require_valid()


@pytest.mark.parametrize(
    ("rule", "secret"),
    [
        ({"pattern": "^[a-z.]+$"}, "evil\nroot-directive on;"),
        ({"maxLength": 4}, "too long"),
        ({"enum": ["a", "b"]}, "neither"),
        ({"not": {"pattern": ";"}}, "a;b"),
        ({"anyOf": [{"pattern": "^a"}, {"pattern": "^b"}]}, "evil"),
        ({"$ref": "#/$defs/word"}, "two words"),
        ({"const": 5150}, "5150"),
        ({"anyOf": [False, {"pattern": "^a"}]}, "evil"),
    ],
)
def test_a_fetched_secret_satisfies_the_schema_of_its_place(layers, rule, secret):
    """It is judged once it is known, by every rule, and the error repeats nothing of it."""
    schema = {
        "$defs": {"word": {"pattern": "^[a-z]+$"}},
        "properties": {"web": {"properties": {"host": {"type": "string", **rule}}}},
    }
    image = {"values": {"web": {"host": "@Microsoft.KeyVault(VaultName=ours;SecretName=x)"}}}
    resolution = layers(image=image, schema=schema)
    configuration = resolution.require_valid()
    fetched = ResolvedSecrets(dict.fromkeys(configuration.value_secrets, Secret(secret)))
    with pytest.raises(InvalidDocument) as caught:
        fetched.check(configuration, resolution.schema)
    problem = caught.value.problems[0]
    assert (problem.where, problem.path) == ("image config.d/10.yaml:4:11", "values.web.host")
    assert secret not in f"{problem.message}{problem.hint}{problem.text}"


@pytest.mark.parametrize(
    ("schema", "secret", "path"),
    [
        (
            {"if": {"properties": {"key": {"pattern": "^a"}}}, "then": {"required": ["port"]}},
            "ab",
            "",
        ),
        ({"oneOf": [{"properties": {"key": {"const": "x"}}}, {"required": ["port"]}]}, "y", ""),
        ({"dependentSchemas": {"key": {"properties": {"key": {"maxLength": 1}}}}}, "ab", ".key"),
    ],
)
@pytest.mark.parametrize("name", ["db", "items"])  # the second is a keyword of JSON Schema, too
def test_what_depends_on_a_secret_waits_for_it(layers, schema, secret, path, name):
    """A rule that a secret decides is no error before the secret is there, and one after."""
    values = {"key": "@Microsoft.KeyVault(VaultName=ours;SecretName=x)"}
    resolution = layers(image={"values": {name: values}}, schema={"properties": {name: schema}})
    configuration = resolution.require_valid()
    fetched = ResolvedSecrets(dict.fromkeys(configuration.value_secrets, Secret(secret)))
    with pytest.raises(InvalidDocument) as caught:
        fetched.check(configuration, resolution.schema)
    assert caught.value.problems[0].path == f"values.{name}{path}"


@pytest.mark.parametrize(
    "schema",
    [
        {"db": {"properties": {"port": {"type": "integer"}}}},
        {"web": {"anyOf": [{"required": ["host"]}, {"required": ["name"]}]}},
        {"list": {"items": {"not": {"const": "bad"}}}},
    ],
)
def test_what_does_not_depend_on_a_secret_is_told_at_once(layers, schema):
    """A mistake beside a secret is found without asking anybody."""
    values = {"key": "@Microsoft.KeyVault(VaultName=ours;SecretName=x)", "port": "no"}
    image = {"values": {"db": values, "web": {}, "list": ["bad"]}}
    with pytest.raises(InvalidDocument):
        layers(image=image, schema={"properties": schema}).require_valid()


@pytest.mark.parametrize(
    "name",
    ["con\ufb01g:web.port", "confi\u0261:web.port", "config\uff1aweb.port", "\u212aonfig:web.port"],
)
def test_a_tag_that_folds_to_ours_is_not_ours(layers, name):
    """A ligature or another letter that folds to the prefix sets no path, not even a wrong one."""
    assert layers(
        image={"values": {"b": {"port": 1}}}, tags=[(name, "7")]
    ).require_valid().values == {"b": {"port": 1}}


def test_a_folding_letter_names_no_other_key_and_no_other_environment(layers):
    """`ﬁle` is not `file`: neither as a key below the prefix nor as the name of an environment."""
    image = {"values": {"file": "a"}, "environments": {"finance": {"values": {"file": "b"}}}}
    resolved = layers(image=image, tags=[("config:\ufb01le", "x")]).require_valid()
    assert resolved.values == {"file": "a", "\ufb01le": "x"}
    with pytest.raises(InvalidDocument):
        layers(image=image, tags=[("environment", "\ufb01nance")]).require_valid()
    assert (
        layers(image=image, tags=[("Environment", "FINANCE")]).require_valid().environment
        == "finance"
    )


MACHINE = {
    "tags": {"config:web.hosts": f'["{ESCAPED}"]'},
    "vaults": {"contoso-prod": {"secrets": {"db": "x"}}},
}
IMAGE = """\
version: 1
values: {{web: {{hosts: [a.example]}}, key: {key}}}
files:
  - path: /etc/web.conf
    content: "{{{{ values.web.hosts | join(' ') }}}} {{{{ values.key }}}}\\n"
"""
SCHEMA = {
    "properties": {
        "web": {
            "properties": {
                "hosts": {"type": "array", "items": {"type": "string", "pattern": "^[a-z.]+$"}}
            }
        },
        "key": {"type": "string", "pattern": "^[a-z]+$"},
    }
}


@pytest.fixture
def run(tmp_path):
    """A function that runs the program on an emulated machine; gives its end and what it asked."""
    etc = tmp_path / "root/etc/imds-bootstrap"
    (etc / "config.d").mkdir(parents=True)
    (etc / "values.schema.json").write_text(json.dumps(SCHEMA))

    def program(machine, *, key, settings):
        (etc / "config.d/10.yaml").write_text(IMAGE.format(key=json.dumps(key)))
        (etc / "agent.yaml").write_text(yaml.safe_dump(settings))
        with Emulator.serve(machine) as emulator:
            assign = {
                "imds.endpoint": emulator.endpoint,
                "vaults.endpoint": emulator.vaults_endpoint,
                "vaults.ca_file": emulator.ca_file,
                "deadline": "10",
            }
            sets = [word for name, value in assign.items() for word in ("--set", f"{name}={value}")]
            done = subprocess.run(
                [sys.executable, "-m", "bootstrap", "--root", str(tmp_path / "root"), *sets, "run"],
                capture_output=True,
                text=True,
                env=os.environ,
                check=False,
            )
            asked = [one.path for one in (*emulator.requests, *emulator.vault_requests)]
        return done, asked, tmp_path / "root/etc/web.conf"

    return program


SETTINGS = {"tags": {"paths": ["web.hosts"]}, "vaults": {"allow": ["contoso-prod"]}}
OURS = "@Microsoft.KeyVault(VaultName=contoso-prod;SecretName=db)"


def test_no_token_leaves_for_a_host_that_a_tag_names(run):
    """The run ends in an error of the tag; no token is asked for, no vault hears anything."""
    done, asked, written = run(MACHINE, key="plain", settings=SETTINGS)
    assert done.returncode == 65
    assert "tag config:web.hosts" in done.stderr
    assert "may not name a secret" in done.stderr
    assert not [path for path in asked if "token" in path or "secrets" in path]
    assert not written.exists()


def test_no_answer_of_a_vault_gets_past_the_schema(run):
    """What a vault answers is held to the pattern of its place, and is never repeated."""
    answer = "evil\nroot-directive on;"
    machine = {"vaults": {"contoso-prod": {"secrets": {"db": answer}}}}
    done, asked, written = run(machine, key=OURS, settings=SETTINGS)
    assert done.returncode == 65
    assert "values.key" in done.stderr
    assert "root-directive" not in done.stdout + done.stderr
    assert [path for path in asked if "/secrets/db" in path]
    assert not written.exists()


def test_a_secret_that_fits_is_written(run):
    """The same machine with a secret of the right form is configured."""
    machine = {"vaults": {"contoso-prod": {"secrets": {"db": "sesame"}}}}
    done, _, written = run(machine, key=OURS, settings=SETTINGS)
    assert done.returncode == 0, done.stderr
    assert written.read_text() == "a.example sesame\n"
