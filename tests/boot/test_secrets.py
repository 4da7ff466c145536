"""A secret of Key Vault, fetched at boot with the machine's identity, and handed to a service."""

import pytest
from machines import AGENT

VALUE = "correct-horse-battery"
VAULT = "contoso-prod"
MACHINE = {
    "name": "shop-01",
    "tags": {"environment": "prod"},
    "vaults": {VAULT: {"secrets": {"shop-db-password": VALUE}}},
}
HOSTS = {"etc/hosts": f"127.0.0.1 localhost\n169.254.169.254 {VAULT}.vault.azure.net\n"}
DOCUMENT = """\
#imds-bootstrap
version: 1
secrets:
  db_password: {vault: contoso-prod, name: shop-db-password, credential: CREDENTIAL}
files:
  - {path: /etc/shop/db.conf, content: "password={{ secrets.db_password }}\\n"}
"""
# A service that gets the secret from systemd alone: it may not read the agent's files.
CONSUMER = """\
[Unit]
Requires=imds-bootstrap.target
After=imds-bootstrap.target
[Service]
Type=oneshot
RemainAfterExit=yes
DynamicUser=yes
{load}=db_password
ExecStart=sh -c 'sha256sum < "$CREDENTIALS_DIRECTORY/db_password"'
[Install]
WantedBy=imds-bootstrap.target
"""
WANTED = {"etc/systemd/system/imds-bootstrap.target.wants/consumer.service": "../consumer.service"}


def prepared(one, platform, credential):
    """The machine with its vault's address, the vault's authority, and somebody who wants it."""
    load = {"plain": "LoadCredential", "sealed": "LoadCredentialEncrypted"}[credential]
    one.lay(
        {
            **HOSTS,
            "etc/vault-authority.pem": platform.ca_file.read_text(),
            "etc/imds-bootstrap/agent.d/50-vault.yaml": (
                "vaults: {ca_file: /etc/vault-authority.pem}\n"
            ),
            "etc/imds-bootstrap/config.d/20-db.yaml": DOCUMENT.replace("CREDENTIAL", credential),
            "etc/systemd/system/consumer.service": CONSUMER.format(load=load),
        }
    )
    one.link(WANTED)
    return one


@pytest.mark.parametrize("credential", ["plain", "sealed"])
def test_a_secret_reaches_its_file_and_its_service(root, machine, network, credential):
    """The file is its owner's alone, and the service gets the value as a credential of systemd.

    No log, status or state shows the value, and what is sealed does not show it on the disk.
    """
    platform = network(MACHINE)
    one = prepared(machine(root), platform, credential)
    with one.boot(platform) as running:
        running.wait_until_started()
        assert running.execute("cat", "/etc/shop/db.conf") == f"password={VALUE}\n"
        assert running.execute("stat", "--format=%a %U", "/etc/shop/db.conf") == "600 root\n"
        expected = running.execute("sh", "-c", f"printf %s {VALUE} | sha256sum")
        assert running.wait_for_message("consumer.service", expected.split()[0])
        assert VALUE not in "\n".join(running.journal())
        assert VALUE not in running.execute("cat", "/run/imds-bootstrap/status.json")
        place = {"plain": "/run/credstore", "sealed": "/etc/credstore.encrypted"}[credential]
        found = running.execute("find", place, "-type", "f", "-printf", "%m %p\n")
        assert found == f"600 {place}/db_password\n"
    holding = [
        path
        for path, kind in one.written.items()
        if kind == "file" and VALUE.encode() in one.find(path).read_bytes()
    ]
    assert holding == ["etc/shop/db.conf"]


@pytest.mark.parametrize("credential", ["plain", "sealed"])
def test_an_unchanged_secret_is_handed_on_at_the_next_boot(oldest, machine, network, credential):
    """What lay in /run is gone and comes back; what is sealed is left as it is, as is the file."""
    platform = network(MACHINE)
    one = prepared(machine(oldest), platform, credential)
    for _ in range(2):
        with one.boot(platform) as running:
            running.wait_until_started()
            running.wait_until("systemctl", "is-active", "consumer.service")
            assert running.show(AGENT, "Result")["Result"] == "success"
    assert not [path for path in one.written if path.startswith(("etc/shop", "etc/credstore"))]
