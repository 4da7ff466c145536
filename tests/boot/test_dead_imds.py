"""A first boot without IMDS: no application without its configuration, and a machine that is up."""

import subprocess
import sys

import pytest
from machines import AGENT

PROD = {"name": "shop-01", "tags": {"environment": "prod"}}
SHORT = {"etc/imds-bootstrap/agent.d/50-short.yaml": "deadline: 2\n"}
# Only the pause between two attempts is shortened, as any image's owner may.
SOON = {f"etc/systemd/system/{AGENT}.d/50-soon.conf": "[Service]\nRestartSec=1\n"}
GREETING = """\
import socket
with socket.create_connection(("10.0.0.4", 22), timeout=10) as connection:
    print(connection.recv(64).decode())
"""


def greeting_of_sshd(platform):
    """What sshd says to somebody who connects to the machine."""
    command = ["ip", "netns", "exec", platform.outside, sys.executable, "-c", GREETING]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_application_stays_down_and_the_machine_comes_up(root, machine, network):
    """At the deadline the boot goes on: multi-user.target is reached, and sshd answers.

    The application, which requires the agent's target, is not started without its files.
    """
    platform = network(PROD, served=False)
    one = machine(root, SHORT)
    with one.boot(platform) as running:
        running.wait_until_started()
        assert running.status()["exit_code"] == 75
        assert running.show("multi-user.target", "ActiveState")["ActiveState"] == "active"
        assert running.show("imds-bootstrap.target", "ActiveState")["ActiveState"] == "inactive"
        application = running.show("shopd.service", "ActiveState", "ExecMainStartTimestamp")
        assert application == {"ActiveState": "inactive", "ExecMainStartTimestamp": ""}
        assert greeting_of_sshd(platform).startswith("SSH-2.0-")
    assert "etc/shop/shop.conf" not in one.written


def test_ssh_does_not_wait_for_imds(oldest, machine, network):
    """While the agent still waits, somebody can already log in and look."""
    platform = network(PROD, served=False)
    with machine(oldest).boot(platform) as running:
        running.wait_until("systemctl", "is-active", "ssh.service")
        assert greeting_of_sshd(platform).startswith("SSH-2.0-")
        assert running.show(AGENT, "ActiveState")["ActiveState"] == "activating"


def test_a_second_attempt_starts_the_application(root, machine, network):
    """IMDS answers only after the agent has given up once: systemd runs it again.

    What the first failure kept from starting is started then, without anybody's help.
    """
    platform = network(PROD, served=False)
    with machine(root, {**SHORT, **SOON}).boot(platform) as running:
        running.wait_until_started()
        assert running.show("shopd.service", "ActiveState")["ActiveState"] == "inactive"
        platform.serve()
        assert "workers=16" in running.wait_for_message("shopd.service", "started")
        running.wait_until("systemctl", "is-active", "imds-bootstrap.target")
        assert running.status()["result"] == "configured"
        assert int(running.show(AGENT, "NRestarts")["NRestarts"]) >= 1


def test_systemd_ends_an_agent_that_overstays(oldest, machine, network):
    """TimeoutStartSec= is the last resort: the agent is stopped, says so, and the boot goes on."""
    too_short = "[Service]\nTimeoutStartSec=2\nRestart=no\n"
    one = machine(oldest, {f"etc/systemd/system/{AGENT}.d/50-short.conf": too_short})
    with one.boot(network(PROD, served=False)) as running:
        running.wait_until_started()
        assert running.show(AGENT, "Result")["Result"] == "timeout"
        assert running.status()["result"] == "interrupted"
        assert running.show("multi-user.target", "ActiveState")["ActiveState"] == "active"
        assert running.show("shopd.service", "ActiveState")["ActiveState"] == "inactive"


@pytest.mark.parametrize("how", ["refused", "masked"])
def test_without_the_agent_no_application_starts(oldest, machine, network, how):
    """A drop-in that this systemd refuses, or a masked unit: the target is not reached."""
    one = machine(oldest)
    if how == "refused":  # before systemd 253, in a oneshot
        refused = "[Service]\nRestartForceExitStatus=75\n"
        one.lay({f"etc/systemd/system/{AGENT}.d/50-refused.conf": refused})
    else:
        one.link({f"etc/systemd/system/{AGENT}": "/dev/null"})
    one.link({"etc/systemd/system/multi-user.target.wants/shopd.service": "../shopd.service"})
    with one.boot(network(PROD)) as running:
        running.wait_until_started()
        assert running.show("imds-bootstrap.target", "ActiveState")["ActiveState"] == "inactive"
        assert running.show("shopd.service", "ExecMainStartTimestamp") == {
            "ExecMainStartTimestamp": ""
        }
