"""Later boots of the same disk: nothing to do, one thing to do, and nobody to ask."""

from machines import AGENT

PROD = {"name": "shop-01", "tags": {"environment": "prod"}}
SHORT = {"etc/imds-bootstrap/agent.d/50-short.yaml": "deadline: 2\n"}
# A daemon that is up before the agent runs, as a log shipper or a time daemon would be.
EARLY = {
    "etc/systemd/system/earlyd.service": """\
[Unit]
Before=imds-bootstrap.service
[Service]
ExecStart=sleep infinity
ExecReload=echo reloaded
[Install]
WantedBy=multi-user.target
""",
    "etc/imds-bootstrap/config.d/20-early.yaml": """\
#imds-bootstrap
version: 1
files:
  - {path: /etc/shop/shop.conf, notify: [shopd, earlyd]}
handlers:
  earlyd: [systemctl, try-reload-or-restart, earlyd.service]
""",
}
EARLY_IS_ENABLED = {
    "etc/systemd/system/multi-user.target.wants/earlyd.service": "../earlyd.service"
}


def boot_until_started(one, platform):
    with one.boot(platform) as running:
        running.wait_until_started()
        running.wait_for_message("shopd.service", "started")
        return running.status()


def written_without_the_agent(one, platform):
    """What systemd itself writes at each boot of this machine."""
    one.link({f"etc/systemd/system/{AGENT}": "/dev/null"})
    with one.boot(platform) as running:
        running.wait_until_started()
        return one


def test_an_unchanged_boot_writes_nothing(root, machine, network):
    """The second boot of a disk leaves on it what a boot without the agent leaves, no more."""
    one, platform = machine(root), network(PROD)
    assert boot_until_started(one, platform)["result"] == "configured"
    first = one.written
    assert {"etc/shop/shop.conf", "etc/shop/log.conf", "opt/shop/motd"} < first.keys()

    assert boot_until_started(one, platform)["result"] == "unchanged"
    second = one.written
    assert second == written_without_the_agent(one, platform).written
    assert platform.answers == [200, 200]


def test_a_changed_tag_changes_one_file_and_reloads_once(root, machine, network):
    """A tag sets one value: the next boot writes the one file that shows it.

    The daemon that was already running is reloaded once, and the application starts with it.
    """
    one, platform = machine(root, EARLY), network(PROD)
    one.link(EARLY_IS_ENABLED)
    boot_until_started(one, platform)
    platform.describe(tags={**PROD["tags"], "config:web.port": "9443"})
    with one.boot(platform) as running:
        running.wait_until_started()
        assert "port=9443" in running.wait_for_message("shopd.service", "started")
        status = running.status()
        assert [change["path"] for change in status["changes"]] == ["/etc/shop/shop.conf"]
        assert status["unchanged"] == 3
        assert status["handlers"] == ["shopd", "earlyd"]
        assert running.journal("-u", "earlyd.service").count("reloaded") == 1
    ours = {
        path for path in one.written if path.startswith(("etc/shop", "opt", "srv", "var/lib/i"))
    }
    vm_id = status["vm_id"]
    assert ours == {
        "etc/shop/shop.conf",
        f"var/lib/imds-bootstrap/instances/{vm_id}/state.json",
    }


def test_a_configured_machine_keeps_its_files_when_nobody_answers(root, machine, network):
    """IMDS is dead: the run is `kept`, the files are as they were, and the application starts."""
    one = machine(root, SHORT)
    boot_until_started(one, network(PROD))
    before = one.read("etc/shop/shop.conf")
    silent = network(PROD, served=False)
    with one.boot(silent) as running:
        running.wait_until_started()
        assert "workers=16" in running.wait_for_message("shopd.service", "started")
        assert running.status()["result"] == "kept"
    assert not [path for path in one.written if path.startswith(("etc/shop", "opt", "srv"))]
    assert one.read("etc/shop/shop.conf") == before


def test_a_mistake_in_user_data_keeps_the_old_files_and_the_application_down(
    oldest, machine, network
):
    """A userData that is not valid changes nothing; the machine is up, the application is not."""
    one, platform = machine(oldest), network(PROD)
    boot_until_started(one, platform)
    platform.describe(userData="#imds-bootstrap\nversion: 1\nvalues: {web: {port: }}\nfiles: 3\n")
    with one.boot(platform) as running:
        running.wait_until_started()
        assert running.status()["exit_code"] == 65
        assert running.show("shopd.service", "ActiveState")["ActiveState"] == "inactive"
        assert running.show("multi-user.target", "ActiveState")["ActiveState"] == "active"
    assert not [path for path in one.written if path.startswith(("etc/shop", "opt", "srv"))]
