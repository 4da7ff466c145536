"""A path holds no character that a person would take for another, or not see."""

from __future__ import annotations

import json
import unicodedata

import pytest

from bootstrap import resources
from bootstrap.config.path_names import misread
from bootstrap.config.resolve import validate
from bootstrap.settings import UserDataSettings

TRUSTS = {"image": None, "userData": UserDataSettings(paths=("/", "C:\\"))}
DECEPTIVE = {
    "dots": "\u2024\u2025\u2026\uff0e\ufe52\ufe19\ua4f8\ua4fa\ua78f",
    "slashes": "\uff0f\u2044\u2215\u29f8\u2571\u27cb\u1735\u2100\u2105",
    "backslashes": "\uff3c\u2216\u29f5\u29f9\ufe68\u27cd",
    "colons": "\uff1a\u2236\ua789\u02f8\u05c3",
    "bidi": "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
    "invisible": "\u00ad\u034f\u115f\u1160\u17b4\u180b\u180e\u200b\u200c\u200d\u2060\u2064\u3164"
    "\ufe00\ufe0f\ufeff\uffa0\U000e0041\U000e0100",
    "controls": "\u0080\u0085\u009b\u009f",
    "blanks": "\u00a0\u1680\u2000\u2009\u202f\u205f\u3000\u2028\u2029\u2800",
    "forms of ASCII": "\uff45\U0001d41e\u24d4\u2170\u00aa\u00b9\u00bd\ufb01\u212a\u2460",
    "unassigned and private": "\ue000\U000f0000",
}


@pytest.fixture(scope="module")
def rules():
    return json.loads(resources.read("schema/document.schema.json"))


def problems(path, rules, trust):
    text = json.dumps({"version": 1, "files": [{"path": path, "template": "a"}]})
    return validate(text, "d", document_schema=rules, trust=TRUSTS[trust])


@pytest.mark.parametrize("trust", TRUSTS)
@pytest.mark.parametrize("kind", DECEPTIVE)
def test_a_deceptive_character_is_refused_by_name(rules, kind, trust):
    """The error says which character it is, in the documents of every layer."""
    for character in DECEPTIVE[kind]:
        for path in (f"/etc/a{character}b", f"/etc/{character}/shadow", f"C:\\Shop\\a{character}b"):
            found = [one for one in problems(path, rules, trust) if "the path" in one.message]
            assert len(found) == 1, (ascii(character), path)
            assert found[0].path == "files[0].path"
            assert f"U+{ord(character):04X} {unicodedata.name(character, '')}" in found[0].message


@pytest.mark.parametrize(
    ("character", "wrong"),
    [
        ("\u202e", "cannot be seen"),
        ("\u200b", "cannot be seen"),
        ("\u3164", "cannot be seen"),
        ("\u3000", "looks like a blank"),
        ("\uff0e", "looks like '.'"),
        ("\u2025", "looks like '..'"),
        ("\u2215", "neither a letter nor a digit"),
    ],
)
def test_the_error_says_why(rules, character, wrong):
    """What is wrong with a character is told: nobody can see a mark of direction."""
    (problem,) = problems(f"/etc/a{character}b", rules, "userData")
    assert wrong in problem.message


@pytest.mark.parametrize("trust", TRUSTS)
def test_what_ends_a_line_or_rings_a_bell_is_refused(rules, trust):
    """A control character of ASCII is in no path either."""
    for code in (*range(0x20), 0x7F):
        assert problems(f"/etc/a{chr(code)}b", rules, trust), code


@pytest.mark.parametrize(
    "path",
    [
        "/srv/Müller & Söhne/x",
        "/srv/Mu\u0308ller/x",  # as macOS spells it
        "/srv/данные/データ/數據/데이터/Ωμέγα/ملفات/नमस्ते/x",
        "/srv/ªb".replace("ª", "a"),
        "/srv/a.b-c_d+e@f=g,h~i#j%k!(l)[m]{n}'o/.hidden/...",
        "C:\\Dokumente\\Größe\\x",
    ],
)
def test_letters_of_every_script_are_fine(rules, path):
    """People name their folders in their own languages."""
    assert not problems(path, rules, "image")


def test_a_mark_is_on_a_letter(rules):
    """A mark behind a dot or a slash, or one that strikes a letter through, is refused."""
    for path in ("/etc/.\u0338./x", "/\u0301etc", "/etc/a\u0338", "/etc/-\u0307x"):
        assert problems(path, rules, "userData"), ascii(path)


def test_no_character_of_unicode_becomes_syntax():
    """Whatever passes holds no dot, separator or colon in any normal form."""
    for code in range(0x80, 0x110000):
        if not any(misread(f"/a{chr(code)}b")):
            form = unicodedata.normalize("NFKC", f"a{chr(code)}b")
            assert not set(form) & set('./\\:*?"<>| '), hex(code)
            assert all(unicodedata.category(one)[0] in "LMN" for one in form), hex(code)
