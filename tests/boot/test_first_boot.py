"""The first boot of a machine made from the image: its files come before its application."""

import pytest
from machines import AGENT

PROD = {"name": "shop-01", "tags": {"environment": "prod"}}
SHORT = "etc/imds-bootstrap/agent.d/50-short.yaml"
FAULTS = [
    {"status": 410},
    {"status": 429, "headers": {"Retry-After": 1}},
    {"status": 503, "headers": {"Retry-After": 1}},
]


def test_the_files_are_there_before_the_application(root, machine, network):
    """The agent waits for a network that comes late, and for an IMDS that is not ready.

    The application waits for the agent, and starts with what the tags and the image asked for.
    """
    platform = network({**PROD, "faults": FAULTS}, linked=False)
    with machine(root).boot(platform) as running:
        running.wait_until("systemctl", "is-active", "ssh.service")
        assert running.show(AGENT, "ActiveState")["ActiveState"] == "inactive"
        assert platform.requests == []
        platform.link()
        running.wait_until_started()

        assert platform.answers == [410, 429, 503, 200]
        began = running.wait_for_message("shopd.service", "started")
        assert began.split() == [
            *("started", "with", "server_name=shop.example.com", "port=8443"),
            *("workers=16", "level=info"),
        ]
        online = running.moment("network-online.target", "ActiveEnter")
        configured = running.moment(AGENT, "ActiveEnter")
        assert online < running.moment(AGENT, "InactiveExit") < configured
        assert configured < running.moment("shopd.service", "ExecMainStart")
        assert running.execute("systemctl", "is-system-running").strip() == "running"


def test_the_files_are_as_they_were_asked_for(oldest, machine, network):
    """Below /etc, /opt and /srv, with their owner and mode, through the unit's sandbox."""
    with machine(oldest).boot(network(PROD)) as running:
        running.wait_until_started()
        told = running.execute(
            *("stat", "--format=%a %U:%G %n", "/etc/shop/shop.conf", "/etc/shop/log.conf"),
            *("/opt/shop/motd", "/srv/shop/robots.txt"),
        )
        assert told.splitlines() == [
            "640 root:daemon /etc/shop/shop.conf",
            "644 root:root /etc/shop/log.conf",
            "644 root:root /opt/shop/motd",
            "644 root:root /srv/shop/robots.txt",
        ]
        everybody = running.execute("runuser", "-u", "nobody", "imds-bootstrap", "status")
        assert everybody.startswith("status: configured")


def test_the_image_has_nothing_of_any_machine(root):
    """What the recipe made has no state, no status and no file of the application's yet."""
    for path in ("var/lib/imds-bootstrap", "run/imds-bootstrap"):
        found = root / path
        assert not found.exists() or not list(found.iterdir())
    assert not (root / "etc/shop").exists()
    assert (root / "etc/machine-id").read_text() == ""


@pytest.mark.parametrize(
    "fault",
    [{"silence": True}, {"drip": 0.5}, {"status": 503}],
    ids=["silence", "a byte at a time", "503"],
)
def test_no_boot_is_held_past_the_deadline(oldest, machine, network, fault):
    """Whatever IMDS does, the agent ends at its deadline, and systemd goes on."""
    platform = network({**PROD, "faults": [{**fault, "times": "forever"}]})
    with machine(oldest, {SHORT: "deadline: 2\n"}).boot(platform) as running:
        running.wait_until_started()
        ended = running.show(AGENT, "Result", "ExecMainStatus")
        assert ended == {"Result": "exit-code", "ExecMainStatus": "75"}  # not systemd's timeout
        assert running.status()["error"]["code"] == "IB201"
