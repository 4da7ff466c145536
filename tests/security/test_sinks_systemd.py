"""The unit's drop-in and the variables that ship, given hostile texts, and read back by systemd."""

from __future__ import annotations

import copy
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hostile import BREAKS, CONTEXT, TEXTS, accepted, need, placed, rendered, without

NOBODY = 65534
ENVIRONMENT_D = "/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator"


def test_systemd_reads_the_environment_file_as_it_was_meant(tmp_path):
    """What systemd itself makes of the file is the value; of a `$` its generator makes more."""
    if not os.path.exists(ENVIRONMENT_D):
        without("there is no generator of systemd that reads environment files")
    folder = tmp_path / "environment.d"
    folder.mkdir()
    for label, value, text in accepted("env/app.env.j2", ("values", "env", "A")):
        if "$" in value:
            continue
        (folder / "10.conf").write_text(text)
        done = subprocess.run(
            [ENVIRONMENT_D],
            capture_output=True,
            check=True,
            env={"XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)},
        )
        told = (
            f"{done.stdout.decode()}\nprintf '%s.' \"$A\""  # the generator quotes as a shell reads
        )
        read = subprocess.run(["sh", "-c", told], capture_output=True, check=True)
        assert read.stdout.decode().replace("\\t", "\t") == f"{value}.", label


@pytest.fixture
def units():
    """A folder for units that everybody may read, and may be written by nobody else."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def manager_reads(units, drop_in):
    """What systemd's manager says of a service with this drop-in: a list of its properties."""
    manager = need("/usr/lib/systemd/systemd", "/lib/systemd/systemd")
    for target in ("basic", "default", "sysinit", "shutdown"):
        (units / f"{target}.target").write_text("[Unit]\nDefaultDependencies=no\n")
    unit = "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/true\n"
    (units / "shop.service").write_text(unit)
    folder = units / "shop.service.d"
    folder.mkdir(exist_ok=True)
    (folder / "override.conf").write_text(drop_in)
    home = units / "home"
    home.mkdir(exist_ok=True)
    if os.geteuid() == 0:
        os.chown(home, NOBODY, NOBODY)  # the manager refuses to be tried by root
        identity = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    else:
        identity = {}
    done = subprocess.run(
        [manager, "--test", "--user", "--unit=shop.service"],
        capture_output=True,
        check=False,
        env={
            "SYSTEMD_UNIT_PATH": str(units),
            "XDG_RUNTIME_DIR": str(home),
            "HOME": str(home),
            "SYSTEMD_LOG_TARGET": "console",
            "SYSTEMD_LOG_LEVEL": "info",
        },
        **identity,
    )
    told = done.stdout.decode()
    if done.returncode or "-> Unit shop.service:" not in told:
        pytest.skip(f"systemd cannot be tried here: {told}{done.stderr.decode()}")
    section = told.partition("-> Unit shop.service:")[2].partition("\n\t-> Unit ")[0]
    return section, told.partition("-> By units:")[0] + done.stderr.decode()


def test_systemd_reads_the_drop_in_as_it_was_meant(units):
    """Every value is the one of its variable; no setting and no command is added."""
    slot = ("values", "service", "variables", "A")
    taken = {label: text for label, text, _ in accepted("systemd/override.conf.j2", slot)}
    assert (TEXTS.keys() | BREAKS.keys()) <= taken.keys(), "a text that can be quoted is refused"
    context = copy.deepcopy(CONTEXT)
    names = {f"V{at}": text for at, text in enumerate(taken.values())}
    context["values"]["service"]["variables"] = names
    section, complaints = manager_reads(units, rendered("systemd/override.conf.j2", context))
    assert "override.conf" not in complaints
    for name, text in names.items():
        assert f"\t\tEnvironment: {name}={text}\n" in section, name
    assert "\t\tEnvironmentFile: /etc/shop/shop.env\n" in section
    assert "\t\tRestartSec: 5s\n" in section
    settings = [line for line in section.splitlines() if line.startswith("\t\t->")]
    assert [line for line in settings if "Job" not in line] == ["\t\t-> ExecStart:"]


def test_systemd_ignores_no_line_of_the_drop_in(units):
    """What the template takes for a size, a time or a path systemd takes for one, too."""
    kinds = {
        "memory_max": (
            "1",
            "512M",
            "999999T",
            "999999999999999999",
            "1%",
            "99.99%",
            "100%",
            "infinity",
        ),
        "restart_seconds": ("0", "5", "1.5h", "500ms", "999999min", "999999"),
        "environment_file": ("/", "-/etc/a", "/a,b=c~d@e:f+g-h_i.j", f"/{'x' * 255}" * 15),
    }
    for key, texts in kinds.items():
        for text in texts:
            drop_in = rendered("systemd/override.conf.j2", placed(("values", "service", key), text))
            _, complaints = manager_reads(units, drop_in)
            assert "override.conf" not in complaints, text


def test_the_drop_in_passes_the_check_of_systemd(units):
    """`systemd-analyze verify` has nothing to say of a unit with every text that is accepted."""
    program = need("systemd-analyze")
    slot = ("values", "service", "variables", "A")
    texts = (text for _, text, _ in accepted("systemd/override.conf.j2", slot))
    context = copy.deepcopy(CONTEXT)
    context["values"]["service"]["variables"] = {f"V{at}": text for at, text in enumerate(texts)}
    (units / "shop.service").write_text("[Service]\nExecStart=/bin/true\n")
    (units / "shop.service.d").mkdir()
    drop_in = rendered("systemd/override.conf.j2", context)
    (units / "shop.service.d/override.conf").write_text(drop_in)
    words = [program, "verify", "--man=no", str(units / "shop.service")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert "override.conf" not in done.stdout + done.stderr
