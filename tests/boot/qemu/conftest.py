"""What every boot in QEMU needs: a kernel, a root folder, and a disk made of it."""

import os
import sys
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
for folder in (HERE, HERE.parent):  # the modules beside this file, and those of all boots
    sys.path.insert(0, str(folder))

import disks  # noqa: E402
import guests  # noqa: E402
import kernels  # noqa: E402
import roots  # noqa: E402
import shop  # noqa: E402
import trees  # noqa: E402


def without(reason):
    """Skip; in CI that is a failure, or nobody would notice."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


def pytest_terminal_summary(terminalreporter):
    """What happened in each boot, and when: seconds since power on."""
    if guests.TRANSCRIPT:
        terminalreporter.section("boots in QEMU, seconds since power on")
    for name, events in guests.TRANSCRIPT:
        told = ", ".join(f"{seconds:.1f} {event}" for event, seconds in events)
        terminalreporter.line(f"{name:24} {told}")


@pytest.fixture(scope="session")
def kernel():
    if reason := guests.missing_tool():
        without(reason)
    name = kernels.package_of_the_kernel()
    with roots.locked(roots.CACHE / "kernel.lock"):
        return kernels.prepare_kernel(name, roots.CACHE / name)


@pytest.fixture(scope="session")
def root_of():
    """Give the root folder of Debian 12 with the agent and more packages, once per session."""

    @cache
    def build(*packages):
        try:
            return roots.build("bookworm", packages=packages)
        except roots.Missing as missing:
            without(str(missing))

    return build


@pytest.fixture(scope="session")
def make_disk(kernel, root_of, tmp_path_factory):
    """Make a disk of the root folder with some packages, furnished with the keys given."""

    def make(*packages, **furniture):
        folder = tmp_path_factory.mktemp("disk")
        with disks.changed(root_of(*packages), folder) as tree:
            trees.furnish(tree, **furniture)
            return disks.make_disk(tree, folder / "disk.img")

    return make


@pytest.fixture(scope="session")
def shop_disk(make_disk):
    """The disk of the application's machines; each writes a layer of its own."""
    return make_disk(**shop.FURNITURE)
