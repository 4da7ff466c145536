"""Names that went out of the code do not come back: each had a term of the field in its place."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

PACKAGE = Path(__file__).parents[2] / "bootstrap"
GONE = frozenset(Path(__file__).with_name("gone.txt").read_text().split())
# Modules by their whole path: a name such as `trust` may well be a variable.
GONE_MODULES = [
    f"bootstrap.{name}" for name in Path(__file__).with_name("gone_modules.txt").read_text().split()
]


def names_in(path):
    """Every identifier of a file: what it defines, uses, imports and takes as an argument."""
    for node in ast.walk(ast.parse(path.read_text())):
        for field in ("id", "attr", "name", "arg", "asname"):
            name = getattr(node, field, None)
            if isinstance(name, str):
                yield name.rpartition(".")[2]


FILES = sorted(PACKAGE.rglob("*.py"))


def test_there_is_something_to_look_at():
    """The list is not empty, and each of its names is one word."""
    assert len(FILES) > 200
    assert len(GONE) > 30
    assert all(name.isidentifier() for name in GONE)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_name_comes_back(path):
    """Neither as a definition nor as a use."""
    assert not GONE & set(names_in(path))


@pytest.mark.parametrize("module", GONE_MODULES)
def test_no_module_comes_back(module):
    """Nor does its folder, or a mention in a docstring or a comment of the package."""
    place = PACKAGE.parent / module.replace(".", "/")
    assert not place.with_suffix(".py").exists()
    assert not list(place.glob("*.py"))
    word = re.compile(rf"{re.escape(module)}\b")
    assert not [path for path in FILES if word.search(path.read_text())]
