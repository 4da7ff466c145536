"""The scripts of the Packer recipe, and what they do on a machine.

They run for real, as root, in a mount namespace whose /etc and /var are overlays:
what they write is seen by the test, and never by this machine.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
RECIPE = CHECKOUT / "packaging" / "image" / "packer"
SCRIPTS = ["install.sh", "configure.sh", "capture.sh"]
OVERLAID = ["etc", "var"]
INSIDE = """
set -e
for folder in {folders}; do
    layer=$LAYERS/${{folder//\\//-}}
    mkdir -p "$layer.new" "$layer.work"
    mount -t overlay image -o "lowerdir=/$folder,upperdir=$layer.new,workdir=$layer.work" "/$folder"
done
mount -t tmpfs image /run
rm -rf /etc/imds-bootstrap /var/lib/imds-bootstrap
{before}
exec bash "$@"
"""
# Each stands for a command of the machine that is built: it writes down how it was called.
FAKES = {
    "apt-get": 'echo "apt-get $*" >>"$CALLS"',
    "systemctl": 'echo "systemctl $*" >>"$CALLS"',
    "waagent": 'echo "waagent $* state=$(ls /var/lib/imds-bootstrap 2>/dev/null)" >>"$CALLS"',
    "imds-bootstrap": 'echo "imds-bootstrap $*" >>"$CALLS"; exec "$PYTHON" -m bootstrap "$@"',
}


class Building:
    """A machine on which an image is built: runs the recipe's scripts."""

    def __init__(self, folder):
        self.layers, self.commands = folder / "layers", folder / "commands"
        self.log = folder / "calls"
        self.layers.mkdir()
        self.commands.mkdir()
        self.log.touch()
        for name, does in FAKES.items():
            self.replace(name, does)

    def replace(self, name, does):
        """Let the command `name` do something else."""
        (self.commands / name).write_text(f"#!/bin/bash\n{does}\n")
        (self.commands / name).chmod(0o755)

    def run(self, script, *words, before=""):
        """Run a script of the recipe, after the shell commands `before`."""
        inside = INSIDE.format(folders=" ".join(OVERLAID), before=before)
        return subprocess.run(
            ["unshare", "--mount", "bash", "-c", inside, "-", RECIPE / script, *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
            env={
                **os.environ,
                "PATH": f"{self.commands}:{os.environ['PATH']}",
                "LAYERS": str(self.layers),
                "CALLS": str(self.log),
                "PYTHON": sys.executable,
            },
        )

    def wrote(self, path):
        """Where a file lies that a script wrote below one of the overlays."""
        for folder in OVERLAID:
            if path.startswith(f"/{folder}/"):
                layer = self.layers / f"{folder.replace('/', '-')}.new"
                return layer / path.removeprefix(f"/{folder}/")
        raise AssertionError(path)

    @property
    def calls(self):
        """How commands were called, in order."""
        return self.log.read_text().splitlines()


@pytest.fixture
def building(tmp_path):
    without = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
    if sys.platform != "linux" or os.geteuid() != 0:
        without("an overlay over /etc needs Linux and root")
    return Building(tmp_path)


@pytest.fixture
def configuration(tmp_path):
    """A copy of the example configuration, as it was uploaded."""
    return shutil.copytree(CHECKOUT / "templates" / "image", tmp_path / "configuration")


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_stop_at_the_first_failure(script):
    """A step that failed is never followed by the next: the build fails instead."""
    lines = (RECIPE / script).read_text().splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert "set -euo pipefail" in lines
    shellcheck = shutil.which("shellcheck")
    if shellcheck is not None:
        said = subprocess.run([shellcheck, RECIPE / script], capture_output=True, check=False)
        assert said.returncode == 0, said.stdout.decode()


def test_install_takes_the_package_and_looks_whether_it_is_enabled(building, tmp_path):
    """The package that was uploaded is installed by apt, which brings what it depends on."""
    said = building.run("install.sh", tmp_path / "imds-bootstrap.deb")
    assert said.returncode == 0, said.stderr
    updated, installed, *asked = building.calls
    assert updated.startswith("apt-get update")
    assert re.fullmatch(rf"apt-get install .* {tmp_path}/imds-bootstrap\.deb", installed)
    assert asked == ["systemctl is-enabled imds-bootstrap.service", "imds-bootstrap --version"]


@pytest.mark.parametrize("command", ["apt-get", "systemctl", "imds-bootstrap"])
def test_install_that_fails_ends_the_build(building, tmp_path, command):
    """A package that cannot be installed, is not enabled or does not start stops the build."""
    building.replace(command, "exit 100")
    assert building.run("install.sh", tmp_path / "imds-bootstrap.deb").returncode == 100


def test_configure_copies_and_checks(building, configuration):
    """The folder is /etc/imds-bootstrap afterwards, readable, root's, and was validated."""
    (configuration / "config.d" / "20-more.yaml").write_text("#imds-bootstrap\nversion: 1\n")
    os.chown(configuration / "agent.yaml", 1000, 1000)
    (configuration / "agent.yaml").chmod(0o666)
    said = building.run("configure.sh", configuration, before="umask 077")
    assert said.returncode == 0, said.stdout + said.stderr
    for name in ("agent.yaml", "values.schema.json", "config.d/10-shop.yaml"):
        there = building.wrote(f"/etc/imds-bootstrap/{name}")
        assert there.read_text() == (configuration / name).read_text()
        assert (there.stat().st_uid, there.stat().st_mode & 0o777) == (0, 0o644)
    for name in ("10-shop", "20-more"):
        path = f"/etc/imds-bootstrap/config.d/{name}.yaml"
        assert f"imds-bootstrap validate --image {path}" in building.calls


@pytest.mark.parametrize(
    ("name", "change", "end"),
    [
        ("config.d/10-shop.yaml", ("workers: 4", "workers: many"), (1, "many")),
        ("config.d/10-shop.yaml", ("version: 1", "version: 9"), (1, "version")),
        ("agent.yaml", ("deadline: 300", "deadline: soon"), (78, "deadline")),
        ("values.schema.json", ('"object"', '"objekt"'), (78, "values.schema.json")),
    ],
)
def test_configure_stops_at_what_is_wrong(building, configuration, name, change, end):
    """A mistake in what the image brings ends the build, with the program's own words."""
    wrong = configuration / name
    assert change[0] in wrong.read_text()
    wrong.write_text(wrong.read_text().replace(*change, 1))
    said = building.run("configure.sh", configuration)
    code, complaint = end
    assert said.returncode == code, said.stdout + said.stderr
    assert complaint in said.stdout + said.stderr


def test_configure_wants_a_document(building, configuration):
    """An image without a document would configure nothing: the build ends with a word."""
    shutil.rmtree(configuration / "config.d")
    said = building.run("configure.sh", configuration)
    assert said.returncode == 66
    assert "there is no document" in said.stderr


def test_capture_forgets_before_it_deprovisions(building, tmp_path):
    """The upload goes, the state goes, and waagent comes last: it removes the user."""
    uploaded = tmp_path / "uploaded"
    uploaded.mkdir()
    key = "/var/lib/systemd/credential.secret"  # what systemd-creds seals with
    state = (
        "mkdir -p /var/lib/imds-bootstrap/instances/old; touch /var/lib/imds-bootstrap/instance; "
        f"mkdir -p {os.path.dirname(key)}; echo key >{key}"
    )
    said = building.run("capture.sh", uploaded, before=state)
    assert said.returncode == 0, said.stdout + said.stderr
    assert not uploaded.exists()
    assert not building.wrote(key).is_file()
    cleaned, deprovisioned = building.calls
    assert cleaned == "imds-bootstrap clean"
    assert deprovisioned == "waagent -force -deprovision+user state="


def test_capture_that_cannot_forget_ends_the_build(building, tmp_path):
    """An image that remembers its builder is never captured."""
    building.replace("imds-bootstrap", "exit 73")
    said = building.run("capture.sh", tmp_path / "uploaded")
    assert said.returncode == 73
    assert building.calls == []


def test_debian_s_recipe_asks_for_the_package_first(tmp_path):
    """Without its package it ends in one line, before a program is called or a folder made."""
    (tmp_path / "shop").mkdir()
    for name in ("mmdebstrap", "mktemp"):
        (tmp_path / name).write_text("#!/bin/sh\necho called >&2\n")
        (tmp_path / name).chmod(0o755)
    words = ["bookworm", "debian.sources", "missing_all.deb", "shop", "root"]
    ended = subprocess.run(
        ["bash", RECIPE.parent / "mmdebstrap" / "build.sh", *words],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    told = "there is no package missing_all.deb: `make packages` leaves it in dist/\n"
    assert (ended.returncode, ended.stderr) == (2, told)
