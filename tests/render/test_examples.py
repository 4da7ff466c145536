"""The templates that ship, with the values of the sample image."""

from __future__ import annotations

import configparser
import json
import subprocess
import sys

import jsonschema
import pytest

from bootstrap import resources
from bootstrap.config.model import FileSpec
from bootstrap.document import parse
from bootstrap.render.rendered import Template
from bootstrap.render.rendering import render

SAMPLE = parse(resources.read("templates/image/config.d/10-shop.yaml"), "10-shop.yaml").data
NAMES = [
    name.removeprefix("templates/")
    for name in resources.names("templates")
    if not name.startswith("templates/image/")
]


def merged(lower, upper):
    if not (isinstance(lower, dict) and isinstance(upper, dict)):
        return upper
    return lower | {
        key: merged(lower[key], value) if key in lower else value for key, value in upper.items()
    }


@pytest.fixture(params=sorted(SAMPLE["environments"]))
def environment(request):
    return request.param


@pytest.fixture
def values(environment):
    return merged(SAMPLE["values"], SAMPLE["environments"][environment]["values"])


@pytest.fixture
def rendered(values, environment):
    """The sample's files by path, for each of its environments."""
    templates = {
        name: Template(f"shipped {name}", resources.read(f"templates/{name}")) for name in NAMES
    }
    context = {
        "values": values,
        "secrets": {},
        "instance": {"compute": {"name": "vm'1", "location": "westeurope"}},
        "tags": {"owner": "ops"},
        "environment": environment,
    }
    files = [FileSpec(path=one["path"], template=one["template"]) for one in SAMPLE["files"]]
    done = render(files, context, templates, max_bytes=10_000, seconds=5.0)
    return {one.spec.path: one.content.decode() for one in done}


def test_sample_uses_every_example():
    """A newcomer who copies the sample sees all templates at work."""
    assert sorted(one["template"] for one in SAMPLE["files"]) == sorted(NAMES)


def test_sample_keeps_its_own_schema(values):
    """The sample's values are valid in each environment, and wrong ones are not."""
    schema = json.loads(resources.read("templates/image/values.schema.json"))
    validator = jsonschema.Draft202012Validator(schema)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator.validate(values)
    assert not validator.is_valid(merged(values, {"web": {"port": "8443"}}))
    assert not validator.is_valid(merged(values, {"web": {"server_name": "a; root /;"}}))


def test_files_end_with_one_newline_and_hold_no_blank_heap(rendered):
    """Statements leave no traces in the files."""
    for path, content in rendered.items():
        assert content.endswith("\n"), path
        assert not content.endswith("\n\n"), path
        assert "\n\n\n" not in content, path
        assert not content.startswith("\n"), path


def test_env_file_is_read_by_a_shell_as_it_was_meant(rendered, values):
    """Every variable arrives unchanged, quotes and percent signs too."""
    script = f"set -a\n{rendered['/etc/shop/shop.env']}\nenv -0"
    done = subprocess.run(["env", "-i", "sh", "-c", script], check=True, capture_output=True)
    read = dict(pair.split("=", 1) for pair in done.stdout.decode().split("\0") if pair)
    assert read.items() >= values["env"].items()
    assert read["AZURE_VM_NAME"] == "vm'1"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
def test_toml_is_read_by_a_parser(rendered, values, environment):
    """The application's configuration holds the values."""
    import tomllib

    read = tomllib.loads(rendered["/etc/shop/shop.toml"])
    assert read["server"]["workers"] == values["app"]["workers"]
    assert read["server"]["debug"] is values["app"]["debug"]
    assert read["log"] == values["log"]
    assert read["environment"] == environment


def test_json_is_read_by_a_parser(rendered, values):
    """The list of features is JSON."""
    read = json.loads(rendered["/etc/shop/features.json"])
    assert read["features"] == values["features"]
    assert read["owner"] == "ops"


def test_drop_in_has_the_shape_of_a_unit(rendered):
    """Systemd's file has one section and the keys that the values ask for."""
    parser = configparser.RawConfigParser()
    parser.read_string(rendered["/etc/systemd/system/shopd.service.d/override.conf"])
    assert parser["Service"]["environment"] == '"SHOP_CACHE=/var/cache/shop"'
    assert parser["Service"]["memorymax"] == "75%"


def test_site_listens_as_the_environment_says(rendered, environment):
    """TLS is on in production, and the lines keep their ends."""
    site = rendered["/etc/nginx/conf.d/shop.conf"]
    expected = "    listen 8080;\n" if environment == "test" else "    listen 8443 ssl;\n"
    assert expected in site
    assert ("ssl_certificate " in site) is (environment != "test")
    assert site.count("{") == site.count("}")
