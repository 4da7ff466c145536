"""Each file in cases/ is a template and what becomes of it; adding one needs no Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.document import parse
from bootstrap.errors import RenderError

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))


def written(problem):
    return f"{problem.where}:{problem.column} | {problem.message} | {problem.hint}".rstrip()


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_case(path, render_text):
    """Each case keeps the promise that it opens with."""
    case = parse(path.read_text(), path.name).data
    templates = case.get("templates")
    if "expected" in case:
        assert render_text(case["template"], templates=templates) == case["expected"]
        return
    with pytest.raises(RenderError) as caught:
        render_text(case["template"], templates=templates)
    assert [written(problem) for problem in caught.value.problems] == case["problems"]
    assert {problem.path for problem in caught.value.problems} == {"/etc/main"}
