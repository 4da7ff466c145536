"""Managed identities and the Arc agent, asked over a real socket by http.client."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
import yaml

CASES = yaml.safe_load(
    Path(__file__).with_name("cases").joinpath("tokens.yaml").read_text(encoding="utf-8")
)
TOKEN = "/metadata/identity/oauth2/token"
VAULT = f"{TOKEN}?api-version=2018-02-01&resource=https://vault.azure.net"
ARC = f"{TOKEN}?api-version=2020-06-01&resource=https://vault.azure.net"
CLIENT = "3f1c7e52-9a40-4b7e-8f0a-5a1b2c3d4e5f"


@pytest.mark.parametrize("case", CASES, ids=[case["promise"] for case in CASES])
def test_token(serve, ask, case):
    """Every request in cases/tokens.yaml gets the answer written beside it."""
    answer = ask(
        serve(case.get("machine")),
        f"{case.get('path', TOKEN)}?{case['query']}",
        method=case.get("method", "GET"),
        headers=case.get("headers"),
    )
    assert answer.status == case["status"], answer.body
    body = answer.json()
    assert body.items() >= case.get("gives", {}).items()
    assert not body.keys() & set(case.get("lacks", ()))
    assert body.get("error") == case.get("error", body.get("error"))
    assert case.get("has", "") in body.get("error_description", "")


def test_a_token_s_numbers_are_text(serve, ask):
    """Seconds since 1970 and from now, as IMDS writes them."""
    body = ask(serve({"tokenLifetime": 90}, wall=lambda: 1000.4), VAULT).json()
    assert (body["not_before"], body["expires_in"], body["expires_on"]) == ("1000", "90", "1090")


def test_each_token_is_another(serve, ask):
    """A token is an opaque text that tells nothing and is given once."""
    emulator = serve()
    tokens = {ask(emulator, VAULT).json()["access_token"] for _ in range(3)}
    assert len(tokens) == 3
    assert all(len(token) > 40 for token in tokens)


def test_the_same_machine_has_the_same_system_identity(serve, ask):
    """Its client id comes from the machine's name."""
    ids = [ask(serve({"name": name}), VAULT).json()["client_id"] for name in ("a", "a", "b")]
    assert ids[0] == ids[1] != ids[2]


def test_identities_are_attached_after_a_while(serve, ask):
    """Until `identityDelay` has passed there is no such identity, as after a VM is created."""
    now = [100.0]
    emulator = serve({"identityDelay": 20}, clock=lambda: now[0])
    answer = ask(emulator, VAULT)
    assert (answer.status, answer.json()["error_description"]) == (400, "Identity not found")
    now[0] += 20
    assert ask(emulator, VAULT).status == 200


def test_the_tenant_can_be_asked_for(serve, ask):
    """`/metadata/identity/info` is there too."""
    answer = ask(serve(), "/metadata/identity/info?api-version=2023-07-01")
    assert answer.json().keys() == {"tenantId"}


def test_the_twenty_first_token_of_a_second_is_too_many(serve, ask):
    """The identity endpoint has a rate of its own, whatever the instance's is."""
    now = [100.0]
    emulator = serve({"rate": 1}, clock=lambda: now[0])
    assert [ask(emulator, VAULT).status for _ in range(21)] == [200] * 20 + [429]
    now[0] += 1
    assert ask(emulator, VAULT).status == 200


def test_the_sixth_request_at_once_is_too_many(serve, ask):
    """Five tokens can be on their way at the same time; a fault makes them slow enough."""
    emulator = serve({"identityFaults": [{"delay": 0.5, "times": "forever"}]})
    seen = []
    threads = [
        threading.Thread(target=lambda: seen.append(ask(emulator, VAULT).status)) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [200] * 5 + [429]
    assert ask(emulator, VAULT).status == 200


@pytest.fixture
def arc(serve, tmp_path):
    """An Arc machine; its keys lie in a folder that is not there yet."""

    def start(**keys):
        folder = tmp_path / "agent" / "tokens"
        return serve({"arc": {"tokens": str(folder), **keys.pop("arc", {})}, **keys}), folder

    return start


def answered(ask, emulator, target=ARC, **headers):
    return ask(emulator, target, headers={"Metadata": "true", **headers})


def key_named_by(answer):
    assert answer.status == 401
    scheme, _, path = answer.headers["www-authenticate"].partition("=")
    assert scheme == "Basic realm"
    return Path(path)


def test_an_arc_token_takes_the_key(ask, arc):
    """The challenge names a file; its content is good for one token, and then it is gone."""
    emulator, folder = arc()
    key = key_named_by(answered(ask, emulator))
    assert key.parent == folder
    assert key.suffix == ".key"
    assert key.stat().st_mode & 0o777 == 0o600
    proof = f"Basic {key.read_text()}"
    assert answered(ask, emulator, Authorization=proof).status == 200
    assert not key.exists()
    assert answered(ask, emulator, Authorization=proof).status == 401


@pytest.mark.parametrize("proof", ["Basic wrong", "Basic ", "Bearer x"])
def test_a_wrong_key_is_challenged_again(ask, arc, proof):
    """Whoever cannot read the file gets no token."""
    emulator, _ = arc()
    key_named_by(answered(ask, emulator))
    assert answered(ask, emulator, Authorization=proof).status == 401


def test_nothing_is_left_in_the_arc_folder(ask, arc):
    """Keys that were not used, and folders that were made for them, go with the emulator."""
    emulator, folder = arc()
    key_named_by(answered(ask, emulator))
    emulator.close()
    assert not folder.parent.exists()


def test_an_arc_folder_that_was_there_stays(ask, arc):
    """Only what the emulator made is removed."""
    emulator, folder = arc()
    folder.mkdir(parents=True)
    key_named_by(answered(ask, emulator))
    emulator.close()
    assert list(folder.iterdir()) == []


def test_an_arc_challenge_may_announce_another_folder(ask, arc):
    """Below a `--root` the agent knows its folder by another name."""
    emulator, folder = arc(arc={"announced": "/var/opt/azcmagent/tokens"})
    named = key_named_by(answered(ask, emulator))
    assert named.parent == Path("/var/opt/azcmagent/tokens")
    assert (folder / named.name).exists()


@pytest.mark.parametrize(("old", "echoed"), [(False, CLIENT), (True, None)])
def test_an_old_arc_agent_answers_for_the_system(ask, arc, old, echoed):
    """A user-assigned identity is echoed, or silently replaced by the machine's own."""
    identities = {"user": [{"clientId": CLIENT}]}
    emulator, _ = arc(arc={"oldAgent": old}, identities=identities)
    target = f"{ARC}&client_id={CLIENT}"
    key = key_named_by(answered(ask, emulator, target))
    body = answered(ask, emulator, target, Authorization=f"Basic {key.read_text()}").json()
    assert (body["client_id"] == CLIENT) == (echoed is not None)


def test_arc_has_api_versions_of_its_own(ask, arc, instance):
    """Tokens with 2020-06-01, the instance with 2019-11-01, nothing as new as a VM's."""
    emulator, _ = arc()
    assert answered(ask, emulator, VAULT).status == 400
    assert ask(emulator, "/metadata/instance?api-version=2021-01-01").status == 400
    compute = instance(emulator, "2019-11-01")["compute"]
    assert compute["provider"] == "Microsoft.HybridCompute"


def test_requests_for_tokens_are_on_the_record(serve, ask):
    """They stand among the requests to IMDS, in order."""
    emulator = serve()
    ask(emulator, "/metadata/versions")
    ask(emulator, VAULT)
    assert [request.path for request in emulator.requests] == ["/metadata/versions", TOKEN]


def test_closing_does_not_wait_for_a_token_that_drips(serve):
    """A slot that is held does not hold up the end."""
    import http.client

    emulator = serve({"identityFaults": [{"delay": 60}]})
    host, _, port = emulator.endpoint.removeprefix("http://").rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=5)
    connection.request("GET", VAULT, headers={"Metadata": "true"})
    end = time.monotonic() + 5
    while not emulator.requests:
        assert time.monotonic() < end
        time.sleep(0.005)
    begin = time.monotonic()
    emulator.close()
    assert time.monotonic() - begin < 10
    connection.close()
