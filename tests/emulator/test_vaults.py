"""Key Vaults over TLS, asked by http.client with the emulator's authority and no other."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from bootstrap.errors import InvalidDocument

CASES = yaml.safe_load(
    Path(__file__).with_name("cases").joinpath("vault.yaml").read_text(encoding="utf-8")
)
HOST = "contoso-prod.vault.azure.net"
TOKEN = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource="
SECRET = "/secrets/db?api-version=7.4"


@pytest.fixture
def token(ask):
    """A token of the machine's own identity."""

    def get(emulator, audience="https://vault.azure.net"):
        return ask(emulator, TOKEN + audience).json()["access_token"]

    return get


@pytest.fixture
def read(token):
    """Ask a vault under its own name, on loopback, with TLS verified as strictly as can be."""

    def get(emulator, target, *, host=HOST, method="GET", headers=None):
        address = emulator.vaults_endpoint.removeprefix("https://").rpartition(":")
        context = ssl.create_default_context(cafile=emulator.ca_file)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        name = host.partition(":")[0]
        with (
            socket.create_connection((address[0], int(address[2])), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname=name) as secure,
        ):
            connection = http.client.HTTPConnection(host)
            connection.sock = secure
            given = {"Authorization": f"Bearer {token(emulator)}"} if headers is None else headers
            connection.request(method, target, headers={"Host": host, **given})
            response = connection.getresponse()
            body = response.read()
            names = {name.lower(): value for name, value in response.getheaders()}
            return SimpleNamespace(
                status=response.status, headers=names, json=json.loads(body or b"null")
            )

    return get


def vaults(**keys):
    return {"identityRate": 0, "vaults": {"contoso-prod": {"secrets": {"db": "one"}, **keys}}}


@pytest.mark.parametrize("case", CASES["cases"], ids=[case["promise"] for case in CASES["cases"]])
def test_vault(serve, read, case):
    """Every request in cases/vault.yaml gets the answer written beside it."""
    vault = {**CASES["vault"], **case.get("vault", {})}
    answer = read(
        serve(case.get("machine", {"vaults": {"contoso-prod": vault}})),
        case["target"],
        host=case.get("host", HOST),
        method=case.get("method", "GET"),
        headers=case.get("headers"),
    )
    assert answer.status == case["status"], answer.json
    error = answer.json.get("error", {})
    assert error.get("code") == case.get("code", error.get("code"))
    assert error.get("innererror", {}).get("code") == case.get("inner")
    assert case.get("has", "") in error.get("message", "")
    assert answer.json.items() >= case.get("gives", {}).items()
    assert answer.json.get("id", "").endswith(case.get("id", ""))
    if "ids" in case:
        assert [item["id"].rpartition("/")[2] for item in answer.json["value"]] == case["ids"]
        assert not any("value" in item for item in answer.json["value"])


CLOUDS = [
    ("AzurePublicCloud", "vault.azure.net", "login.microsoftonline.com"),
    ("AZURECHINACLOUD", "vault.azure.cn", "login.chinacloudapi.cn"),
    ("AzureUSGovernmentCloud", "vault.usgovcloudapi.net", "login.microsoftonline.us"),
    ("AzureGermanCloud", "vault.microsoftazure.de", "login.microsoftonline.de"),
]


@pytest.mark.parametrize("cloud", CLOUDS, ids=[cloud[0] for cloud in CLOUDS])
def test_each_cloud_has_its_suffix_and_its_audience(serve, read, token, cloud):
    """The challenge names the sign-in service and the audience; a token for it opens the vault."""
    environment, suffix, authority = cloud
    emulator = serve({"environment": environment, **vaults()})
    host = f"contoso-prod.{suffix}"
    challenge = read(emulator, SECRET, host=host, headers={}).headers["www-authenticate"]
    assert challenge.startswith(f'Bearer authorization="https://{authority}/')
    assert challenge.endswith(f'", resource="https://{suffix}"')
    proof = {"Authorization": f"Bearer {token(emulator, f'https://{suffix}')}"}
    assert read(emulator, SECRET, host=host, headers=proof).json["value"] == "one"


@pytest.mark.parametrize("audience", ["https://management.azure.com", "https://vault.azure.net/"])
def test_a_token_for_another_audience_is_challenged(serve, read, token, audience):
    """Another service's token, or one whose audience ends in a slash, does not open a vault."""
    emulator = serve(vaults())
    proof = {"Authorization": f"Bearer {token(emulator, audience)}"}
    answer = read(emulator, SECRET, headers=proof)
    assert (answer.status, answer.json["error"]["code"]) == (401, "Unauthorized")
    assert f"found: {audience}." in answer.json["error"]["message"]


def test_an_expired_token_is_challenged(serve, read, token):
    """A token is good until the second in which it expires."""
    now = [1_800_000_000.0]
    emulator = serve({**vaults(), "tokenLifetime": 60}, wall=lambda: now[0])
    proof = {"Authorization": f"Bearer {token(emulator)}"}
    seen = []
    for seconds in (0, 59, 60):
        now[0] = 1_800_000_000.0 + seconds
        seen.append(_plain(emulator, SECRET, proof))
    assert seen == [200, 200, 401]


def _plain(emulator, target, headers):
    """A status, without checking the certificate: the clock of the test is not the machine's."""
    address = emulator.vaults_endpoint.removeprefix("https://")
    context = ssl._create_unverified_context()
    connection = http.client.HTTPSConnection(address, timeout=5, context=context)
    connection.request("GET", target, headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_an_identity_that_is_allowed_reads(serve, read, ask):
    """`allowed` names client ids; the others are refused as without a role."""
    client = "3f1c7e52-9a40-4b7e-8f0a-5a1b2c3d4e5f"
    emulator = serve({**vaults(allowed=[client]), "identities": {"user": [{"clientId": client}]}})
    body = ask(emulator, f"{TOKEN}https://vault.azure.net&client_id={client}").json()
    proof = {"Authorization": f"Bearer {body['access_token']}"}
    assert read(emulator, SECRET, headers=proof).status == 200
    assert read(emulator, SECRET).json["error"]["innererror"] == {"code": "ForbiddenByRbac"}


def test_a_role_assignment_takes_its_time(serve, read):
    """For `grantAfter` seconds the vault is closed, then it opens by itself."""
    now = [100.0]
    emulator = serve({"rate": 0, **vaults(grantAfter=90)}, clock=lambda: now[0])
    assert read(emulator, SECRET).json["error"]["innererror"] == {"code": "ForbiddenByRbac"}
    now[0] += 90
    assert read(emulator, SECRET).status == 200


def test_a_vault_is_throttled_by_its_rate(serve, read):
    """Beyond the rate: 429, `Throttled`, and when to come again; each vault counts its own."""
    machine = vaults(rate=2)
    machine["vaults"]["other"] = {"secrets": {"db": "two"}}
    emulator = serve(machine, clock=lambda: 7.0)
    answers = [read(emulator, SECRET) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[2].headers["retry-after"] == "1"
    assert answers[2].json["error"]["code"] == "Throttled"
    assert read(emulator, SECRET, host="other.vault.azure.net").status == 200


def test_faults_of_one_vault_do_not_touch_imds(serve, read):
    """The script is the vault's own, and ends."""
    emulator = serve(vaults(faults=[{"status": 503}, {"redirect": "https://evil.example/"}]))
    assert [read(emulator, SECRET).status for _ in range(3)] == [503, 302, 200]


def test_a_reset_vault_is_a_reset(serve, read):
    """The connection goes without an answer, as over plain TCP."""
    emulator = serve(vaults(faults=["reset", {"truncate": 5}]))
    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        read(emulator, SECRET)
    with pytest.raises(http.client.IncompleteRead):
        read(emulator, SECRET)
    assert [request.status for request in emulator.vault_requests] == [None, 200]


def test_an_edit_of_a_value_is_a_new_version(serve, read):
    """The new value is current, the old one stays under its version, and the list has both."""
    emulator = serve(vaults())
    old = read(emulator, SECRET).json
    emulator.change(**vaults(secrets={"db": "two"}))
    new = read(emulator, SECRET).json
    assert (old["value"], new["value"]) == ("one", "two")
    assert old["id"] != new["id"]
    pinned = f"/secrets/db/{old['id'].rpartition('/')[2]}?api-version=7.4"
    assert read(emulator, pinned).json["value"] == "one"
    listed = read(emulator, "/secrets/db/versions?api-version=7.4").json["value"]
    assert [item["id"] for item in listed] == [old["id"], new["id"]]


def test_a_value_that_returns_is_a_third_version(serve, read):
    """Key Vault counts what was set, not what it was set to."""
    emulator, ids = serve(vaults()), []
    for value in ("one", "two", "one"):
        emulator.change(**vaults(secrets={"db": value}))
        ids.append(read(emulator, SECRET).json["id"])
    assert len(set(ids)) == 3


def test_an_edit_of_attributes_is_no_new_version(serve, read):
    """Switching a secret off and on again leaves its version."""
    emulator = serve(vaults())
    before = read(emulator, SECRET).json["id"]
    emulator.change(**vaults(secrets={"db": {"value": "one", "enabled": False}}))
    assert read(emulator, SECRET).status == 403
    emulator.change(**vaults(secrets={"db": {"value": "one", "expires": "2040-01-01"}}))
    after = read(emulator, SECRET).json
    assert after["id"] == before
    assert after["attributes"]["exp"] == 2_208_988_800


def test_a_secret_that_is_removed_is_not_found(serve, read):
    """A key that goes from the machine file goes from the vault."""
    emulator = serve(vaults())
    emulator.change(**vaults(secrets={}))
    assert read(emulator, SECRET).status == 404
    assert read(emulator, "/secrets?api-version=7.4").json["value"] == []


def test_an_edited_file_rotates_a_secret(serve, read, tmp_path):
    """A machine file is read again when it has changed, and so are its vaults."""
    machine = tmp_path / "machine.yaml"
    text = "rate: 0\nvaults: {contoso-prod: {secrets: {db: VALUE}}}\n"
    machine.write_text(text.replace("VALUE", "one"))
    emulator = serve(machine)
    other = tmp_path / "other"
    other.write_text(text.replace("VALUE", "another"))
    other.replace(machine)
    assert read(emulator, SECRET).json["value"] == "another"
    assert len(read(emulator, "/secrets/db/versions?api-version=7.4").json["value"]) == 2


def test_the_same_machine_holds_the_same_versions(serve, read):
    """An emulator that starts again has not rotated anything."""
    ids = {read(serve(vaults()), SECRET).json["id"] for _ in range(2)}
    assert len(ids) == 1


def test_lists_come_in_pages(serve, read):
    """25 at most, each page says where the next one is, the last says that there is none."""
    emulator = serve(vaults(secrets={f"s{number:02}": "x" for number in range(60)}))
    target, sizes, seen = "/secrets?api-version=7.4", [], []
    while target:
        page = read(emulator, target).json
        sizes.append(len(page["value"]))
        seen += [item["id"].rpartition("/")[2] for item in page["value"]]
        target = (page["nextLink"] or "").removeprefix(f"https://{HOST}")
    assert sizes == [25, 25, 10]
    assert seen == [f"s{number:02}" for number in range(60)]


def certificate(**keys):
    return {"vaults": {"contoso-prod": {"certificates": {"shop": {"key": "ec", **keys}}}}}


CERTIFICATE = "/certificates/shop?api-version=7.4"
ITS_SECRET = "/secrets/shop?api-version=7.4"


@pytest.mark.parametrize("kind", ["rsa", "ec"])
@pytest.mark.parametrize("form", ["pfx", "pem"])
def test_a_certificate_is_the_secret_of_its_name(serve, read, form, kind):
    """Key, leaf and chain as PFX with an empty password or as PEM; the certificate has the leaf."""
    emulator = serve(certificate(form=form, key=kind, subject="CN=web", names=["shop.example"]))
    secret, bundle = read(emulator, ITS_SECRET).json, read(emulator, CERTIFICATE).json
    assert secret["managed"] is True
    assert secret["kid"] == bundle["kid"]
    assert secret["id"] == bundle["sid"]
    key, leaf, chain = UNPACK[secret["contentType"]](secret["value"])
    assert leaf.public_bytes(serialization.Encoding.DER) == base64.b64decode(bundle["cer"])
    assert leaf.public_key() == key.public_key()
    assert leaf.subject.rfc4514_string() == "CN=web"
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["shop.example"]
    for one, issuer in zip([leaf, *chain], [*chain, chain[-1]], strict=True):
        one.verify_directly_issued_by(issuer)
    root = Path(emulator.ca_file).read_bytes()
    assert chain[-1].public_bytes(serialization.Encoding.PEM) == root


def from_pfx(value):
    return pkcs12.load_key_and_certificates(base64.b64decode(value), None)


def from_pem(value):
    leaf, *chain = x509.load_pem_x509_certificates(value.encode())
    return serialization.load_pem_private_key(value.encode(), None), leaf, chain


UNPACK = {"application/x-pkcs12": from_pfx, "application/x-pem-file": from_pem}


def test_a_renewed_certificate_is_a_new_version(serve, read):
    """A higher `renewed` makes another certificate; being switched off does not."""
    emulator = serve(certificate())
    before = read(emulator, CERTIFICATE).json
    emulator.change(**certificate(enabled=False))
    assert read(emulator, CERTIFICATE).json["id"] == before["id"]
    assert read(emulator, ITS_SECRET).json["error"]["innererror"] == {"code": "SecretDisabled"}
    emulator.change(**certificate(renewed=1))
    after = read(emulator, CERTIFICATE).json
    assert (after["id"] != before["id"], after["x5t"] != before["x5t"]) == (True, True)
    listed = read(emulator, "/certificates/shop/versions?api-version=7.4").json["value"]
    assert [item["x5t"] for item in listed] == [before["x5t"], after["x5t"]]


def test_a_client_that_does_not_trust_the_authority_is_not_served(serve):
    """The certificate is good for nobody who was not told of its authority."""
    host, _, port = serve(vaults()).vaults_endpoint.removeprefix("https://").rpartition(":")
    with (
        socket.create_connection((host, int(port)), timeout=5) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        ssl.create_default_context().wrap_socket(plain, server_hostname=HOST)


def test_requests_to_the_vaults_have_a_record_of_their_own(serve, read):
    """Path, Host and status; IMDS's own record has the token's request alone."""
    lines = []
    emulator = serve(vaults(), log=lines.append)
    read(emulator, SECRET)
    (request,) = emulator.vault_requests
    assert (request.path, request.headers["host"], request.status) == ("/secrets/db", HOST, 200)
    assert len(emulator.requests) == 1
    assert lines[-1] == f"GET https://{HOST}{SECRET} 200"


def test_nothing_of_the_authority_is_left(serve):
    """The file that clients trust is there while the emulator runs, and readable by its user."""
    emulator = serve(vaults())
    path = Path(emulator.ca_file)
    assert path.read_text().startswith("-----BEGIN CERTIFICATE-----")
    emulator.close()
    assert not path.exists()


def test_a_machine_without_vaults_has_no_port_for_them(serve):
    """Nothing listens, nothing is written, and asking for a vault says so."""
    emulator = serve()
    assert (emulator.vaults_endpoint, emulator.ca_file) == ("", "")
    with pytest.raises(KeyError):
        emulator.vault_endpoint("contoso-prod")


def test_a_vault_listens_where_all_do(serve):
    """`vault_endpoint` is an address on loopback; the Host header tells the vaults apart."""
    emulator = serve(vaults())
    assert emulator.vault_endpoint("Contoso-Prod") == emulator.vaults_endpoint
    assert emulator.vaults_endpoint.startswith("https://127.0.0.1:")


def test_a_port_that_is_taken_leaves_nothing_behind(serve):
    """The port of the vaults is an error as that of IMDS is."""
    port = int(serve().endpoint.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        serve(vaults(), vaults_port=port)


def test_closing_ends_a_half_made_handshake(serve):
    """A client that has said nothing, or half a greeting, does not hold up the end."""
    emulator = serve(vaults())
    host, _, port = emulator.vaults_endpoint.removeprefix("https://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=5) as client:
        client.sendall(b"\x16\x03\x01")
        emulator.close()
        with contextlib.suppress(ConnectionResetError):  # cut is cut
            assert client.recv(100) in (b"", b"\x15\x03\x01\x00\x02\x02\x32")


def test_no_message_shows_a_secret():
    """A mistake beside a value is told at its place, without the line."""
    from bootstrap.emulator.machine_file import read_machine

    text = "vaults: {contoso-prod: {secrets: {db: {value: canary-7f, enabled: maybe}}}}\n"
    with pytest.raises(InvalidDocument) as caught:
        read_machine(text, "m")
    (problem,) = caught.value.problems
    assert (problem.where, problem.text) == ("m:1:67", "")


def test_the_values_are_not_in_any_repr(serve):
    """What a debugger or an assertion shows of a machine has no secret in it."""
    from bootstrap.emulator.machine_file import read_machine

    text = (
        "vaults: {contoso-prod: {secrets: {db: canary-7f, b: {versions: [{value: canary-7f}]}}}}\n"
    )
    assert "canary" not in repr(read_machine(text, "m"))


WITHOUT = "import sys; sys.modules['cryptography'] = None; "


def run(code):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )


def test_without_vaults_the_library_is_not_needed():
    """An emulator of a plain machine runs where `cryptography` is not installed."""
    code = "from bootstrap.emulator import Emulator; Emulator.serve({'name': 'shop'}).close()"
    assert run(WITHOUT + code).returncode == 0


def test_vaults_without_the_library_say_what_to_install(tmp_path):
    """One sentence and the way to cure it, no traceback."""
    machine = tmp_path / "machine.yaml"
    machine.write_text("vaults: {contoso-prod: {}}\n")
    listen = "'--listen', '127.0.0.1:0'"
    code = f"from bootstrap.cli import main; sys.exit(main(['emulate', '{machine}', {listen}]))"
    ended = run(WITHOUT + code)
    assert ended.returncode == 2
    assert "apt-get install python3-cryptography" in ended.stderr
    assert "imds-bootstrap[emulator]" in ended.stderr
    assert "Traceback" not in ended.stderr
