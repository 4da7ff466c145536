from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from bootstrap.process import kill_tree
from bootstrap.process.runner import run


def shell(script, *, timeout=10.0):
    return run(["sh", "-c", script], timeout=timeout)


def gone(pid):
    """Whether a process is dead, or soon is: a killed one may still be on its way out."""
    for _ in range(200):
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.01)
    return False


def test_success_has_no_reason():
    """A command that ends with status 0 has succeeded."""
    ended = shell("echo fine")
    assert (ended.failure, ended.output) == ("", "fine")


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exit 3", "ended with status 3"),
        ("kill -SEGV $$", "was killed by SIGSEGV"),
        ("kill -40 $$", "was killed by signal 40"),
    ],
)
def test_failure_is_named(script, reason):
    """A status and a signal are told apart, the signal by its name."""
    assert shell(script).failure == reason


def test_missing_program_is_a_failure_like_others(tmp_path):
    """A program that cannot be started is a failure with a reason, not an exception."""
    assert run(["/nowhere"], timeout=1).failure == (
        "could not be started: No such file or directory"
    )
    (tmp_path / "x").write_text("")
    assert "Permission denied" in run([str(tmp_path / "x")], timeout=1).failure
    assert "null byte" in run(["a\0b"], timeout=1).failure


def test_words_are_not_read_by_a_shell():
    """What stands in a command is an argument, whatever a shell would make of it."""
    assert run(["echo", "$HOME; `id` && *"], timeout=5).output == "$HOME; `id` && *"


def test_output_is_the_bounded_end():
    """Only the last lines are kept, however much was written, and none can move the cursor."""
    ended = shell("seq 1 200000; printf '\\033[2Jred\\377'; exit 1")
    lines = ended.output.splitlines()
    assert len(lines) == 20
    assert lines[-2:] == ["200000", " [2Jred\ufffd"]


def test_standard_error_counts_too():
    """Errors and output come in the order in which they were written."""
    assert shell("echo one; echo two >&2; echo three").output == "one\ntwo\nthree"


def test_standard_input_is_empty():
    """A command that asks a question gets the end of input, and does not hang."""
    assert shell("read answer || echo none").output == "none"


def test_environment_is_small(monkeypatch):
    """Nothing of this process's environment gets in but where programs and home are."""
    monkeypatch.setenv("SECRET", "hunter2")
    monkeypatch.setenv("LD_PRELOAD", "")
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/x")
    names = {line.partition("=")[0] for line in shell("env").output.splitlines()}
    assert names <= {"PATH", "HOME", "TZ", "LANG", "PWD", "SHLVL", "_", "OLDPWD"}


def test_search_path_has_a_default(monkeypatch):
    """Without PATH, the usual folders are searched."""
    monkeypatch.delenv("PATH")
    assert "/usr/sbin" in shell("echo $PATH").output


def test_folder_is_the_root():
    """A command does not depend on where the agent was started."""
    assert shell("pwd").output == "/"


def test_timeout_kills_grandchildren(tmp_path):
    """A command that takes too long is killed with every process that it started."""
    script = f"(trap '' TERM; sleep 60) & echo $! > {tmp_path}/pid; trap '' TERM; sleep 60"
    started = time.monotonic()
    ended = shell(script, timeout=0.5)
    assert ended.failure == "did not end within 0.5 s"
    assert time.monotonic() - started < 5
    assert gone(int((tmp_path / "pid").read_text()))


@pytest.fixture
def pid_of(tmp_path):
    """The id that a process has written down; it is there once the file is."""
    return lambda: int((tmp_path / "pid").read_text())


STRAY = """
import os, sys, time
for step in sys.argv[2]:
    if step == "s":
        os.setsid()
    elif step == "g":
        os.setpgid(0, 0)
    elif os.fork():
        os.wait() if step == "w" else os._exit(0)
        os._exit(0)
with open(sys.argv[1] + ".new", "w") as file:
    file.write(str(os.getpid()))
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(60)
"""


@pytest.fixture
def stray(tmp_path):
    """A command that takes these steps: `s`ession of its own, `g`roup, `f`ork, fork and `w`ait."""
    (tmp_path / "stray.py").write_text(STRAY)
    return lambda steps: f"{sys.executable} {tmp_path}/stray.py {tmp_path}/pid {steps}"


@pytest.mark.parametrize("steps", ["ws", "wsw", "wsws", "f", "fg"])
def test_timeout_kills_who_has_left_the_group(stray, pid_of, steps):
    """Whoever descends from a command that takes too long ends with it, in whatever session."""
    ended = shell(f"trap '' TERM; {stray(steps)} & sleep 60", timeout=2)
    assert ended.failure == "did not end within 2 s"
    assert gone(pid_of())


def test_timeout_kills_nobody_else(stray, pid_of):
    """A daemon that has left every session and parent, and what others have started, go on."""
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        ended = shell(f"{stray('fsf')} >/dev/null 2>&1; sleep 60", timeout=2)
        assert ended.failure == "did not end within 2 s"
        os.kill(pid_of(), signal.SIGKILL)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_id_that_has_become_anothers_is_spared():
    """A process that got the id of one that has ended in the meantime is not stopped."""
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        assert kill_tree._stop((bystander.pid, "1")) == 0
        with open(f"/proc/{bystander.pid}/stat") as file:
            assert file.read().rpartition(")")[2].split()[0] != "T"
    finally:
        bystander.kill()
        bystander.wait()


def test_timeout_counts_when_the_output_is_closed():
    """A command that closes its output is still watched."""
    assert shell("exec >&- 2>&-; sleep 60", timeout=0.3).failure == "did not end within 0.3 s"
    assert shell("exec >&- 2>&-; sleep 0.1; exit 4").failure == "ended with status 4"


def test_timeout_holds_against_endless_output():
    """A command that never stops writing is killed in time."""
    assert shell("yes", timeout=0.3).failure == "did not end within 0.3 s"


def test_background_child_does_not_hold_the_run(tmp_path):
    """A child left in the background, writing or silent, neither delays the end nor is killed."""
    for child in ("sleep 60", "exec yes"):
        started = time.monotonic()
        ended = shell(f"sh -c '{child}' & echo $! > {tmp_path}/pid; echo done")
        assert time.monotonic() - started < 5
        assert ended.failure == ""
        pid = int((tmp_path / "pid").read_text())
        if child == "sleep 60":
            os.kill(pid, signal.SIGKILL)
        assert gone(pid)


def test_no_descriptor_is_inherited(tmp_path):
    """No file that this process holds open is open in a command."""
    with open(tmp_path / "held", "w") as held:
        os.set_inheritable(held.fileno(), True)
        script = f"import os; os.fstat({held.fileno()})"
        assert run([sys.executable, "-c", script], timeout=10).failure == "ended with status 1"
