from __future__ import annotations

import pytest

from bootstrap.apply.handlers import notify
from bootstrap.errors import CommandFailed


@pytest.fixture
def diary(tmp_path):
    """A file to which handlers write, and a way to make them."""
    path = tmp_path / "diary"
    path.write_text("")

    def handler(word, status=0):
        return ("sh", "-c", f"echo {word} >> {path}; exit {status}")

    return path, handler


def test_each_handler_runs_once_in_order(diary):
    """Handlers run in the order given, each once."""
    path, handler = diary
    handlers = {name: handler(name) for name in ("a", "b", "c")}
    notify(["c", "a", "c"], handlers, timeout=10)
    assert path.read_text() == "c\na\n"


def test_failed_handler_stays_due(diary):
    """A handler that fails does not keep the others from running, and alone stays due."""
    path, handler = diary
    handlers = {"bad": handler("bad", 3), "good": handler("good"), "gone": ("/nowhere",)}
    with pytest.raises(CommandFailed) as caught:
        notify(["bad", "good", "gone"], handlers, timeout=10)
    assert path.read_text() == "bad\ngood\n"
    assert caught.value.due == ("bad", "gone")
    assert [problem.path for problem in caught.value.problems] == ["handlers.bad", "handlers.gone"]
    assert "handler bad (sh) ended with status 3" in caught.value.message


def test_slow_handler_is_a_failed_one():
    """A handler has a time, and its end is a failure that says so."""
    with pytest.raises(CommandFailed, match="did not end within"):
        notify(["slow"], {"slow": ("sleep", "60")}, timeout=0.2)
