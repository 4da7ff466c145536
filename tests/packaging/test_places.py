"""What ships is found alike wherever the package lies: wheel, checkout, editable, zipapp.

Each place is the first on the module path of a process of its own; the libraries come from the
environment in which the tests run.
"""

import os
import shutil
import subprocess
import sys
import zipapp
import zipfile

import pytest

PLACES = ("wheel", "checkout", "editable", "zipapp")
LAUNCH = "import sys; from bootstrap.cli import main; sys.exit(main())"
TEMPLATES = "from bootstrap import resources; print(*resources.names('templates'))"
EDITABLE = "import sys; from hatchling.build import build_editable; build_editable(sys.argv[1])"
WHERE = "import bootstrap; print(bootstrap.__file__)"


@pytest.fixture(scope="module")
def unpacked(wheel, tmp_path_factory):
    """The wheel as an installer lays it out."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module", params=PLACES)
def place(request, unpacked, sources, tmp_path_factory):
    """What stands on the module path: a folder, or an archive."""
    if request.param == "wheel":
        return unpacked
    if request.param == "checkout":
        return sources
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "editable":
        return linked(sources, folder)
    whole = shutil.copytree(unpacked, folder / "whole")
    (whole / "__main__.py").write_text(LAUNCH)
    zipapp.create_archive(whole, folder / "imds-bootstrap.pyz", compressed=True)
    return folder / "imds-bootstrap.pyz"


def linked(sources, folder):
    """The folder that an editable install puts on the module path, by the .pth file that it has."""
    command = [sys.executable, "-c", EDITABLE, str(folder)]
    ended = subprocess.run(command, cwd=sources, capture_output=True, text=True, check=False)
    if "No module named 'editables'" in ended.stderr:
        pytest.skip("hatchling makes editable wheels with the library editables")
    assert ended.returncode == 0, ended.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".pth")]
        return archive.read(name).decode().strip()


def python(place, code, *words):
    """Standard output of a program whose modules come from `place` first."""
    path = os.pathsep.join([str(place), os.environ["PYTHONPATH"]])
    ended = subprocess.run(
        [sys.executable, "-c", code, *words],
        env={**os.environ, "PYTHONPATH": path},
        cwd=os.sep,  # `-c` looks in the current folder first
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_it_is_the_package_of_that_place(place):
    """The package under test is not the one that the tests' own environment has."""
    assert python(place, WHERE).startswith(f"{place}{os.sep}bootstrap")


@pytest.mark.parametrize("name", ["document", "settings", "status", "machine"])
def test_the_schema_is_found(place, sources, name):
    """`schema NAME` prints the file as it stands in the checkout."""
    expected = (sources / "schema" / f"{name}.schema.json").read_text()
    assert python(place, LAUNCH, "schema", name) == expected


def test_every_template_is_found(place, sources):
    """The templates that ship have the same names everywhere."""
    folder = sources / "templates"
    files = (path for path in folder.rglob("*") if path.is_file())
    expected = sorted(str(path.relative_to(sources)) for path in files)
    assert python(place, TEMPLATES).split() == expected


def test_the_demo_runs(place, tmp_path):
    """The whole story, with the sample image and the templates that ship."""
    told = python(place, LAUNCH, "demo", "--folder", str(tmp_path / "demo"))
    assert "A userData with mistakes" in told


def test_a_zipapp_is_a_program(unpacked, tmp_path):
    """`python imds-bootstrap.pyz` is the command, with its exit codes."""
    whole = shutil.copytree(unpacked, tmp_path / "whole")
    (whole / "__main__.py").write_text(LAUNCH)
    program = tmp_path / "imds-bootstrap.pyz"
    zipapp.create_archive(whole, program)
    told = [
        subprocess.run([sys.executable, str(program), word], capture_output=True, check=False)
        for word in ("--version", "rnu")
    ]
    assert [ended.returncode for ended in told] == [0, 2]
    assert told[0].stdout.startswith(b"imds-bootstrap ")
    assert b"did you mean run?" in told[1].stderr
