"""What ships, built from a copy of the checkout.

The wheel and the sdist need no network. The zipapp needs what pip gets its pinned libraries from;
where that cannot be reached its tests are skipped, and in CI they fail.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
UNREACHABLE = "No matching distribution found"  # what pip says when its index does not answer
MOMENT = "1700000000"  # what the archives' files are dated, in seconds since 1970


@pytest.fixture(scope="session")
def sources(tmp_path_factory):
    """A copy of the checkout as a fresh clone would be, changes of today included."""
    return copied(tmp_path_factory.mktemp("sources") / "checkout")


@pytest.fixture(scope="session")
def built(sources, tmp_path_factory):
    """The folder that holds one wheel and one sdist of the checkout."""
    return build(sources, tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="session")
def wheel(built):
    """The wheel's path."""
    return next(built.glob("*.whl"))


@pytest.fixture(scope="session")
def sdist(built):
    """The sdist's path."""
    return next(built.glob("*.tar.gz"))


@pytest.fixture(scope="session")
def pyz(sources, build_environment, tmp_path_factory):
    """The zipapp's path; it holds the bytecode for the Python that runs the tests, and no other."""
    folder = tmp_path_factory.mktemp("zipapp")
    ended = subprocess.run(
        [sources / "packaging/zipapp/build.sh", folder],
        env=build_environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if UNREACHABLE in ended.stderr and os.environ.get("CI") != "true":
        pytest.skip("pip cannot get the pinned libraries of the zipapp here")
    assert ended.returncode == 0, ended.stderr
    return folder / "imds-bootstrap.pyz"


@pytest.fixture(scope="session")
def build_environment():
    """The environment of a build by script: this Python, this date; pip may ask its index."""
    unguarded = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    chosen = {"PYTHON": sys.executable, "BYTECODE_PYTHONS": sys.executable}
    return unguarded | chosen | {"SOURCE_DATE_EPOCH": MOMENT}


@pytest.fixture(scope="session")
def building():
    """The functions that build, for tests that do so more than once."""
    return copied, build


def copied(target):
    """Copy the checkout to `target`: what git tracks, as it is now."""
    names = _known_to_git()
    if names is None:  # an unpacked sdist, or a machine without git
        shutil.copytree(CHECKOUT, target, ignore=_ignored(), copy_function=shutil.copy)
        return target
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / name, target / name)  # with its mode: scripts are run
    return target


def _known_to_git():
    """List what is in git; None where git cannot tell. A log that CI leaves beside it is not."""
    command = ["git", "ls-files", "-z"]
    try:
        told = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    names = [name for name in told.stdout.split("\0") if (CHECKOUT / name).is_file()]
    # A checkout inside another repository, which knows nothing of it, is none of git's.
    return names if "pyproject.toml" in names else None


def _ignored():
    """What .gitignore names, for shutil.copytree."""
    lines = (CHECKOUT / ".gitignore").read_text().split()
    return shutil.ignore_patterns(".git", *(line.rstrip("/") for line in lines))


def build(sources, target, *options):
    """Build below `sources` what `options` name, or both archives, into `target`; gives it."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(target), *options],
        cwd=sources,
        env={**os.environ, "SOURCE_DATE_EPOCH": MOMENT},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return target
