"""Hostile texts, every place where a template that ships prints one, and what it makes of it."""

from __future__ import annotations

import copy
import os
import shutil

import pytest

from bootstrap import resources
from bootstrap.config.model import FileSpec
from bootstrap.errors import RenderError
from bootstrap.render.rendered import Template
from bootstrap.render.rendering import render

COMMAND = "\nExecStartPre=+/bin/sh -c 'touch /pwned'"
BREAKS = {
    f"break {ord(sign):#x}": f"a{sign}{COMMAND.strip()}" for sign in "\n\r\x0b\x0c\x85\u2028\u2029"
}
# On one line, without a control character: a syntax that can quote has no reason to refuse them.
TEXTS = {
    "section": "[Service]",
    "semicolon": "a; root /; #",
    "braces": "a { b } c",
    "closing": "} server { listen 1; }",
    "comment": "# a",
    "dollar": "$HOME ${HOME} $(touch pwned)",
    "percent": "%h %% %n",
    "backticks": "`touch pwned`",
    "double quotes": 'a" "b',
    "single quotes": "a' 'b'",
    "backslash": "a\\",
    "backslashes": '\\n\\\\\\x41\\u0041\\"',
    "blanks": "  a  ",
    "tab": "a\tb",
    "equals": "=a=b",
    "umlauts": "Grüße \U0001f600 \u00a0\u3000",
    "empty": "",
    "dash": "-rf",
    "tilde": "~ ~root/*",
    "glob": "/etc/*?[a]",
    "templates": "{{ 7 * 7 }} {% raw %}",
    "long": "x;" * 1000,
}
CONTROLS = {
    **BREAKS,
    "command": f"a{COMMAND}\n",
    "only a break": "\n",
    "break at the end": "a\n",
    "CR LF": "a\r\nb",
    "continued": "a\\\nb",
    "NUL": "a\0b",
    "escape": "a\x1b[2Jb",
    "DEL": "a\x7fb",
    "C1": "a\x9bb",
}
BEYOND = {"noncharacter": "a\ufffeb", "very long": "x" * 200_000}
HOSTILE = {**TEXTS, **CONTROLS, **BEYOND}

VALUES = {
    "web": {
        "server_name": "shop.example.com",
        "port": 8443,
        "tls": True,
        "certificate": "/etc/shop/chain.pem",
        "key": "/etc/shop/key.pem",
        "max_body_mb": 5,
        "trusted": ["10.0.0.0/16"],
    },
    "app": {"port": 8080, "workers": 4, "debug": False, "api_key": "k"},
    "log": {"level": "info"},
    "features": ["search"],
    "upstreams": {"stock": "https://stock.example.com"},
    "env": {"A": "1"},
    "service": {
        "environment_file": "/etc/shop/shop.env",
        "memory_max": "75%",
        "restart_seconds": 5,
        "variables": {"A": "1"},
    },
}
CONTEXT = {
    "values": VALUES,
    "secrets": {},
    "instance": {"compute": {"name": "vm", "location": "westeurope"}},
    "tags": {"owner": "ops"},
    "environment": "prod",
}
# Every place whose text a template prints; of the last step with `KEY` it is the key.
KEY = "the key"
SLOTS = {
    "env/app.env.j2": (
        ("values", "env", "A"),
        ("values", "env", KEY),
        ("environment",),
        ("instance", "compute", "name"),
        ("instance", "compute", "location"),
    ),
    "systemd/override.conf.j2": (
        ("values", "service", "environment_file"),
        ("values", "service", "memory_max"),
        ("values", "service", "restart_seconds"),
        ("values", "service", "variables", "A"),
        ("values", "service", "variables", KEY),
    ),
    "nginx/site.conf.j2": (
        ("values", "web", "server_name"),
        ("values", "web", "port"),
        ("values", "web", "certificate"),
        ("values", "web", "key"),
        ("values", "web", "max_body_mb"),
        ("values", "web", "trusted", 0),
        ("values", "app", "port"),
    ),
    "app/app.toml.j2": (
        ("environment",),
        ("instance", "compute", "location"),
        ("values", "app", "port"),
        ("values", "app", "workers"),
        ("values", "app", "debug"),
        ("values", "log", "level"),
        ("values", "log", KEY),
    ),
    "app/app.json.j2": (
        ("values", "features", 0),
        ("values", "upstreams", "stock"),
        ("values", "upstreams", KEY),
        ("values", "app", "api_key"),
        ("tags", "owner"),
    ),
}
PLACES = [(name, slot) for name, slots in SLOTS.items() for slot in slots]
TEMPLATES = {
    name.removeprefix("templates/"): resources.read(name)
    for name in resources.names("templates")
    if not name.startswith("templates/image/")
}


def without(reason):
    """Skip, saying why; where everything was installed on purpose that is a failure."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


def need(*programs):
    """Give the first of the programs that is here."""
    found = [one for one in map(shutil.which, programs) if one]
    return found[0] if found else without(f"there is no {' and no '.join(programs)}")


def rendered(name, context=CONTEXT):
    """What a shipped template makes of a context, as text."""
    sources = {one: Template(f"shipped {one}", text) for one, text in TEMPLATES.items()}
    spec = FileSpec(path="/etc/file", template=name)
    made = render([spec], context, sources, max_bytes=10_000_000, seconds=20.0)
    return made[0].content.decode()


def placed(slot, text):
    """The harmless context with a text in one place."""
    context = copy.deepcopy(CONTEXT)
    *way, last = slot
    holder = context
    for step in way:
        holder = holder[step]
    if last == KEY:
        holder[text] = holder.pop(next(iter(holder)))
    else:
        holder[last] = text
    return context


def accepted(name, slot, texts=HOSTILE):
    """Those of the texts that the template prints in that place, with what it makes of each."""
    for label, text in texts.items():
        if made := rendered_or_refused(name, slot, text):
            yield label, text, made


def rendered_or_refused(name, slot, text):
    """What the template makes of a text in one place; nothing where it refuses it, saying where."""
    try:
        return rendered(name, placed(slot, text))
    except RenderError as error:
        for problem in error.problems:
            assert problem.message
            assert problem.where.startswith(f"shipped {name}:")
            assert len(text) < 4 or text not in f"{problem.message}{problem.hint}"
    return None


def label_of(place):
    return "-".join(map(str, (place[0], *place[1])))


def beginnings(text):
    """What each line begins with, whatever a program takes for the end of one."""
    return [line.lstrip()[:1] for line in text.splitlines()]
