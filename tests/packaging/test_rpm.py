"""The RPM package: what is in it, what it asks for, and that it comes and goes as it should.

There is no RPM distribution to install it in: it is installed by Debian's rpm, on a throwaway copy
of the machine that runs the test.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bootstrap import __version__

CHECKOUT = Path(__file__).parents[2]
RPM = CHECKOUT / "packaging" / "rpm"
HOME = "/usr/share/imds-bootstrap"
NAMES = {"jinja2": "jinja2", "jsonschema": "jsonschema", "PyYAML": "pyyaml", "requests": "requests"}
DOCUMENTATION = ("/usr/share/doc/", "/usr/share/man/", "/usr/share/licenses/")
EXAMPLES = {"application.conf.example", "override.conf.example", "image"}
BESIDES = {
    "/usr/bin/imds-bootstrap",
    "/usr/lib/systemd/system-preset/50-imds-bootstrap.preset",
    "/usr/lib/systemd/system/imds-bootstrap-follow.service",
    "/usr/lib/systemd/system/imds-bootstrap.service",
    "/usr/lib/systemd/system/imds-bootstrap.target",
    "/usr/lib/systemd/system/imds-bootstrap.timer",
    "/usr/lib/tmpfiles.d/imds-bootstrap.conf",
    "/usr/share/bash-completion/completions/imds-bootstrap",
}

pytestmark = pytest.mark.skipif(
    shutil.which("rpmbuild") is None and os.environ.get("CI") != "true",
    reason="rpmbuild is not installed",
)


@pytest.fixture(scope="module")
def rpm(sources, build_environment, tmp_path_factory):
    """The package's path."""
    folder = tmp_path_factory.mktemp("rpm")
    built = subprocess.run(
        [sources / "packaging/rpm/build.sh", folder],
        env=build_environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder / f"imds-bootstrap-{__version__}-1.noarch.rpm"


@pytest.fixture(scope="module")
def unpacked(rpm, tmp_path_factory):
    """The package's files, as they would lie below `/`."""
    folder = tmp_path_factory.mktemp("unpacked")
    archive = subprocess.run(["rpm2cpio", str(rpm)], capture_output=True, check=True).stdout
    command = ["cpio", "--extract", "--make-directories", "--quiet"]
    subprocess.run(command, input=archive, cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def life(rpm):
    """What a whole life of the package leaves to see, by section, as lists of lines."""
    if os.geteuid():
        pytest.skip("only root may install a package")
    if Path(HOME).exists():
        pytest.skip("the program is installed on this machine")
    told = subprocess.run(
        ["unshare", "--mount", str(Path(__file__).parent / "rpm_life.sh"), str(rpm)],
        capture_output=True,
        text=True,
        check=False,
    )
    if "mount:" in told.stderr or "unshare:" in told.stderr:
        pytest.skip(f"this machine gives no overlay to install in: {told.stderr.strip()}")
    assert told.returncode == 0, told.stderr
    sections = re.split(r"^== (\w+)\n", told.stdout, flags=re.MULTILINE)[1:]
    return {name: text.splitlines() for name, text in zip(*[iter(sections)] * 2, strict=True)}


def ask(rpm, *query):
    """What rpm knows of the package, as lines."""
    told = subprocess.run(["rpm", "-qp", *query, rpm], capture_output=True, text=True, check=True)
    return told.stdout.splitlines()


def files_of(folder):
    """Every file below a folder, by its path from there."""
    return {f"/{path.relative_to(folder)}" for path in folder.rglob("*") if not path.is_dir()}


def test_the_program_is_whole(unpacked, sources):
    """Each module, schema and template of the checkout is there, as it is, and nothing else."""
    folders = {"bootstrap": "", "schema": "bootstrap/", "templates": "bootstrap/"}
    wanted = {
        f"/{below}{path.relative_to(sources)}": path
        for folder, below in folders.items()
        for path in (sources / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    home = unpacked / HOME.lstrip("/")
    assert files_of(home) == set(wanted)
    for name, path in wanted.items():
        assert (home / name.lstrip("/")).read_bytes() == path.read_bytes(), name


def test_nothing_lies_where_it_should_not(unpacked):
    """Beside the program, its pages and its examples there is what is listed here, and no more."""
    found = {path for path in files_of(unpacked) if not path.startswith((HOME, *DOCUMENTATION))}
    assert found == BESIDES
    for unit in (CHECKOUT / "packaging" / "systemd").glob("imds-bootstrap*"):
        assert (unpacked / "usr/lib/systemd/system" / unit.name).read_bytes() == unit.read_bytes()
    etc = unpacked / "etc" / "imds-bootstrap"
    assert {path.name for path in etc.iterdir()} == {"agent.d", "config.d", "templates"}
    assert len(list((unpacked / "usr/share/man").rglob("*.gz"))) == 2
    [examples] = (unpacked / "usr/share/doc").rglob("examples")
    assert {path.name for path in examples.iterdir()} == EXAMPLES
    assert (examples / "image/config.d/10-shop.yaml").is_file()
    assert (examples.parent / "documents.md").is_file()


def test_everything_belongs_to_root(rpm):
    """No file of the package can be changed by anybody else."""
    for line in ask(
        rpm, "--queryformat", "[%{FILEMODES:perms} %{FILEUSERNAME} %{FILEGROUPNAME}\n]"
    ):
        mode, owner, group = line.split()
        assert (owner, group) == ("root", "root")
        assert mode[5] == mode[8] == "-"


def test_it_asks_for_what_the_program_asks_for(rpm):
    """Libraries and Python are wanted in the versions that pyproject.toml names."""
    project = (CHECKOUT / "pyproject.toml").read_text()
    asked = re.findall(r'^    "(\w+)>=([\d.]+)", +# ', project, re.MULTILINE)
    wanted = {f"python3-{NAMES[name]} >= {version}" for name, version in asked if name in NAMES}
    assert len(wanted) == len(NAMES)
    [python] = re.findall(r'^requires-python = ">=([\d.]+)"$', project, re.MULTILINE)
    found = {line for line in ask(rpm, "--requires") if not line.startswith(("rpmlib(", "/"))}
    assert found == {*wanted, f"python3 >= {python}", "systemd"}


def test_it_says_what_it_is(rpm):
    """The version is the program's, it fits every architecture, and no machine's name shows."""
    told = ask(rpm, "--queryformat", "%{VERSION}-%{RELEASE} %{ARCH} %{BUILDHOST}\n")
    assert told == [f"{__version__}-1 noarch localhost"]
    newest = ask(rpm, "--queryformat", "[%{CHANGELOGNAME}\n]")[0]
    assert newest.endswith(f" - {__version__}-1")


def test_no_script_starts_or_stops_the_boot_unit(rpm):
    """An upgrade restarts no application: the unit is enabled, and left as it is."""
    done = re.findall(r"systemctl(?: --\S+)* ([a-z-]+)(.*)", "\n".join(ask(rpm, "--scripts")))
    assert {verb for verb, _ in done} <= {"daemon-reload", "preset", "disable", "stop", "show"}
    assert all(what.startswith(" imds-bootstrap.timer") for verb, what in done if verb == "stop")


def test_rpmlint_accepts_it(rpm):
    """Neither the spec nor the package has a finding that is not explained in rpmlintrc."""
    if shutil.which("rpmlint") is None:
        pytest.skip("rpmlint is not installed")
    told = subprocess.run(
        ["rpmlint", "--rpmlintrc", RPM / "rpmlintrc", RPM / "imds-bootstrap.spec", rpm],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout
    assert "0 errors, 0 warnings" in told.stdout


def test_installed_it_waits_for_the_next_boot(life):
    """The unit and its target are enabled, the timer is not."""
    assert life["enabled"] == ["service enabled", "target enabled", "timer disabled"]


def test_installed_every_module_is_compiled(life):
    """No boot pays for compiling: no source is without its bytecode."""
    assert life["uncompiled"] == []


def test_installed_it_runs(life):
    """The program finds its modules and what ships with them."""
    assert life["program"] == [f"imds-bootstrap {__version__}", "{"]


def test_erased_only_what_others_made_is_left(life):
    """There is no purge: the memory stays until `imds-bootstrap clean` or a person removes it."""
    assert [line for line in life["erased"] if "licenses" not in line] == [
        "d etc/imds-bootstrap",
        "d etc/imds-bootstrap/config.d",
        "d var/lib/imds-bootstrap",
        "f etc/imds-bootstrap/config.d/10-shop.yaml",
        "f var/lib/imds-bootstrap/journal.json",
    ]
