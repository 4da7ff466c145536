"""Whoever builds from the same sources gets the same bytes, and can so check what they were given.

Everything is built twice by the command behind `make packages`: in another folder, some time
later, from files with other dates and modes, and with another umask, language, time zone and home.
"""

import hashlib
import os
import shutil
import subprocess

import pytest

# Each form, and the files of it that must be the same; a Debian package's .buildinfo and .changes
# are there to say when and on what machine it was built.
FORMS = {
    "wheel": ["*.whl"],
    "sdist": ["imds_bootstrap-*.tar.gz"],
    "zipapp": ["*.pyz"],
    "Debian package": ["*_all.deb", "*.dsc", "*.debian.tar.xz", "*.orig.tar.xz"],
    "RPM package": ["*.noarch.rpm"],
}
ELSEWHERE = {"LC_ALL": "C", "LANG": "C", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "7"}


def build(sources, target, environment, *, umask):
    """Build all forms; gives what was said, which tells of those that are left out."""
    ended = run([sources / "packaging/build.sh", target], environment, umask=umask)
    if "No matching distribution found" in ended.stderr and os.environ.get("CI") != "true":
        pytest.skip("pip cannot get the pinned libraries of the zipapp here")
    assert ended.returncode == 0, ended.stderr
    return ended.stderr


def run(command, environment, **more):
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, **more
    )


@pytest.fixture(scope="module")
def twice(building, build_environment, tmp_path_factory):
    """Two folders of packages, and what was said of those that are not in them."""
    copied, _ = building
    top = tmp_path_factory.mktemp("reproducible")
    one, other = copied(top / "one"), copied(top / "another" / "and" / "deeper")
    for path in (other, *other.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o077)
        os.utime(path, (0, 1_000_000_000))
    (top / "home").mkdir()
    changed = build_environment | ELSEWHERE | {"HOME": str(top / "home")}
    said = build(one, top / "built", build_environment, umask=0o022)
    build(other, top / "built-again", changed, umask=0o077)
    return top / "built", top / "built-again", said


@pytest.mark.parametrize("form", FORMS)
def test_built_again_it_is_the_same(twice, form):
    """Each form, byte for byte."""
    first, second, said = twice
    reasons = [line for line in said.splitlines() if line.startswith(f"left out: {form}:")]
    if reasons:
        pytest.skip(*reasons)
    for pattern in FORMS[form]:
        (file,) = first.glob(pattern)
        assert (second / file.name).read_bytes() == file.read_bytes(), file.name


def test_the_sums_are_those_of_the_packages(twice):
    """SHA256SUMS names every file that was made, as `sha256sum --check` expects it."""
    folder, _, _ = twice
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    told = {name: digest for digest, name in (line.split("  ") for line in lines)}
    made = {path.name: path.read_bytes() for path in folder.iterdir()}
    del made["SHA256SUMS"]
    assert told == {name: hashlib.sha256(content).hexdigest() for name, content in made.items()}


def test_every_file_may_be_read_by_everybody(twice):
    """No package takes its mode from the builder's umask."""
    for folder in twice[:2]:
        modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
        programs = {name for name, mode in modes.items() if mode == 0o755}
        assert programs == {"imds-bootstrap.pyz"}
        assert set(modes.values()) <= {0o755, 0o644}


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_what_cannot_be_built_is_left_out_and_said(building, build_environment, tmp_path, ci, code):
    """The other forms are made all the same; in CI, where nobody reads, it is a failure."""
    copied, _ = building
    sources = copied(tmp_path / "sources")
    for form in ("deb", "rpm", "zipapp"):
        (sources / "packaging" / form / "build.sh").unlink()
    ended = run(
        [sources / "packaging/build.sh", tmp_path / "built"], {**build_environment, "CI": ci}
    )
    assert ended.returncode == code
    assert "left out: RPM package: there is no packaging/rpm/build.sh\n" in ended.stderr
    made = sorted(path.suffix for path in (tmp_path / "built").iterdir())
    assert made == ["", ".gz", ".whl"]


def test_missing_tools_are_named_by_their_packages(sources, build_environment, tmp_path):
    """Who lacks a tool is told what to type, once and for all of them."""
    for name in ("bash", "env", "grep"):  # and none of the others
        (tmp_path / name).symlink_to(shutil.which(name))
    words = ["bash=bash", "debhelper=dh", "rpm=rpmbuild", "python3-hatchling"]
    environment = {**build_environment, "PATH": str(tmp_path)}
    ended = run([sources / "packaging/missing.sh", *words], environment)
    assert ended.returncode == 1
    wanted = "missing on this machine: apt-get install debhelper rpm python3-hatchling\n"
    assert ended.stdout == wanted
