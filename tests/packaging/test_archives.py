"""What the wheel and the sdist hold."""

import os
import tarfile
import zipfile
from email import message_from_string

import pytest

SHIPPED = ("schema", "templates")


def files_below(folder):
    """The files below a folder, by their paths from it."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def in_wheel(wheel):
    """The names in the wheel, without its own records."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


@pytest.fixture(scope="module")
def in_sdist(sdist):
    """The names in the sdist, without its top folder."""
    with tarfile.open(sdist) as archive:
        return {one.name.partition("/")[2] for one in archive.getmembers() if one.isfile()}


@pytest.fixture(scope="module")
def metadata(wheel):
    """The wheel's METADATA and entry points."""
    with zipfile.ZipFile(wheel) as archive:
        told = {
            name.rpartition("/")[2]: archive.read(name).decode()
            for name in archive.namelist()
            if name.endswith((".dist-info/METADATA", ".dist-info/entry_points.txt"))
        }
    return message_from_string(told["METADATA"]), told["entry_points.txt"]


def test_the_wheel_holds_the_program_and_nothing_else(in_wheel, sources):
    """The package with its schemas and templates inside; no tests, no build files."""
    expected = {f"bootstrap/{name}" for name in files_below(sources / "bootstrap")}
    for folder in SHIPPED:
        expected |= {f"bootstrap/{folder}/{name}" for name in files_below(sources / folder)}
    assert in_wheel == expected


def test_the_wheel_is_typed(in_wheel):
    """Type checkers see the package's types."""
    assert "bootstrap/py.typed" in in_wheel


def test_the_wheel_holds_the_licence(wheel):
    """Whoever has the wheel has the licence."""
    with zipfile.ZipFile(wheel) as archive:
        assert [name for name in archive.namelist() if name.endswith("/licenses/LICENSE")]


def test_the_sdist_holds_the_whole_checkout(in_sdist, sources):
    """A distribution's packager can build, test and package from the sdist alone.

    `make test` looks into every corner: the pages, the packaging, what CI runs. PKG-INFO comes on
    top, and an unpacked sdist, which may be what is tested here, has it already.
    """
    assert in_sdist - {"PKG-INFO"} == files_below(sources) - {"PKG-INFO"}


def test_the_sdist_keeps_scripts_executable(sdist, sources):
    """What is run in the checkout can be run in the unpacked sdist."""
    with tarfile.open(sdist) as archive:
        modes = {one.name.partition("/")[2]: one.mode for one in archive.getmembers()}
    scripts = {name for name in files_below(sources) if os.access(sources / name, os.X_OK)}
    assert scripts & modes.keys() == {
        name for name in files_below(sources) & modes.keys() if modes[name] & 0o100
    }


@pytest.mark.parametrize("archive", ["in_wheel", "in_sdist"])
def test_no_archive_holds_what_machines_left(request, archive):
    """No bytecode, no caches, no environments."""
    parts = {part for name in request.getfixturevalue(archive) for part in name.split("/")}
    assert not {part for part in parts if part.endswith((".pyc", "_cache", ".egg-info"))}
    assert not parts & {"__pycache__", ".venv", ".tox", ".git", ".hypothesis", ".demo"}


def test_four_dependencies_and_no_other(metadata):
    """Nobody who bakes an image gets a library that they were not told of."""
    told, _ = metadata
    needed = [line for line in told.get_all("Requires-Dist") if "extra ==" not in line]
    names = {line.partition(">=")[0].lower() for line in needed}
    assert names == {"jinja2", "jsonschema", "pyyaml", "requests"}


def test_the_wheel_says_which_python(metadata):
    """An older Python is refused when it is installed, not when it boots."""
    told, _ = metadata
    assert told["Requires-Python"] == ">=3.10"


def test_the_command_is_installed(metadata):
    """The wheel brings `imds-bootstrap`."""
    _, commands = metadata
    assert "imds-bootstrap = bootstrap.cli:main" in commands


def test_built_again_the_bytes_are_the_same(built, building, tmp_path):
    """Who builds from the same commit gets the same bytes, whatever their folder and clock."""
    copied, build = building
    folder = copied(tmp_path / "elsewhere" / "deeper")
    for path in folder.rglob("*"):
        os.utime(path, (0, 1_000_000_000))
    again = build(folder, tmp_path / "built")
    assert {path.name for path in again.iterdir()} == {path.name for path in built.iterdir()}
    for path in again.iterdir():
        assert path.read_bytes() == (built / path.name).read_bytes(), path.name


def test_the_sdist_builds_the_same_wheel(sdist, wheel, building, tmp_path):
    """Nothing that the wheel is made from is missing in the sdist."""
    _, build = building
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    again = build(folder, tmp_path / "built", "-t", "wheel")
    assert (again / wheel.name).read_bytes() == wheel.read_bytes()
