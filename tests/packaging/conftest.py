"""The wheel and the sdist, built without a network from a copy of the checkout."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
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
def building():
    """The functions that build, for tests that do so more than once."""
    return copied, build


def copied(target):
    """Copy the checkout to `target`, without what git ignores."""
    names = _known_to_git()
    if names is None:  # an unpacked sdist, or a machine without git
        shutil.copytree(CHECKOUT, target, ignore=_ignored(), copy_function=shutil.copyfile)
        return target
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(CHECKOUT / name, target / name)
    return target


def _known_to_git():
    """The files that are in git or would be after `git add .`; None where git cannot tell."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
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
