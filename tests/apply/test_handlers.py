from __future__ import annotations

import shlex

import pytest

from bootstrap.apply.transaction.handlers import Handlers
from bootstrap.errors import CommandFailed, Problem, WriteError
from bootstrap.process.result import CommandResult


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
    Handlers(handlers, timeout=10).notify(["c", "a", "c"])
    assert path.read_text() == "c\na\n"


def test_failed_handler_stays_due(diary):
    """A handler that fails does not keep the others from running, and alone stays due."""
    path, handler = diary
    handlers = {"bad": handler("bad", 3), "good": handler("good"), "gone": ("/nowhere",)}
    with pytest.raises(CommandFailed) as caught:
        Handlers(handlers, timeout=10).notify(["bad", "good", "gone"])
    assert path.read_text() == "bad\ngood\n"
    assert caught.value.due == ("bad", "gone")
    assert [problem.path for problem in caught.value.problems] == ["handlers.bad", "handlers.gone"]
    assert "exit 3') ended with status 3; handler gone (/nowhere) could" in caught.value.message
    assert caught.value.problems[1].hint == "install it in the image, or correct the command"


def test_slow_handler_is_a_failed_one():
    """A handler has a time, and its end is a failure that says so."""
    with pytest.raises(CommandFailed, match="did not end within"):
        Handlers({"slow": ("sleep", "60")}, timeout=0.2).notify(["slow"])


def test_a_handler_that_waits_for_itself_is_told_the_way_out():
    """`restart` waits for a unit that waits for the handler; another slow command does not."""

    def late(command, *, timeout):
        return CommandResult(f"{command[0]} did not end within {timeout} s", kind="late")

    handlers = {"waits": ("systemctl", "restart", "shop"), "slow": ("sleep", "60")}
    with pytest.raises(CommandFailed) as caught:
        Handlers(handlers, timeout=1, run=late, private=True).notify(handlers)
    waits, slow = caught.value.problems
    assert "try-reload-or-restart" in waits.hint
    assert "run it by hand: sleep 60" in slow.hint


def test_failed_handler_takes_the_files_back(diary):
    """The first that fails puts the old files back; those that ran run again on them."""
    path, handler = diary
    fails_once = ("sh", "-c", f"echo b >> {path}; grep -q old {path}")
    handlers = {"a": handler("a"), "b": fails_once, "c": handler("c")}

    def put_back():
        with path.open("a") as file:
            file.write("old\n")

    with pytest.raises(CommandFailed) as caught:
        Handlers(handlers, timeout=10).notify_or(put_back, ["a", "b", "c"], pending=())
    assert path.read_text() == "a\nb\nold\na\nb\n"
    assert caught.value.rolled_back
    assert caught.value.due == ()
    assert caught.value.message.endswith("; the old files were put back")


def test_handler_that_fails_on_the_old_files_stays_due(diary):
    """What could not be told of the old files either, or had waited before, is due next time."""
    path, handler = diary
    handlers = {"a": handler("a"), "b": handler("b", 2), "c": handler("c"), "d": handler("d")}
    with pytest.raises(CommandFailed, match=r"r b \(sh .*\) on the old files") as caught:
        Handlers(handlers, timeout=10).notify_or(lambda: None, ["a", "b", "c", "d"], pending=["d"])
    assert path.read_text() == "a\nb\na\nb\n"
    assert caught.value.due == ("b", "d")


def test_nothing_is_taken_back_when_all_is_well(diary):
    """Handlers that succeed leave the new files where they are."""
    path, handler = diary
    handlers = {"a": handler("a"), "b": handler("b")}
    Handlers(handlers, timeout=10).notify_or(pytest.fail, ["a", "b"], pending=())
    assert path.read_text() == "a\nb\n"


def test_last_lines_are_told():
    """The error has what the handler wrote last."""
    handlers = {"bad": ("sh", "-c", "seq 100; exit 1")}
    with pytest.raises(CommandFailed) as caught:
        Handlers(handlers, timeout=10).notify(["bad"])
    assert caught.value.problems[0].hint.endswith("99\n100")


def test_output_of_a_private_handler_is_not_told():
    """Where some file holds a secret, what a handler writes may be the secret."""
    handlers = {"bad": ("sh", "-c", "echo wrote-$0; exit 1", "hunter")}
    with pytest.raises(CommandFailed) as caught:
        Handlers(handlers, timeout=10, private=True).notify(["bad"])
    (problem,) = caught.value.problems
    assert "wrote-hunter" not in repr(caught.value.as_dict())
    assert problem.hint.endswith(f"a secret; run it by hand: {shlex.join(handlers['bad'])}")


def test_a_handler_is_told_with_its_place():
    """Whoever has to mend it finds it in its document; a long script is cut, on one line."""
    script = "exit 1\n" + "# and so on\n" * 99
    handlers = Handlers({"s": ("sh", "-c", script)}, timeout=10, origins={"s": "a.yaml:9:3"})
    with pytest.raises(CommandFailed) as caught:
        handlers.notify(["s"])
    (problem,) = caught.value.problems
    assert (problem.where, problem.path) == ("a.yaml:9:3", "handlers.s")
    assert problem.message.startswith("(sh -c 'exit 1 # and so on # and")
    assert len(problem.message) < 160
    assert "…" in problem.message


def test_a_failed_rollback_still_tells_of_the_handler(diary):
    """Files that cannot be put back are told with the reason why they were to be."""
    _, handler = diary

    def put_back():
        raise WriteError("cannot", problems=[Problem("read-only", path="/a")])

    with pytest.raises(WriteError) as caught:
        Handlers({"a": handler("a", 3)}, timeout=10).notify_or(put_back, ["a"], pending=())
    assert [problem.path for problem in caught.value.problems] == ["handlers.a", "/a"]
