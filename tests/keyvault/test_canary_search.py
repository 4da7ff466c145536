"""The search for canaries finds what there is: without that its silence would say nothing."""

from __future__ import annotations

import base64
import gzip
import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # tests are no package
from canaries import ODD, Canaries, encodings

HERE = Path(__file__).parent


@pytest.mark.parametrize("encoding", [*encodings("any"), "hex", "HEX", "hex in columns"])
@pytest.mark.parametrize("part", ["whole", "a piece"])
def test_the_search_finds_what_is_planted(encoding, part):
    """In every encoding, in the middle of other text, whole or eight characters of it."""
    planted = Canaries()
    planted.plain("other")
    text = planted.odd("planted")
    assert ODD in text
    told = text[4:12] if part == "a piece" else text
    digits = told.encode().hex()
    forms = {
        **encodings(told),
        "hex": digits.encode(),
        "HEX": digits.upper().encode(),
        "hex in columns": told.encode().hex(" ", 2).encode(),
    }
    content = b"a line\nsaid=" + forms[encoding] + b"=\nanother line\n"
    if part == "a piece" and "base64" in encoding:
        content = base64.b64encode(b"x" * (encoding[-1] == "1") + text[3:15].encode())
    assert planted.found_in(content) == {"planted"}
    assert planted.found_in(b"\0" + content.replace(b"\n", b"\r\n")) == {"planted"}


def test_the_search_looks_into_archives(tmp_path):
    """A support bundle is packed, and read all the same."""
    planted = Canaries()
    text = planted.plain("planted").encode()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "log").write_bytes(text)
    for kind in ("tar", "gztar", "zip"):
        archive = shutil.make_archive(str(tmp_path / "bundle"), kind, tmp_path / "folder")
        assert planted.found_in(Path(archive).read_bytes()) == {"planted"}
    assert planted.found_in(gzip.compress(gzip.compress(text))) == {"planted"}


def test_the_search_finds_nothing_where_nothing_is(tmp_path):
    """Neither in this repository's own text, nor in chance bytes."""
    planted = Canaries()
    planted.odd("planted")
    for path in HERE.glob("*.py"):
        assert planted.found_in(path.read_bytes()) == set()
    assert planted.found_in(os.urandom(100_000)) == set()
