"""The emulator as Microsoft's own clients see it: what it holds they get, what it refuses they say.

They are slow to import, so each test asks several things.
"""

from __future__ import annotations

import base64
import os
import socket
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

CLIENT = "3f1c7e52-9a40-4b7e-8f0a-5a1b2c3d4e5f"
OTHER = "7d44a1a2-1f0e-4a58-9a55-0c9dd54c3c11"
MACHINE = {
    "identities": {"system": False, "user": [{"clientId": CLIENT}, {"clientId": OTHER}]},
    "vaults": {
        "contoso-prod": {
            "allowed": [CLIENT],
            "secrets": {
                "db-password": {"value": "correct horse", "contentType": "text/plain"},
                "closed": {"value": "x", "enabled": False},
                **{f"filler-{number:02}": "x" for number in range(30)},
            },
            "certificates": {"shop-tls": {"key": "ec", "names": ["shop.example"]}},
        }
    },
}


@pytest.fixture
def sdk():
    """The clients, their caches emptied."""
    from azure.core import exceptions
    from azure.identity import ManagedIdentityCredential
    from azure.keyvault.certificates import CertificateClient
    from azure.keyvault.secrets import SecretClient

    class Sdk:
        errors = exceptions
        credential = ManagedIdentityCredential
        secrets = SecretClient
        certificates = CertificateClient

    return Sdk


@pytest.fixture
def clients(sdk, monkeypatch):
    """Clients of one emulated vault, as one identity of the machine."""
    with ExitStack() as stack:

        def connect(emulator, client_id, url=None, **options):
            monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", emulator.endpoint)
            credential = stack.enter_context(sdk.credential(client_id=client_id, retry_total=0))
            given = {
                "vault_url": url or emulator.vault_endpoint("contoso-prod"),
                "credential": credential,
                "verify_challenge_resource": False,
                "connection_verify": emulator.ca_file,
                "retry_total": 0,
                **options,
            }
            secrets = stack.enter_context(sdk.secrets(**given))
            return secrets, stack.enter_context(sdk.certificates(**given))

        yield connect


def test_what_the_vault_holds_the_clients_get(serve, clients):
    """Values, attributes, versions, every page of a list, certificates with their keys."""
    emulator = serve(MACHINE)
    secrets, certificates = clients(emulator, CLIENT)
    secret = secrets.get_secret("db-password")
    assert (secret.value, secret.properties.content_type) == ("correct horse", "text/plain")
    assert secrets.get_secret("db-password", secret.properties.version).value == "correct horse"
    assert len(list(secrets.list_properties_of_secrets())) == 33
    vault = MACHINE["vaults"]["contoso-prod"]
    rotated = {**vault["secrets"], "db-password": "battery staple"}
    emulator.change(vaults={"contoso-prod": {**vault, "secrets": rotated}})
    assert secrets.get_secret("db-password").value == "battery staple"
    assert secrets.get_secret("db-password", secret.properties.version).value == "correct horse"
    assert len(list(secrets.list_properties_of_secret_versions("db-password"))) == 2
    certificate = certificates.get_certificate("shop-tls")
    managed = secrets.get_secret("shop-tls")
    assert managed.properties.content_type == "application/x-pkcs12"
    assert managed.id == certificate.secret_id
    assert _leaf_of(managed.value) == bytes(certificate.cer)
    assert [one.name for one in certificates.list_properties_of_certificates()] == ["shop-tls"]
    (version,) = certificates.list_properties_of_certificate_versions("shop-tls")
    assert version.x509_thumbprint == certificate.properties.x509_thumbprint


def _leaf_of(pfx):
    from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

    return pkcs12.load_key_and_certificates(base64.b64decode(pfx), None)[1].public_bytes(
        Encoding.DER
    )


def test_what_is_refused_the_clients_report(serve, sdk, clients):
    """Not found, disabled, no role, throttled, an unknown identity: each is said as it is."""
    emulator = serve(MACHINE)
    secrets, certificates = clients(emulator, CLIENT)
    with pytest.raises(sdk.errors.ResourceNotFoundError, match="SecretNotFound"):
        secrets.get_secret("nothing")
    with pytest.raises(sdk.errors.ResourceNotFoundError, match="CertificateNotFound"):
        certificates.get_certificate("nothing")
    with pytest.raises(sdk.errors.HttpResponseError, match="disabled secret") as caught:
        secrets.get_secret("closed")
    assert caught.value.error.innererror["code"] == "SecretDisabled"
    without_role, _ = clients(emulator, OTHER)
    with pytest.raises(sdk.errors.HttpResponseError) as caught:
        without_role.get_secret("db-password")
    assert (caught.value.status_code, caught.value.error.code) == (403, "Forbidden")
    assert caught.value.error.innererror["code"] == "ForbiddenByRbac"
    throttled = {**MACHINE["vaults"]["contoso-prod"], "faults": [{"status": 429}]}
    emulator.change(vaults={"contoso-prod": throttled})
    with pytest.raises(sdk.errors.HttpResponseError) as caught:
        secrets.get_secret("db-password")
    assert caught.value.status_code == 429
    stranger, _ = clients(emulator, "00000000-0000-4000-8000-00000000dead")
    with pytest.raises(sdk.errors.ClientAuthenticationError, match="Identity not found"):
        stranger.get_secret("db-password")


@contextmanager
def names_on_loopback(suffix, port):
    """In this process every name below `suffix` is the emulator, whatever port is asked for."""
    real = socket.getaddrinfo

    def resolve(host, asked, *arguments, **more):
        ours = str(host).endswith(suffix)
        return real("127.0.0.1" if ours else host, port if ours else asked, *arguments, **more)

    socket.getaddrinfo = resolve
    try:
        yield
    finally:
        socket.getaddrinfo = real


@pytest.mark.parametrize(
    ("cloud", "suffix"),
    [("AzurePublicCloud", "vault.azure.net"), ("AzureChinaCloud", "vault.azure.cn")],
)
def test_the_clients_find_a_vault_by_its_own_name(serve, clients, cloud, suffix):
    """With nothing switched off: the name, the certificate and the challenge's audience fit."""
    emulator = serve({**MACHINE, "environment": cloud})
    port = emulator.vaults_endpoint.rpartition(":")[2]
    url = f"https://contoso-prod.{suffix}"
    with names_on_loopback(suffix, port):
        secrets, _ = clients(emulator, CLIENT, url, verify_challenge_resource=True)
        secret = secrets.get_secret("db-password")
    assert secret.value == "correct horse"
    assert secret.properties.vault_url == url


@pytest.fixture
def msal_client(monkeypatch):
    """Make msal's client of an Arc machine; it looks for keys in the folder that it is given."""
    import msal
    import requests

    with requests.Session() as session:

        def make(emulator, folder, identity=None):
            for name, value in emulator.arc_environment.items():
                monkeypatch.setenv(name, value)
            folders = {"linux": str(folder)}
            place = "_supported_arc_platforms_and_their_prefixes"
            monkeypatch.setattr(msal.managed_identity, place, folders)
            identity = identity or msal.SystemAssignedManagedIdentity()
            return msal.ManagedIdentityClient(identity, http_client=session)

        yield make


def test_msal_answers_the_challenge_of_an_arc_machine(serve, msal_client, tmp_path):
    """It finds the key, gets the token, and nothing of the key is left; a vault takes the token."""
    emulator = serve({"arc": {"tokens": str(tmp_path)}})
    result = msal_client(emulator, tmp_path).acquire_token_for_client(
        resource="https://vault.azure.net"
    )
    assert result["token_type"] == "Bearer"
    assert result["expires_in"] == 86_400
    assert [request.status for request in emulator.requests] == [401, 200]
    assert os.listdir(tmp_path) == []


def test_msal_refuses_what_an_old_arc_agent_gives(serve, msal_client, tmp_path):
    """A user-assigned identity that is not echoed is not taken for the one asked for."""
    import msal

    identity = msal.UserAssignedManagedIdentity(client_id=CLIENT)
    machine = {"identities": {"user": [{"clientId": CLIENT}]}}
    arc = {"tokens": str(tmp_path)}
    result = msal_client(serve({**machine, "arc": arc}), tmp_path, identity)
    assert "access_token" in result.acquire_token_for_client(resource="https://vault.azure.net")
    old = serve({**machine, "arc": {**arc, "oldAgent": True}})
    with pytest.raises(msal.ManagedIdentityError, match="did not confirm"):
        msal_client(old, tmp_path, identity).acquire_token_for_client(
            resource="https://vault.azure.net"
        )


def test_msal_reports_an_identity_that_is_not_there(serve, msal_client, tmp_path):
    """A machine without identities refuses with its own words."""
    emulator = serve({"arc": {"tokens": str(tmp_path)}, "identities": {"system": False}})
    result = msal_client(emulator, tmp_path).acquire_token_for_client(resource="https://a.b")
    assert "Identity not found" in result["error_description"]
    assert list(Path(tmp_path).iterdir()) == []
