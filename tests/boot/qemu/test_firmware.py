"""What the firmware says decides what a boot does, before any network is asked."""

import json

import pytest
import shop
from disks import make_layer
from guests import Guest
from network import Network

pytestmark = pytest.mark.boot

OTHER_UUID = "8b0c1c2e-5d0a-4c1f-9a57-0a1b2c3d4e5f"


@pytest.fixture(scope="module")
def elsewhere(kernel, shop_disk, tmp_path_factory):
    """One boot of the image on a machine whose firmware names another maker's chassis."""
    folder = tmp_path_factory.mktemp("elsewhere")
    layer = make_layer(shop_disk, folder / "state.qcow2")
    with (
        Network(folder, {"vmId": OTHER_UUID, "rate": 0}) as network,
        Guest(
            "not Azure", kernel, layer, network, folder, uuid=OTHER_UUID, asset_tag="rack 7"
        ) as guest,
    ):
        ended = guest.ask("systemctl start imds-bootstrap.target")
        guest.note("target reached")
        return {
            "ended": ended,
            "status": json.loads(guest.told("imds-bootstrap --format json status")),
            "exit": guest.told("systemctl show -p ExecMainStatus --value imds-bootstrap.service"),
            "journal": guest.told("journalctl -o cat -u imds-bootstrap.service"),
            "etc": guest.ask(f"ls -d {shop.FOLDER}")[0],
            "kept": guest.told("ls -A /var/lib/imds-bootstrap"),
            "requests": network.requests,
        }


def test_elsewhere_the_agent_is_disabled(elsewhere):
    """It says so, with what the firmware says; that is no failure, and applications start."""
    assert elsewhere["status"]["result"] == "disabled"
    assert elsewhere["exit"] == "0\n"
    assert elsewhere["ended"] == (0, "")
    assert "its firmware's asset tag is 'rack 7'" in elsewhere["journal"]


def test_elsewhere_nothing_is_asked_and_nothing_written(elsewhere):
    """It ends before the network: IMDS, which would answer, is not asked; nothing is placed."""
    assert elsewhere["requests"] == []
    assert "imds" not in elsewhere["status"]
    assert elsewhere["etc"] != 0
    assert elsewhere["kept"] == ""
