"""A machine that follows its tags while it runs, by imds-bootstrap.timer."""

import pytest

PROD = {"name": "shop-01", "tags": {"environment": "prod"}}
FOLLOW = "imds-bootstrap-follow.service"
# Only the timer's pauses are shortened: what it starts is what ships.
OFTEN = {
    "etc/systemd/system/imds-bootstrap.timer.d/50-often.conf": """\
[Timer]
OnBootSec=
OnUnitInactiveSec=
OnBootSec=1
OnUnitInactiveSec=1
RandomizedDelaySec=0
AccuracySec=10ms
"""
}
ENABLED = {
    "etc/systemd/system/timers.target.wants/imds-bootstrap.timer": (
        "/usr/lib/systemd/system/imds-bootstrap.timer"
    )
}


def test_a_changed_tag_is_followed_without_a_reboot(root, machine, network):
    """The file changes, the application is reloaded once, and the next look changes nothing."""
    one, platform = machine(root, OFTEN), network({**PROD, "rate": 0})
    one.link(ENABLED)
    with one.boot(platform) as running:
        assert "port=8443" in running.wait_for_message("shopd.service", "started")
        platform.describe(tags={**PROD["tags"], "config:web.port": "9443"})
        assert "port=9443" in running.wait_for_message("shopd.service", "reloaded")
        asked = len(platform.requests)
        while len(platform.requests) < asked + 2:  # two more looks
            running.left()
        said = running.journal("-u", "shopd.service")
        assert len([line for line in said if line.startswith("started")]) == 1
        assert len([line for line in said if line.startswith("reloaded")]) == 1
        unit = running.show(FOLLOW, "Result")
        assert unit == {"Result": "success"}
        running.execute("systemctl", "stop", "imds-bootstrap.timer")
        running.wait_until("sh", "-c", f"! systemctl is-active {FOLLOW}")
        assert running.status()["result"] == "unchanged"


@pytest.mark.parametrize("machine_id", ["", "uninitialized\n"], ids=["empty", "uninitialized"])
def test_the_timer_is_off_unless_it_is_enabled(root, machine, network, machine_id):
    """A machine that nobody told to follow its tags does not.

    Not even where systemd takes the boot for the first, and enables all units without a preset.
    """
    with machine(root, {"etc/machine-id": machine_id}).boot(network(PROD)) as running:
        running.wait_until_started()
        running.wait_for_message("shopd.service", "started")
        enabled = running.enter(["systemctl", "is-enabled", "imds-bootstrap.timer"], running.left())
        assert enabled.stdout.strip() == "disabled"
        assert running.show("imds-bootstrap.timer", "ActiveState")["ActiveState"] == "inactive"
