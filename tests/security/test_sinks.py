"""The templates that ship, given hostile texts: no value and no key ends a line or is run."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from hostile import (
    CONTROLS,
    HOSTILE,
    KEY,
    PLACES,
    SLOTS,
    TEMPLATES,
    TEXTS,
    accepted,
    beginnings,
    label_of,
    need,
    placed,
    rendered,
)

from bootstrap.errors import RenderError


def test_every_place_is_attacked():
    """The list of places grows with the templates."""
    assert SLOTS.keys() == TEMPLATES.keys()
    for name, slots in SLOTS.items():
        for slot in slots:
            marked = placed(slot, "[0-9]" if slot[-1] != KEY else "K9")
            try:
                assert rendered(name, marked) != rendered(name)
            except RenderError:
                continue


@pytest.mark.parametrize("place", PLACES, ids=label_of)
def test_no_value_and_no_key_ends_its_line(place):
    """A hostile text is refused, or the file has the lines that it has with a harmless one."""
    name, slot = place
    lines = rendered(name).splitlines()
    for label, _, text in accepted(name, slot):
        assert len(text.splitlines()) == len(lines), label
        pairs = zip(beginnings(text), beginnings("\n".join(lines)), strict=True)
        others = [pair for pair in pairs if len(set(pair)) > 1]
        assert len(others) <= (slot[-1] == KEY), label


@pytest.mark.parametrize("shell", ["sh", "dash", "bash"])
@pytest.mark.parametrize("slot", SLOTS["env/app.env.j2"], ids=str)
def test_a_shell_reads_the_environment_file_as_it_was_meant(shell, slot, tmp_path):
    """Each variable holds the value's own characters, and nothing is run."""
    program = need(shell)
    read = {}
    for label, value, text in accepted("env/app.env.j2", slot):
        (tmp_path / "file").write_text(text)
        words = ["env", "-i", program, "-c", 'set -a; . "$1"; exec env -0', "sh", "./file"]
        done = subprocess.run(
            words, cwd=tmp_path, capture_output=True, check=True, env={"PATH": os.environ["PATH"]}
        )
        assert done.stderr == b""
        pairs = [pair.partition("=") for pair in done.stdout.decode().split("\0")]
        variables = {key: got for key, _, got in pairs}
        read[label] = value if slot[-1] == KEY else variables[variable_of(slot)]
        assert read[label] == ("none" if (slot, value) == (("environment",), "") else value)
    assert not (tmp_path / "pwned").exists()
    assert slot[-1] == KEY or TEXTS.keys() <= read.keys(), "a text that can be quoted is refused"


def variable_of(slot):
    names = {"name": "AZURE_VM_NAME", "location": "AZURE_REGION", "environment": "DEPLOYMENT"}
    return names.get(slot[-1], slot[-1])


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
@pytest.mark.parametrize("slot", SLOTS["app/app.toml.j2"], ids=str)
def test_a_toml_parser_reads_what_was_meant(slot):
    """Texts and keys come back unchanged, and what is a number or a boolean there stays one."""
    import tomllib

    read = set()
    for label, text, made in accepted("app/app.toml.j2", slot):
        data = tomllib.loads(made)
        assert list(data) == ["environment", "region", "server", "log"]
        kept = {
            ("environment",): data["environment"],
            ("instance", "compute", "location"): data["region"],
            ("values", "log", "level"): data["log"].get("level"),
            ("values", "log", KEY): "".join(data["log"]),
        }
        assert kept[slot] == (text if slot[0] == "values" else text or "none"), label
        read.add(label)
    assert read == (set() if slot[:2] == ("values", "app") else HOSTILE.keys())


@pytest.mark.parametrize("slot", SLOTS["app/app.json.j2"], ids=str)
def test_a_json_parser_reads_what_was_meant(slot):
    """Every text and key comes back unchanged; only a tag with a control character is refused."""
    read = set()
    for label, text, made in accepted("app/app.json.j2", slot):
        data = json.loads(made)
        kept = {
            ("values", "features", 0): data["features"][0],
            ("values", "upstreams", "stock"): data["upstreams"].get("stock"),
            ("values", "upstreams", KEY): "".join(data["upstreams"]),
            ("values", "app", "api_key"): data["api_key"],
            ("tags", "owner"): data["owner"],
        }
        assert kept[slot] == text, label
        assert list(data) == ["features", "upstreams", "api_key", "owner"]
        read.add(label)
    assert read == HOSTILE.keys() - ({*CONTROLS, "tab"} if slot[0] == "tags" else set())


@pytest.mark.parametrize("zone", ["::1%x; } evil", "fe80::1%a\nb/64", "fe80::1%eth0"])
def test_an_address_brings_no_zone_along(zone):
    """What stands behind the `%` of an address can be any text, so none is printed."""
    with pytest.raises(RenderError, match="do not fit") as caught:
        rendered("nginx/site.conf.j2", placed(("values", "web", "trusted", 0), zone))
    assert "not an IP address" in caught.value.problems[0].message
