"""The package in a machine that runs: upgraded, removed, purged."""

import shutil
import subprocess

import pytest
import roots
from machines import AGENT

PROD = {"name": "shop-01", "tags": {"environment": "prod"}}
UNITS = (AGENT, "imds-bootstrap.target", "imds-bootstrap.timer", "imds-bootstrap-follow.service")


@pytest.fixture(scope="session")
def newer(tmp_path_factory):
    """The same package under a later version, as an upgrade would bring."""
    folder = tmp_path_factory.mktemp("newer")
    subprocess.run(["dpkg-deb", "--raw-extract", roots.package(), folder / "tree"], check=True)
    control = folder / "tree/DEBIAN/control"
    lines = control.read_text().splitlines()
    later = [f"{line}+later" if line.startswith("Version: ") else line for line in lines]
    control.write_text("\n".join(later) + "\n")
    command = ["dpkg-deb", "--root-owner-group", "--build", folder / "tree", folder / "newer.deb"]
    subprocess.run(command, check=True, capture_output=True)
    yield folder / "newer.deb"
    shutil.rmtree(folder)


def left_behind(running):
    """What in the machine still has the package's name."""
    found = running.execute(
        *("find", "/", "-xdev", "(", "-path", "/proc", "-o", "-path", "/sys", ")", "-prune"),
        *("-o", "-name", "*imds*bootstrap*", "-print"),
    )
    return sorted(found.splitlines())


def test_an_upgrade_keeps_the_machine_as_it_is(root, machine, network, newer):
    """Neither the agent nor the application is restarted, and the next boot changes no file."""
    one, platform = machine(root), network(PROD)
    with one.boot(platform) as running:
        running.wait_for_message("shopd.service", "started")
        before = running.show("shopd.service", "MainPID", "ActiveEnterTimestampMonotonic")
        shutil.copy(newer, running.disk / "opt/newer.deb")
        running.execute("dpkg", "--install", "/opt/newer.deb")
        assert running.show("shopd.service", *before) == before
        assert running.show(AGENT, "ActiveState")["ActiveState"] == "active"
        assert running.execute("systemctl", "is-enabled", AGENT) == "enabled\n"
    with one.boot(platform) as running:
        running.wait_for_message("shopd.service", "started")
        assert running.status()["changes"] == []
    assert not [path for path in one.written if path.startswith(("etc/shop", "opt/shop", "srv"))]


def test_a_purge_leaves_nothing_but_what_the_owner_made(root, machine, network):
    """Program, units, links, state and status go.

    The owner's documents and the application's files stay, and the next boot is a sound one.
    """
    one = machine(root)
    with one.boot(network(PROD)) as running:
        running.wait_for_message("shopd.service", "started")
        assert "/var/lib/imds-bootstrap" in left_behind(running)
        running.execute("dpkg", "--purge", "imds-bootstrap")
        assert running.execute("cat", "/etc/shop/shop.conf")
        mine = {"/etc/imds-bootstrap", "/etc/systemd/system/imds-bootstrap.target.wants"}
        # systemd keeps the unit's private /var/tmp as long as it takes the unit to be active.
        left = {path for path in left_behind(running) if "/systemd-private-" not in path}
        assert left == mine
        documents = running.execute("find", "/etc/imds-bootstrap", "-type", "f").splitlines()
        assert all((root / path[1:]).exists() for path in documents)
        for unit in UNITS:
            assert running.show(unit, "LoadState")["LoadState"] == "not-found", unit
    with one.boot(network(PROD)) as running:
        running.wait_until_started()
        assert running.execute("systemctl", "is-system-running").strip() == "running"
        assert set(left_behind(running)) == mine
