"""The Debian package: what is in it, what it asks for, and that it comes and goes as it should.

It is built once, by the script that builds it for everybody. That it boots is seen in tests/boot.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bootstrap import __version__
from bootstrap.config.secret_policy import CREDENTIAL_FOLDERS
from bootstrap.state.manifest import Written
from bootstrap.state.record import State, encode

CHECKOUT = Path(__file__).parents[2]
DEBIAN = CHECKOUT / "packaging" / "deb" / "debian"
HOME = "/usr/share/imds-bootstrap"
NAMES = {"jinja2": "jinja2", "jsonschema": "jsonschema", "PyYAML": "yaml", "requests": "requests"}
DOCUMENTATION = ("/usr/share/doc/", "/usr/share/man/")
EXAMPLES = {"application.conf.example", "override.conf.example", "image"}
BESIDES = {
    "/etc/needrestart/conf.d/imds-bootstrap.conf",
    "/lib/systemd/system/imds-bootstrap-follow.service",
    "/lib/systemd/system/imds-bootstrap.service",
    "/lib/systemd/system/imds-bootstrap.target",
    "/lib/systemd/system/imds-bootstrap.timer",
    "/usr/lib/systemd/system-preset/50-imds-bootstrap.preset",
    "/usr/bin/imds-bootstrap",
    "/usr/lib/tmpfiles.d/imds-bootstrap.conf",
    "/usr/share/bash-completion/completions/imds-bootstrap",
    "/usr/share/lintian/overrides/imds-bootstrap",
    "/usr/share/python3/runtime.d/imds-bootstrap.rtupdate",
}


def output(*command):
    """What a command prints; it must succeed."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def packages(sources, build_environment, tmp_path_factory):
    """The folder that the build script fills."""
    if shutil.which("dpkg-checkbuilddeps") is None:
        pytest.skip("dpkg-dev is not installed")
    missing = subprocess.run(
        ["dpkg-checkbuilddeps", str(DEBIAN / "control")],
        capture_output=True,
        text=True,
        check=False,
    )
    if missing.returncode and os.environ.get("CI") != "true":
        pytest.skip(missing.stderr.strip())
    folder = tmp_path_factory.mktemp("deb")
    built = subprocess.run(
        [sources / "packaging/deb/build.sh", folder],
        env=build_environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture(scope="module")
def deb(packages):
    """The package's path."""
    return packages / f"imds-bootstrap_{__version__}-1_all.deb"


@pytest.fixture(scope="module")
def unpacked(deb, tmp_path_factory):
    """The package's files, as they would lie below `/`."""
    folder = tmp_path_factory.mktemp("unpacked")
    subprocess.run(["dpkg-deb", "--extract", str(deb), str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def scripts(deb, tmp_path_factory):
    """What dpkg runs, by the name of the script."""
    folder = tmp_path_factory.mktemp("control")
    subprocess.run(["dpkg-deb", "--control", str(deb), str(folder)], check=True)
    return {name: (folder / name).read_text() for name in ("postinst", "prerm", "postrm")}


@pytest.fixture(scope="module")
def life(deb, tmp_path_factory):
    """What a whole life of the package leaves to see, by section, as lists of lines."""
    if os.geteuid():
        pytest.skip("only root may install a package")
    if Path(HOME).exists():
        pytest.skip("the package is installed on this machine")
    state = tmp_path_factory.mktemp("state") / "state.json"
    plain, sealed = CREDENTIAL_FOLDERS["plain"], CREDENTIAL_FOLDERS["sealed"]
    paths = [f"{plain}/ours", f"{sealed}/ours", "/etc/shop/shop.toml"]
    written = {
        path: Written(path=path, sha256="0" * 64, mode=0o600, uid=0, gid=0) for path in paths
    }
    state.write_bytes(encode(State(vm_id="vm", written=written)))
    script = Path(__file__).parent / "debian_life.sh"
    told = subprocess.run(
        ["unshare", "--mount", str(script), str(deb), str(state)],
        capture_output=True,
        text=True,
        check=False,
    )
    if "mount:" in told.stderr or "unshare:" in told.stderr:
        pytest.skip(f"this machine gives no overlay to install in: {told.stderr.strip()}")
    assert told.returncode == 0, told.stderr
    sections = re.split(r"^== (\w+)\n", told.stdout, flags=re.MULTILINE)[1:]
    return {name: text.splitlines() for name, text in zip(*[iter(sections)] * 2, strict=True)}


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
        if path.is_file()
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
        assert (unpacked / "lib/systemd/system" / unit.name).read_bytes() == unit.read_bytes()
    examples = unpacked / "usr/share/doc/imds-bootstrap/examples"
    assert {path.name for path in examples.iterdir()} == EXAMPLES
    assert (examples / "image/config.d/10-shop.yaml").is_file()
    assert len(list((unpacked / "usr/share/man").rglob("*.gz"))) == 2


def test_everything_belongs_to_root(deb):
    """No file of the package can be changed by anybody else."""
    for line in output("dpkg-deb", "--contents", str(deb)).splitlines():
        mode, owner, *_ = line.split()
        assert owner == "root/root", line
        assert mode[5] == mode[8] == "-" or mode[0] == "l", line


def test_it_asks_for_what_the_program_asks_for(deb):
    """Libraries and Python are wanted in the versions that pyproject.toml names."""
    project = (CHECKOUT / "pyproject.toml").read_text()
    asked = re.findall(r'^    "(\w+)>=([\d.]+)", +# ', project, re.MULTILINE)
    wanted = {f"python3-{NAMES[name]} (>= {version})" for name, version in asked if name in NAMES}
    assert len(wanted) == len(NAMES)
    [python] = re.findall(r'^requires-python = ">=([\d.]+)"$', project, re.MULTILINE)
    depends = output("dpkg-deb", "--field", str(deb), "Depends").strip().split(", ")
    assert {one for one in depends if one != "python3:any"} == {
        *wanted,
        f"python3:any (>= {python})",
    }


def test_it_says_what_it_is(deb):
    """The version is the program's; it is the same for every architecture."""
    told = output("dpkg-deb", "--field", str(deb), "Version", "Architecture", "Package")
    assert told.splitlines() == [
        f"Version: {__version__}-1",
        "Architecture: all",
        "Package: imds-bootstrap",
    ]


def test_only_the_skeleton_of_the_configuration_ships(unpacked):
    """The image's owner finds the folders, and no file that an upgrade could ask about."""
    etc = unpacked / "etc" / "imds-bootstrap"
    assert {path.name for path in etc.iterdir()} == {"agent.d", "config.d", "templates"}
    assert not files_of(etc)


def test_no_script_starts_or_stops_the_boot_unit(scripts):
    """An upgrade restarts no application: the unit is enabled, and left as it is."""
    for text in scripts.values():
        done = re.findall(r"(?:systemctl|deb-systemd-invoke)(?: --\S+)* (\S+)(.*)", text)
        assert {verb for verb, _ in done} <= {"daemon-reload", "stop", "show"}
        assert all("imds-bootstrap.timer" in what for verb, what in done if verb == "stop")


def test_lintian_finds_nothing(packages):
    """Neither the source nor the package breaks Debian's policy."""
    if shutil.which("lintian") is None:
        pytest.skip("lintian is not installed")
    [changes] = packages.glob("*.changes")
    told = subprocess.run(
        ["lintian", "--fail-on", "error,warning", str(changes)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout
    assert not re.findall(r"^[EW]: .*", told.stdout, re.MULTILINE)


def test_needrestart_leaves_the_unit_alone(unpacked):
    """Its own rule says no for each of the units."""
    rule = unpacked / "etc/needrestart/conf.d/imds-bootstrap.conf"
    perl = """
        our %nrconf; do $ARGV[0]; die $@ if $@;
        my ($said) = map { $nrconf{override_rc}{$_} }
            grep { "imds-bootstrap-follow.service" =~ $_ } keys %{$nrconf{override_rc}};
        print defined $said ? "said $said" : "silent";
    """
    assert output("perl", "-e", perl, str(rule)) == "said 0"


def test_installed_it_waits_for_the_next_boot(life):
    """The unit and its target are enabled, the timer is not."""
    assert life["enabled"] == ["service enabled", "target enabled", "timer disabled"]


def test_installed_every_module_is_compiled(life):
    """No boot pays for compiling: no source is without its bytecode."""
    assert life["uncompiled"] == []


def test_installed_nobody_can_come_between(life):
    """The program finds its own modules and Python's, whatever lies in other folders."""
    assert life["program"] == [f"imds-bootstrap {__version__}", "{"]


def test_removed_its_memory_stays(life):
    """A removal that is taken back has forgotten nothing."""
    assert "f var/lib/imds-bootstrap/instances/vm/state.json" in life["removed"]
    assert "f etc/credstore.encrypted/ours" in life["removed"]
    assert not [line for line in life["removed"] if f" {HOME.lstrip('/')}" in line]


def test_purged_nothing_of_it_is_left(life):
    """State, status and credentials go; a person's documents and an application's files stay."""
    assert life["purged"] == [
        "d etc/imds-bootstrap",
        "d etc/imds-bootstrap/config.d",
        "d etc/shop",
        "f etc/imds-bootstrap/config.d/10-shop.yaml",
        "f etc/shop/shop.toml",
        "d run/credstore",
        "f run/credstore/theirs",
    ]


@pytest.mark.parametrize(
    ("action", "required_by", "told"),
    [
        ("remove", "shop.service nginx.service", True),
        ("remove", "", False),
        ("upgrade", "shop.service", False),
    ],
)
def test_a_removal_names_who_will_not_start(tmp_path, action, required_by, told):
    """Applications whose drop-ins stay behind would be missing at the next boot without a word."""
    running = tmp_path / "system"
    running.mkdir()
    answers = {"systemctl": f'[ "$1" = show ] && echo "{required_by}"', "deb-systemd-invoke": ":"}
    for name, answer in answers.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{answer}\n")
        (tmp_path / name).chmod(0o755)
    script = (DEBIAN / "imds-bootstrap.prerm").read_text()
    assert "/run/systemd/system" in script
    ended = subprocess.run(
        ["sh", "-c", script.replace("/run/systemd/system", str(running)), "prerm", action],
        env={**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert (f"too: {required_by}\n" in ended.stderr) == told
    assert bool(ended.stderr) == told


def test_the_changelog_is_of_this_version():
    """Who raises the version writes an entry."""
    first = (DEBIAN / "changelog").read_text().splitlines()[0]
    assert first.startswith(f"imds-bootstrap ({__version__}-1) ")
