"""Crash tests: the tracer they need, the machine they disturb, and how often they did."""

import os
import shutil
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # the modules beside this file

from promises import Expected  # noqa: E402
from tracing import STRACE, Program, changing  # noqa: E402
from victim import Machine  # noqa: E402

COUNTED = ("crash points", "recoveries", "faults", "power cuts")


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    """The program, warm; skipped where it cannot be traced, which CI does not let pass."""
    reason = _cannot_trace()
    if reason and os.environ.get("CI"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    warm = Program(tmp_path_factory.mktemp("program"))
    yield warm
    warm.close()


def _cannot_trace():
    if sys.platform != "linux":
        return "system calls are traced on Linux"
    if not STRACE:
        return "there is no strace: apt-get install strace"
    tried = shutil.which("true")
    if os.spawnl(os.P_WAIT, STRACE, "strace", "-qq", "-o", os.devnull, tried):
        return "strace may not trace here"
    return ""


@pytest.fixture(scope="session")
def first(program, tmp_path_factory):
    """The machine, what it shall become, and the calls of the run that gets it there."""
    machine = Machine(tmp_path_factory.mktemp("crash"), program)
    machine.restore()
    expected = Expected(machine)
    machine.restore()
    ended, calls = program.trace(*machine.run_argv(), root=machine.root)
    assert ended.code == 0, ended.err
    return machine, expected, calls


@pytest.fixture
def machine(first):
    """The machine in its first state."""
    first[0].restore()
    return first[0]


@pytest.fixture
def expected(first):
    return first[1]


@pytest.fixture
def points(first):
    """Every call of the undisturbed run that changes the file system, in order."""
    return changing(first[2])


@pytest.fixture
def opened(first):
    """The same, and every call that opens something, to know what is written where."""
    return first[2]


@pytest.fixture
def count(record_property):
    """Tell how many disturbances of a kind were tried."""
    return record_property


def pytest_terminal_summary(terminalreporter):
    """The number of disturbances, from all workers."""
    totals = dict.fromkeys(COUNTED, 0)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "call":
                for name, number in report.user_properties:
                    if name in totals:
                        totals[name] += number
    if any(totals.values()):
        told = ", ".join(f"{name} tried: {number}" for name, number in totals.items())
        terminalreporter.write_line(told)
