"""What boots need: root folders, machines of them, and a network for each."""

import os
import shutil
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # the modules beside this file

import roots  # noqa: E402
from machines import BOOTS, Machine  # noqa: E402
from network import Network  # noqa: E402

TOOLS = {
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "journalctl": "systemd",
}
OLDEST = "bookworm"  # what packages are promised to work on
NEWEST, BEFORE = "forky", "trixie"  # the second where the first cannot be built


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.boot)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Each boot's cost knows its test."""
    before = len(BOOTS)
    try:
        return (yield)
    finally:
        for number, boot in enumerate(BOOTS[before:], 1):
            boot["test"] = f"{item.name} ({number})"


def pytest_terminal_summary(terminalreporter):
    """What the agent's unit took in each boot; milliseconds, since systemd began."""
    if not BOOTS:
        return
    terminalreporter.section("the agent's unit in each boot, ms since systemd began")
    terminalreporter.line(f"{'began':>6} {'ended':>6} {'cpu':>5}  exit  system    boot")
    for boot in BOOTS:
        cpu = "-" if boot["cpu"] is None else f"{boot['cpu']:.0f}"
        terminalreporter.line(
            f"{boot['began']:6.0f} {boot['ended']:6.0f} {cpu:>5}  {boot['status']:4}"
            f"  {boot['machine']:8}  {boot['test']}"
        )


def unable(reason):
    """Skip; in CI that is a failure, or nobody would notice."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


@pytest.fixture(scope="session")
def containers():
    """That this machine can boot containers; asked for by whatever does."""
    if sys.platform != "linux" or os.geteuid() != 0:
        unable("booting machines needs Linux and root")
    for tool, package in TOOLS.items():
        if shutil.which(tool) is None:
            unable(f"booting machines needs {tool}: apt-get install {package}")
    # Whoever ends the tests so ends the machines and their networks too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def oldest(containers):
    """The root folder of Debian 12."""
    return built(OLDEST)


@pytest.fixture(scope="session")
def newest(containers, request):
    """The root folder of the newest Debian that can be had."""
    try:
        return roots.build(NEWEST)
    except (roots.Missing, roots.Unbuilt) as reason:
        text = f"{NEWEST} cannot be built, {BEFORE} is booted instead: {reason}"
        request.config.issue_config_time_warning(UserWarning(text), stacklevel=2)
        return built(BEFORE)


def built(suite):
    try:
        return roots.build(suite)
    except roots.Missing as reason:
        unable(str(reason))


@pytest.fixture(params=["oldest", "newest"])
def root(request):
    """Each of the two root folders in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def network(tmp_path):
    """Make networks; they end with the test, after the machines in them."""
    with ExitStack() as made:

        def make(described=None, **how):
            folder = tmp_path / f"network-{len(list(tmp_path.iterdir()))}"
            return made.enter_context(Network(folder, described, **how))

        yield make


@pytest.fixture
def machine(tmp_path, network):
    """Make machines of a root folder; their disks go with the test."""
    made = []

    def make(root, files=None):
        one = Machine(tmp_path / f"machine-{len(made)}", root)
        made.append(one.folder)
        if files:
            one.lay(files)
        return one

    yield make
    for folder in made:
        shutil.rmtree(folder)
