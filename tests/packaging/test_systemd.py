"""The units: what systemd thinks of them, and that they keep step with the program.

How they behave is seen where machines are booted, in tests/boot.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bootstrap.config.secret_policy import CREDENTIAL_FOLDERS
from bootstrap.errors import BootstrapError
from bootstrap.settings.table import Settings
from bootstrap.state.paths import LIBRARY, PRIVATE_FOLDER, PUBLIC_FOLDER, RUNTIME

UNITS = Path(__file__).parents[2] / "packaging" / "systemd"
SERVICE = UNITS / "imds-bootstrap.service"
FOLLOW = UNITS / "imds-bootstrap-follow.service"
NAMES = sorted(path.name for path in UNITS.glob("imds-bootstrap*.*"))
MOST_EXPOSED = 2.9  # of 10, by the weights of systemd-analyze

pytestmark = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def analyze(*arguments, cwd=UNITS):
    """What systemd-analyze says, asking no systemd that runs."""
    return subprocess.run(
        ["systemd-analyze", *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


def verify(folder, change=lambda text: text):
    """The verdict on all units as they would lie in an image, one of them changed on purpose."""
    for name in NAMES:
        # The program is not installed where it is tested; a name that is wrong is found elsewhere.
        text = (UNITS / name).read_text().replace("/usr/bin/imds-bootstrap", "/bin/true")
        (folder / name).write_text(change(text) if name == SERVICE.name else text)
    return analyze("verify", "--man=no", *(f"./{name}" for name in NAMES), cwd=folder)


def settings_of(path):
    """The sections of a unit, each a mapping from key to its values in order."""
    sections, section = {}, {}
    for line in path.read_text().splitlines():
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            section.setdefault(key, []).append(value)
    return sections


def comments_of(path):
    """All that a unit says in comments, as one line."""
    return " ".join(line[1:].strip() for line in path.read_text().splitlines() if line[:1] == "#")


def one(path, section, key):
    """The only value of a key."""
    [value] = settings_of(path)[section][key]
    return value


def exposures(path):
    """What `systemd-analyze security` finds open, by the names that it uses."""
    told = analyze("security", "--offline=true", "--json=short", str(path))
    return {found["name"] for found in json.loads(told.stdout) if found["exposure"]}


def test_systemd_has_nothing_to_say(tmp_path):
    """Every unit is read without a complaint."""
    told = verify(tmp_path)
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("was", "target_id", "complaint"),
    [
        ("Type=oneshot", "Type=oneshoot", "Failed to parse service type"),
        ("KillMode=", "KilMode=", "Unknown key"),
        ("/bin/true run", "/bin/untrue run", "not executable"),
        ("Restart=on-failure", "RestartForceExitStatus=75", "isn't allowed for Type=oneshot"),
        ("Restart=on-failure", "Restart=always", "isn't allowed for Type=oneshot"),
    ],
)
def test_a_wrong_copy_is_refused(tmp_path, was, target_id, complaint):
    """The check would see a mistake: each of these is one."""
    assert was in SERVICE.read_text().replace("/usr/bin/imds-bootstrap", "/bin/true")
    told = verify(tmp_path, lambda text: text.replace(was, target_id))
    assert complaint in told.stderr


@pytest.mark.parametrize("unit", [SERVICE, FOLLOW], ids=lambda unit: unit.stem)
def test_a_service_is_hardened(unit):
    """No service is more exposed than agreed."""
    threshold = f"--threshold={MOST_EXPOSED * 10:g}"
    told = analyze("security", "--offline=true", threshold, str(unit))
    assert told.returncode == 0, told.stdout.splitlines()[-1]


@pytest.mark.parametrize("line", ["NoNewPrivileges=yes", "ProtectSystem=strict"])
def test_a_softer_copy_is_refused(tmp_path, line):
    """The threshold is near enough to see a single line go."""
    soft = tmp_path / SERVICE.name
    soft.write_text(SERVICE.read_text().replace(f"{line}\n", ""))
    threshold = f"--threshold={MOST_EXPOSED * 10:g}"
    assert analyze("security", "--offline=true", threshold, str(soft)).returncode != 0


def test_every_exposure_is_explained():
    """What stays open is named in a comment, which says why."""
    comments = comments_of(SERVICE)
    assert not {name for name in exposures(SERVICE) if name not in comments}


def test_nothing_is_explained_that_is_closed():
    """A comment on an exposure goes when the exposure goes."""
    told = set(re.findall(r"[A-Za-z]+=~[A-Z@][^\s:,]*[^\s:,.]", comments_of(SERVICE)))
    assert told <= exposures(SERVICE)


def test_both_services_have_the_same_sandbox():
    """What a handler may do at boot it may do later, and no more."""
    boot, follow = settings_of(SERVICE)["Service"], settings_of(FOLLOW)["Service"]
    only_boot = {"RemainAfterExit", "Restart", "RestartPreventExitStatus", "RestartSec"}
    only_boot |= {"StandardOutput", "StandardError", "ExecStartPost"}
    assert {key for key in boot if boot[key] != follow.get(key)} == only_boot
    assert follow.keys() <= boot.keys()


@pytest.mark.parametrize("unit", [SERVICE, FOLLOW], ids=lambda unit: unit.stem)
def test_a_start_ends_later_than_the_deadline(unit):
    """The agent ends by itself, and has time to put files back and run a handler on them again."""
    defaults = Settings()
    limit = float(one(unit, "Service", "TimeoutStartSec"))
    assert defaults.deadline + defaults.commands.timeout < limit < 2 * defaults.deadline


def test_only_what_may_pass_is_tried_again():
    """75 and a crash lead to another try; no other exit code of the program does."""
    final = {int(code) for code in one(SERVICE, "Service", "RestartPreventExitStatus").split()}
    codes = {error.exit_code for error in BootstrapError.__subclasses__()}
    assert final == codes - {75}
    assert one(SERVICE, "Service", "Restart") == "on-failure"
    assert 75 in codes


def test_no_order_can_hold_a_boot():
    """The unit comes after the network and before nothing; nothing it waits for waits for it."""
    unit = settings_of(SERVICE)["Unit"]
    assert not {"Before", "Requires", "Requisite", "BindsTo", "Conflicts"} & unit.keys()
    assert unit["Wants"] == ["network-online.target"]
    after = unit["After"][0].split()
    assert {"network-online.target", "azure-proxy-agent.service", "cloud-init.service"} <= {*after}
    assert not {"multi-user.target", "graphical.target", "default.target"} & {*after}


def test_the_units_name_each_other():
    """A unit that another one names ships."""
    told = set(re.findall(r"\bimds-bootstrap[a-z-]*\.(?:service|target|timer)\b", all_text()))
    assert told <= {path.name for path in UNITS.iterdir()}


def test_folders_are_those_of_the_program():
    """What systemd makes for the agent is what the agent looks for, as open as the agent has it."""
    service = settings_of(SERVICE)["Service"]
    assert f"/var/lib/{service['StateDirectory'][0]}" == LIBRARY
    assert f"/run/{service['RuntimeDirectory'][0]}" == RUNTIME
    assert int(service["StateDirectoryMode"][0], 8) == PRIVATE_FOLDER
    assert int(service["RuntimeDirectoryMode"][0], 8) == PUBLIC_FOLDER
    lines = {line for line in (UNITS / "tmpfiles.conf").read_text().splitlines() if line[0] != "#"}
    assert lines == {
        f"d {RUNTIME} {PUBLIC_FOLDER:04o} root root -",
        f"d {LIBRARY} {PRIVATE_FOLDER:04o} root root -",
    }


def test_every_folder_that_a_document_may_name_is_writable():
    """What the settings allow by default, the sandbox allows too."""
    writable = {path.lstrip("-") for path in one(SERVICE, "Service", "ReadWritePaths").split()}
    wanted = [*Settings().user_data.paths, *CREDENTIAL_FOLDERS.values(), LIBRARY, RUNTIME]
    assert not [
        path for path in wanted if not any(f"{path}/".startswith(f"{w}/") for w in writable)
    ]


def test_examples_are_units(tmp_path):
    """Both examples are what systemd reads, as they are and with all that they suggest."""
    shutil.copy(UNITS / "application.conf.example", tmp_path)
    for name, unit in [("application", "shop"), ("override", SERVICE.stem)]:
        text = (UNITS / f"{name}.conf.example").read_text()
        folder = tmp_path / f"{unit}.service.d"
        folder.mkdir()
        (folder / "image.conf").write_text(re.sub(r"^#(?=[A-Z])", "", text, flags=re.MULTILINE))
    (tmp_path / "shop.service").write_text("[Service]\nExecStart=/bin/true\n")
    told = verify(tmp_path)
    assert (told.returncode, told.stderr) == (0, "")
    told = analyze("verify", "--man=no", "./shop.service", cwd=tmp_path)
    assert (told.returncode, told.stderr) == (0, "")


def test_the_application_has_a_choice():
    """One of two ways is in force, the other is shown; both come after the configuration."""
    text = (UNITS / "application.conf.example").read_text()
    lines = [line for line in text.splitlines() if "=imds-bootstrap.target" in line.split(" ")[0]]
    target = "imds-bootstrap.target"
    assert lines == [f"Requires={target}", f"#Wants={target}", f"After={target}"]


def all_text():
    """All units and examples."""
    return "\n".join(path.read_text() for path in UNITS.iterdir())
