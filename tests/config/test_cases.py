"""Every file in cases/ is a set of layers and what they come to: a configuration, or problems."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from bootstrap.config.model import Configuration, FileSpec, SecretReference
from bootstrap.document import format_path
from bootstrap.errors import BootstrapError
from bootstrap.frozen import Frozen, fields_of

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
LAYERS = {"image", "user_data", "tags", "schema", "settings", "templates"}
OUTCOMES = {"expect", "problems", "error", "never"}
SECRETS = ("secrets", "value_secrets")


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path, resolve_layers):
    """The layers of the case come to what it expects, and to nothing else."""
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert not case.keys() - LAYERS - OUTCOMES, "a key that nothing reads"
    layers = {name: case[name] for name in LAYERS & case.keys()}
    if "problems" in case:
        with pytest.raises(BootstrapError) as caught:
            resolve_layers(**layers)
        assert lines(caught.value) == case["problems"]
        assert caught.value.message == case.get("error", "the configuration is not valid")
        for text in case.get("never", ()):
            assert text not in everything(caught.value)
    else:
        got, wanted = written(resolve_layers(**layers)), written(expected(case["expect"]))
        assert got == wanted
        assert json.dumps(got, sort_keys=True) == json.dumps(wanted, sort_keys=True)  # 1 and true


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


def expected(case):
    """The configuration that a case describes; what it does not name is as in an empty one."""
    given = dict(case)
    given["files"] = tuple(FileSpec(**one) for one in case.get("files", ()))
    for name in SECRETS:
        named = case.get(name, {})
        given[name] = {path: SecretReference(**one) for path, one in named.items()}
    return Configuration(**given)


def written(configuration):
    """The configuration as plain data, with paths as people write them."""
    got = plain(configuration)
    got["hidden"] = sorted(map(as_text, configuration.hidden))
    for name in ("origins", "value_secrets"):
        got[name] = {as_text(path): one for path, one in got[name].items()}
    return got


def as_text(path):
    return path if isinstance(path, str) else format_path(path)


def plain(value):
    if isinstance(value, Frozen):
        return {name: plain(getattr(value, name)) for name in fields_of(type(value))}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, frozenset):
        return sorted(map(plain, value))
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value
