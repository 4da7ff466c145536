from __future__ import annotations

import fcntl
import os
import signal
import stat
import subprocess
import sys
import time

import pytest

from bootstrap.errors import LockHeld
from bootstrap.process.runner import run
from bootstrap.state.lock import Lock

HOLD = """
import sys, time
from bootstrap.state.lock import Lock
with Lock(root=sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


class Time:
    """A clock that runs only while somebody sleeps."""

    def __init__(self):
        self.now = 0.0
        self.on_sleep = lambda: None

    def clock(self):
        """Seconds since the test began."""
        return self.now

    def sleep(self, seconds):
        """Let time pass, and let happen what happens meanwhile."""
        self.now += seconds
        self.on_sleep()


def lock(root, *, wait=0.0, clock=None):
    clock = clock or Time()
    return Lock(root=str(root), wait=wait, clock=clock.clock, sleep=clock.sleep)


def take(root, **arguments):
    with lock(root, **arguments):
        pass


def test_second_run_waits_and_gives_up(tmp_path, holder):
    """A run that finds another one waits until its time is up, then names the other."""
    clock = Time()
    with pytest.raises(LockHeld) as caught:
        take(tmp_path, wait=7.0, clock=clock)
    assert clock.now == pytest.approx(7.0)
    assert caught.value.message == f"another run (process {holder.pid}) is at work"


def test_second_run_goes_on_when_the_first_ends(tmp_path):
    """A run that waits goes on as soon as the lock is free."""
    clock = Time()
    first = lock(tmp_path)
    first.__enter__()
    clock.on_sleep = lambda: first.__exit__(None, None, None)
    take(tmp_path, wait=60.0, clock=clock)
    assert clock.now == pytest.approx(0.1)


def test_killed_holder_keeps_nothing(tmp_path, holder):
    """A process that is killed without warning no longer holds the lock."""
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    take(tmp_path)


def test_command_that_outlives_the_run_keeps_nothing(tmp_path):
    """A daemon that a handler leaves behind does not hold the lock of the run that started it."""
    pid = tmp_path / "pid"
    with lock(tmp_path):
        run(["sh", "-c", f"sleep 60 >/dev/null 2>&1 & echo $! > {pid}"], timeout=10)
    try:
        take(tmp_path)
    finally:
        os.kill(int(pid.read_text()), signal.SIGKILL)


def test_error_inside_lets_go(tmp_path):
    """A run that fails lets go of the lock."""
    with pytest.raises(ZeroDivisionError), lock(tmp_path):
        raise ZeroDivisionError
    take(tmp_path)


def test_lock_is_held_while_inside(tmp_path):
    """Within the `with` statement nobody else gets in, in this process neither."""
    with lock(tmp_path), pytest.raises(LockHeld, match=f"process {os.getpid()}"):
        take(tmp_path)


def test_only_root_can_open_it(tmp_path):
    """The lock is 0600, so no other user can hold it; its folder is open for the status."""
    take(tmp_path)
    folder = tmp_path / "run/imds-bootstrap"
    assert stat.S_IMODE((folder / "lock").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_removed_lock_does_not_let_two_in(tmp_path, monkeypatch):
    """A lock file that is removed between opening and locking it is not taken for the lock."""
    path = tmp_path / "run/imds-bootstrap/lock"
    flock = fcntl.flock
    removed = []

    def remove_first(descriptor, operation):
        if not removed:
            removed.append(path.unlink())
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", remove_first)
    with lock(tmp_path, wait=1.0), pytest.raises(LockHeld):
        take(tmp_path)
    assert removed


@pytest.mark.parametrize("content", ["", "garbage", "9" * 100])
def test_holder_may_be_unknown(tmp_path, content):
    """A lock file with anything in it is a lock file."""
    with lock(tmp_path):
        (tmp_path / "run/imds-bootstrap/lock").write_text(content)
        with pytest.raises(LockHeld, match="another run"):
            take(tmp_path)


def test_many_runs_one_at_a_time(tmp_path):
    """Of many processes that start at once, each gets its turn alone."""
    script = """
import os, sys
from bootstrap.state.lock import Lock
with Lock(root=sys.argv[1], wait=30):
    os.mkdir(sys.argv[1] + "/inside")
    os.rmdir(sys.argv[1] + "/inside")
"""
    started = time.monotonic()
    command = [sys.executable, "-c", script, str(tmp_path)]
    processes = [subprocess.Popen(command) for _ in range(6)]
    assert [process.wait(timeout=30) for process in processes] == [0] * 6
    assert time.monotonic() - started < 30
