"""Every file in cases/ is a set of layers and what they come to: a configuration, or problems."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bootstrap.errors import BootstrapError
from bootstrap.frozen import Frozen, fields_of
from bootstrap.source import format_path

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
LAYERS = ("image", "user_data", "tags", "schema", "settings", "templates")


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path, resolve_layers):
    """The layers of the case come to what it expects, in every line that it names."""
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
    layers = {name: case[name] for name in LAYERS if name in case}
    if "problems" in case:
        with pytest.raises(BootstrapError) as caught:
            resolve_layers(**layers)
        assert lines(caught.value) == case["problems"]
        assert caught.value.message == case.get("error", caught.value.message)
        for text in case.get("never", ()):
            assert text not in everything(caught.value)
    else:
        compare(resolve_layers(**layers), case["expect"])


def lines(error):
    """The problems as a case writes them: `where path: message (hint)`."""
    return [
        f"{problem.where} {problem.path}: {problem.message}"
        + (f" ({problem.hint})" if problem.hint else "")
        for problem in error.problems
    ]


def everything(error):
    texts = [error.message, error.hint]
    for problem in error.problems:
        texts += [problem.message, problem.hint, problem.text, problem.path, problem.where]
    return "\n".join(texts)


def compare(configuration, expected):
    got = {name: getattr(configuration, name) for name in fields_of(type(configuration))}
    got["origins"] = {format_path(path): where for path, where in got["origins"].items()}
    got["value_secrets"] = {format_path(path): one for path, one in got["value_secrets"].items()}
    got["hidden"] = sorted(format_path(path) for path in got["hidden"])
    for name, value in expected.items():
        if name == "origins":
            assert {path: got["origins"].get(path) for path in value} == value
        elif name == "files":
            assert len(got["files"]) == len(value)
            for file, wanted in zip(got["files"], value, strict=True):
                assert {key: getattr(file, key) for key in wanted} == {
                    key: tuple(item) if isinstance(item, list) else item
                    for key, item in wanted.items()
                }
        else:
            assert plain(got[name]) == value


def plain(value):
    if isinstance(value, Frozen):
        return {name: plain(getattr(value, name)) for name in fields_of(type(value))}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value
