"""An image captured from a machine that has been configured: the next machine starts afresh."""

import pytest

FIRST = {"name": "shop-01", "tags": {"environment": "prod"}}
SECOND = {"name": "shop-02", "tags": {"environment": "test"}}
STATE = "/var/lib/imds-bootstrap"


def boot(one, platform, *afterwards):
    with one.boot(platform) as running:
        running.wait_until_started()
        said = running.wait_for_message("shopd.service", "started")
        status = running.status()
        if afterwards:
            running.execute(*afterwards)
        kept = running.execute("find", STATE, "-mindepth", "1", "-printf", "%P\n").split()
        return said, status, kept


@pytest.mark.parametrize("cleaned", [True, False], ids=["cleaned", "forgotten"])
def test_a_machine_of_a_captured_image_starts_afresh(root, machine, network, tmp_path, cleaned):
    """The VM id is another: the new machine writes its own files and drops the old one's state.

    Also when nobody thought of `clean`, the last step before a capture.
    """
    old = machine(root)
    last = ("imds-bootstrap", "clean") if cleaned else ("true",)
    said, old_status, kept = boot(old, network(FIRST), *last)
    assert "workers=16" in said
    assert (kept == []) is cleaned

    new = old.image(tmp_path / "captured")
    said, status, kept = boot(new, network(SECOND))
    assert status["result"] == "configured"
    assert status["vm_id"] != old_status["vm_id"]
    assert "workers=1 level=debug" in said
    assert new.read("opt/shop/motd") == "This is shop-02 in westeurope.\n"
    assert not [name for name in kept if old_status["vm_id"] in name]
    assert [name for name in kept if status["vm_id"] in name]
