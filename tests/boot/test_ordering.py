"""Where the agent stands in the boot, as systemd itself saw it."""

from machines import AGENT

PROD = {"name": "shop-01", "tags": {"environment": "prod"}}


def test_the_chain_leads_from_the_network_to_the_application(root, machine, network):
    """The application waits for the target, that for the agent, and this for the network.

    `systemd-analyze critical-chain` says so as far as the agent; what that waited for longest may
    be something else than the network. Nothing else of the machine waits for the agent.
    """
    with machine(root).boot(network(PROD)) as running:
        running.wait_until_started()
        chain = running.execute("systemd-analyze", "--no-pager", "critical-chain", "shopd.service")
        print(chain)
        names = [word.lstrip("└─") for word in chain.split()]
        wanted = ["shopd.service", "imds-bootstrap.target", AGENT]
        assert [name for name in names if name in wanted] == wanted

        assert "network-online.target" in running.show(AGENT, "After")["After"].split()
        ready = running.moment(AGENT, "ActiveEnter")
        assert running.moment("network-online.target", "ActiveEnter") <= running.moment(
            AGENT, "InactiveExit"
        )
        assert ready <= running.moment("imds-bootstrap.target", "ActiveEnter")
        assert ready <= running.moment("shopd.service", "ExecMainStart")
        for early in ("sysinit.target", "basic.target", "ssh.service"):
            assert AGENT not in running.show(early, "After")["After"].split(), early


def test_systemd_finds_nothing_wrong_with_the_units(root, machine, network):
    """Each unit loads without a word, on the systemd that this Debian has."""
    with machine(root).boot(network(PROD)) as running:
        running.wait_until_started()
        for kind in ("service", "target", "timer"):
            unit = f"imds-bootstrap.{kind}"
            assert running.show(unit, "LoadState")["LoadState"] == "loaded"
        said = running.journal("--identifier=systemd")
        assert not [line for line in said if "imds-bootstrap" in line and "gnoring" in line]
        assert not [line for line in said if "ordering cycle" in line]
