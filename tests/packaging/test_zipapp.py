"""The one-file form is the whole program, on a Python that has nothing but its standard library.

`bare` runs it as an image without packages would: no site-packages, no environment variable that
Python heeds, no home, a folder that nobody may write to. Only the tests that say so differ.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import zipfile
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bootstrap.cli.options import VERBS

CHECKOUT = Path(__file__).parents[2]
HERE = CHECKOUT / "packaging/zipapp"
NOBODY = 65534
BARE = ("-I", "-S")
WITH_SYSTEM = ("-I",)  # the libraries of the Python's own site-packages are there

MACHINE = """\
name: shop-01
rate: 0
tags: {environment: prod, "config:port": "8443"}
"""
VAULTS = """\
vaults:
  contoso-prod: {secrets: {shop-db-password: first-2f6a}}
"""
VALUES = """\
#imds-bootstrap
version: 1
values: {port: 80, env: {MODE: shop}}
files:
  - {path: /etc/shop/port, content: "{{ values.port }}\\n"}
  - {path: /etc/shop/shop.env, template: env/app.env.j2, when: once}
"""
SECRETS = """\
#imds-bootstrap
version: 1
secrets: {db: {vault: contoso-prod, name: shop-db-password}}
files:
  - {path: /etc/shop/db.env, content: "DB={{ secrets.db }}\\n"}
"""
OLD = """\
import runpy, sys
sys.version_info = (3, 9, 2, "final", 0)
runpy.run_path(sys.argv[1], run_name="__main__")
"""


@pytest.fixture(scope="module")
def placed(pyz, tmp_path_factory):
    """The file where nobody may write, in a folder that everybody may enter."""
    top = Path("/tmp") if os.access("/tmp", os.W_OK) else tmp_path_factory.getbasetemp()
    folder = top / f"imds-bootstrap-zipapp-{os.getpid()}"
    folder.mkdir(mode=0o755)
    shutil.copy(pyz, folder)
    folder.chmod(0o555)
    yield folder / pyz.name
    assert [path.name for path in folder.iterdir()] == [pyz.name], "something was written beside it"
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def names(pyz):
    """What the archive holds."""
    with zipfile.ZipFile(pyz) as archive:
        return archive.namelist()


@pytest.fixture
def root(tmp_path):
    """A machine whose image holds nothing yet, below a folder that everybody may enter."""
    (tmp_path / "root/etc/imds-bootstrap/config.d").mkdir(parents=True)
    return tmp_path / "root"


def run(program, *words, options=BARE, python=sys.executable, **more):
    """Run the archive and give how it ended; without a home, and with English words."""
    environment = {**os.environ, "HOME": "/nonexistent", **more.pop("env", {})}
    return subprocess.run(
        [python, *options, program, *map(str, words)],
        env=environment,
        cwd=os.sep,
        capture_output=True,
        text=True,
        check=False,
        **more,
    )


def done(ended, code=0):
    """The standard output of a command that must have ended with `code`."""
    assert ended.returncode == code, f"{ended.returncode}\n{ended.stdout}{ended.stderr}"
    assert "Traceback" not in ended.stderr
    return ended.stdout


def image(root, document):
    (root / "etc/imds-bootstrap/config.d/10-shop.yaml").write_text(document)


@contextmanager
def emulated(program, folder, machine, *, options=BARE):
    """The archive's own emulator on loopback; gives the settings that lead to it."""
    (folder / "machine.yaml").write_text(machine)
    command = [sys.executable, *options, program, "emulate", str(folder / "machine.yaml")]
    with subprocess.Popen(
        [*command, "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as emulator:
        told = ["imds.endpoint"]
        if "vaults:" in machine:
            told += ["vaults.endpoint", "vaults.ca_file"]
        try:
            yield [f"--set={name}={emulator.stdout.readline().strip()}" for name in told]
        finally:
            emulator.terminate()


def times(root):
    """When each file was last written, the status apart."""
    found = (
        path for path in root.rglob("*") if path.is_file() and root / "run" not in path.parents
    )
    return {path: path.stat().st_mtime_ns for path in found}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_there(placed, verb):
    """Each verb tells what it does."""
    assert f"usage: imds-bootstrap {verb}" in done(run(placed, verb, "--help"))


def test_it_is_a_command(placed):
    """It can be started by its name, as any program."""
    found = str(Path(sys.executable).parent)  # where this python3 lies
    environment = {"PATH": f"{found}{os.pathsep}{os.environ['PATH']}"}
    told = subprocess.run([placed, "--version"], env=environment, capture_output=True, check=True)
    assert told.stdout.startswith(b"imds-bootstrap ")


def test_its_exit_codes_are_the_programs(placed):
    """A mistake in the command line is told as ever."""
    ended = run(placed, "rnu")
    assert done(ended, 2) == ""
    assert "did you mean run?" in ended.stderr


def test_a_first_boot_and_every_boot_after_it(placed, root, tmp_path):
    """It configures the machine, and finds nothing to do the next time."""
    image(root, VALUES)
    with emulated(placed, tmp_path, MACHINE) as endpoint:
        assert "configured: 2 files changed" in done(run(placed, "--root", root, *endpoint, "run"))
        assert (root / "etc/shop/port").read_text() == "8443\n"
        before = times(root)
        assert "unchanged: 0 files changed" in done(run(placed, "--root", root, *endpoint, "run"))
    assert times(root) == before


@pytest.fixture
def nobody():
    """How `run` becomes a user without any right, with a Python that such a one may start."""
    if os.geteuid() != 0:
        pytest.skip("becoming another user takes root")
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    for python in (sys.executable, "/usr/bin/python3"):
        command = [python, "-c", "import sys; sys.exit(sys.version_info < (3, 10))"]
        with suppress(OSError):
            if subprocess.run(command, check=False, cwd=os.sep, **user).returncode == 0:
                return {"python": python, **user}
    pytest.skip("other users may start no Python 3.10 or newer here")


def test_another_user_may_ask_how_it_went(placed, root, tmp_path, nobody):
    """`status` needs no root, no home and nothing that could be written."""
    image(root, VALUES)
    with emulated(placed, tmp_path, MACHINE) as endpoint:
        done(run(placed, "--root", root, *endpoint, "run"))
    public = placed.parent.with_name(f"{placed.parent.name}-root")  # pytest's folders are private
    shutil.copytree(root / "run", public / "run")
    try:
        told = done(run(placed, "--root", public, "status", **nobody))
        assert "status: configured" in told
    finally:
        shutil.rmtree(public)


@pytest.mark.parametrize("authorities", ["the system's", "those of the archive"])
def test_a_secret_comes_from_key_vault(placed, root, tmp_path, authorities):
    """TLS to a vault works from within an archive, and nothing of it stays in the temporary folder.

    Where the system has no list of authorities the archive's own is unpacked for the moment.
    """
    image(root, SECRETS)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environment = {"TMPDIR": str(temporary)}
    if authorities != "the system's":
        environment |= {"SSL_CERT_FILE": "/nonexistent", "SSL_CERT_DIR": "/nonexistent"}
    # The emulator's own authority is made by a library that the system has to have.
    with emulated(placed, tmp_path, MACHINE + VAULTS, options=WITH_SYSTEM) as endpoints:
        done(run(placed, "--root", root, *endpoints, "run", env=environment))
        assert (root / "etc/shop/db.env").read_text() == "DB=first-2f6a\n"
        (root / "etc/shop/db.env").unlink()
        untrusted = [word for word in endpoints if "ca_file" not in word]
        ended = run(placed, "--root", root, *untrusted, "run", "--force", env=environment)
        assert ended.returncode != 0
        assert "certificate" in ended.stderr
    assert not list(temporary.iterdir())


@pytest.mark.parametrize("options", [BARE, WITH_SYSTEM], ids=["bare", "with the system's"])
def test_the_demo_tells_its_story(placed, tmp_path, options):
    """The whole story, also beside other versions of the libraries that are in the archive."""
    told = done(run(placed, "demo", "--folder", tmp_path / "demo", options=options))
    assert "A userData with mistakes" in told


def test_an_old_python_is_told_in_plain_words(placed):
    """Not a traceback, but what is needed, what is there, and what to type."""
    command = [sys.executable, "-I", "-c", OLD, str(placed)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done(ended, 78) == ""
    assert "needs Python 3.10 or newer, and this is Python 3.9.2" in ended.stderr
    assert "python3.10 imds-bootstrap.pyz" in ended.stderr


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.7", "3.8", "3.9"])
def test_a_real_old_python_understands_what_it_is_told(placed, version):
    """The first file is read by the Python that is too old for it."""
    found = (shutil.which(f"python{version}", path=folder) for folder in os.get_exec_path())
    python = next((one for one in found if one and works(one)), None)
    if python is None:
        pytest.skip(f"there is no Python {version} here")
    ended = run(placed, "run", options=(), python=python)
    assert done(ended, 78) == ""
    assert f"and this is Python {version}." in ended.stderr


def works(python):
    """Whether a name on the path is a Python; version managers leave empty shells."""
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


def test_the_launcher_is_written_for_any_python_3():
    """No newer syntax slips into the file that tells of an old Python."""
    ast.parse((HERE / "launcher.py").read_text(), feature_version=(3, 4))


def without(pyz, target, left_out, replaced=()):
    """A copy of the archive in which some entries are missing and others say something else."""
    with zipfile.ZipFile(pyz) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            if not re.match(left_out, name):
                new.writestr(name, dict(replaced).get(name) or old.read(name))
    return target


def test_modules_come_as_bytecode(pyz, tmp_path):
    """No start compiles a module: what the sources say does not matter to this Python."""
    broken = {"bootstrap/cli/__init__.py": "raise SystemExit('compiled anew')"}
    copy = without(pyz, tmp_path / "copy.pyz", "nothing", broken)
    assert done(run(copy, "--version")).startswith("imds-bootstrap ")
    ended = run(without(copy, tmp_path / "sources.pyz", "bytecode/"), "--version")
    assert "compiled anew" in ended.stderr


def test_a_python_without_bytecode_reads_the_sources(pyz, root, tmp_path):
    """A Python that came after the archive was made runs it as well, if slower."""
    program = without(pyz, tmp_path / "sources.pyz", "bytecode/")
    image(root, VALUES)
    with emulated(program, tmp_path, MACHINE) as endpoint:
        assert "configured: 2 files changed" in done(run(program, "--root", root, *endpoint, "run"))


def test_it_can_be_unpacked_where_the_image_is_made(pyz, tmp_path):
    """An image that has room for a folder starts it without the detour over an archive."""
    with zipfile.ZipFile(pyz) as archive:
        archive.extractall(tmp_path / "imds-bootstrap")
    assert done(run(tmp_path / "imds-bootstrap", "--version")).startswith("imds-bootstrap ")


def test_nothing_in_it_is_compiled_for_one_machine(names):
    """One file for every processor and every Python."""
    assert not [name for name in names if name.endswith((".so", ".pyd", ".dll", ".pyc"))]


def test_every_library_is_pinned_and_brings_its_licence(names):
    """Exactly the pinned libraries, each with its METADATA and its licence, and the program's."""
    lines = (HERE / "requirements.txt").read_text().splitlines()
    pins = dict(
        re.findall(
            r"^([a-z0-9-]+)==(\S+) --hash=sha256:[0-9a-f]{64}$", "\n".join(lines), re.MULTILINE
        )
    )
    assert len(pins) == sum(not line.startswith("#") for line in lines)
    licensed, described = (
        {name.partition(".dist-info/")[0] for name in names if re.search(pattern, name)}
        for pattern in (r"\.dist-info/(.*/)?(LICEN[CS]E|COPYING)", r"\.dist-info/METADATA$")
    )
    libraries = {f"{name.replace('-', '_')}-{version}" for name, version in pins.items()}
    assert described - libraries == {next(one for one in described if "imds" in one)}
    assert licensed == described
    assert libraries < described


PIN = r"[A-Za-z0-9-]+==\S+ --hash=sha256:[0-9a-f]{64}"


def test_what_builds_it_is_pinned_as_well():
    """Whatever runs to make our own wheel is one file by its hash, hatchling and its companions."""
    lines = (HERE / "build-requirements.txt").read_text().splitlines()[1:]
    assert [line for line in lines if not re.fullmatch(PIN, line)] == []
    assert {line.partition("==")[0] for line in lines} >= {"hatchling", "pathspec", "tomli"}


def build_elsewhere(sources, folder, environment):
    """Build in a copy of the checkout; skips where pip gets nothing."""
    ended = subprocess.run(
        [sources / "packaging/zipapp/build.sh", folder / "made"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if "No matching distribution found" in ended.stderr and os.environ.get("CI") != "true":
        pytest.skip("pip cannot get the pinned libraries of the zipapp here")
    return ended


@pytest.mark.parametrize("pins", ["requirements.txt", "build-requirements.txt"])
def test_another_file_than_the_pinned_one_is_refused(building, build_environment, tmp_path, pins):
    """A wheel with the right name and another content ends the build before any of it runs."""
    copied, _ = building
    sources = copied(tmp_path / "checkout")
    path = sources / "packaging/zipapp" / pins
    path.write_text(re.sub(r"sha256:\w{8}", "sha256:01234567", path.read_text(), count=1))
    ended = build_elsewhere(sources, tmp_path, build_environment)
    assert ended.returncode != 0
    assert "DO NOT MATCH THE HASHES" in ended.stderr
    assert not (tmp_path / "made" / "imds-bootstrap.pyz").exists()


def test_the_builders_own_hatchling_is_not_asked(pyz, sources, build_environment, tmp_path):
    """What lies in the Python that builds has no say: the archive is the same to the byte."""
    own = tmp_path / "own" / "hatchling"
    own.mkdir(parents=True)
    (own / "__init__.py").touch()
    for name in ("__main__.py", "build.py"):
        (own / name).write_text("raise SystemExit('the wrong hatchling')\n")
    environment = {**build_environment, "PYTHONPATH": str(tmp_path / "own")}
    ended = build_elsewhere(sources, tmp_path, environment)
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "made" / "imds-bootstrap.pyz").read_bytes() == pyz.read_bytes()


def test_the_drop_in_runs_what_the_unit_runs():
    """The unit, told to start this file, starts it for the same work."""
    unit = (CHECKOUT / "packaging/systemd/imds-bootstrap.service").read_text()
    drop_in = (HERE / "zipapp.conf").read_text()
    (usual,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    emptied, instead = re.findall(r"^ExecStart=(.*)$", drop_in, re.MULTILINE)
    assert emptied == ""
    assert instead.split()[-2:] == [usual.split()[0].replace("/usr/", "/usr/local/"), "run"]
    assert usual.split()[1:] == ["run"]
