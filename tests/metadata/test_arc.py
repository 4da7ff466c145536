from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from bootstrap.errors import IdentityRefused, IdentityUnavailable, SettingsError
from bootstrap.identity.arc import AGENT, ENDPOINT, INSTANCE_VERSION, Arc, ArcService, detect
from bootstrap.identity.arc_key import TOKENS
from bootstrap.identity.managed_identity import Identity, Selector
from bootstrap.imds.client import Imds

VAULT = "https://vault.azure.net"
CLIENT = "3f1c7e52-9a40-4b7e-8f0a-5a1b2c3d4e5f"
KEY = "a2V5LWNhbmFyeQ=="
REALM = f"{TOKENS}/0a1b.key"
TOKEN_PATH = "/metadata/identity/oauth2/token"


def granted(**fields):
    """The answer of Arc's agent with a token."""
    return {
        "access_token": "token-canary",
        "expires_in": "86399",
        "expires_on": "4102444800",
        "resource": VAULT,
        "token_type": "Bearer",
        **fields,
    }


@pytest.fixture
def challenge(answer):
    """The agent's question for the key in its file."""
    return answer(401, {"error": "unauthorized"}, WWW_Authenticate=f"Basic realm={REALM}")


@pytest.fixture
def root(tmp_path):
    """A machine on which the agent has written one key."""
    file = tmp_path / REALM.lstrip("/")
    file.parent.mkdir(parents=True)
    file.write_text(KEY)
    return tmp_path


@pytest.fixture
def heard():
    """The attempts that the client told about."""
    return []


@pytest.fixture
def client(root, heard, fake_time):
    """An Arc machine's client that spends no real time waiting, for 300 seconds."""

    def build(server, on_attempt=heard.append, **how):
        arc = Arc(imds_endpoint=server.endpoint, identity_endpoint=server.endpoint)
        return Identity(
            ArcService(arc, root=str(root)),
            deadline=fake_time.now + 300,
            on_attempt=on_attempt,
            clock=fake_time.clock,
            sleep=fake_time.sleep,
            uniform=random.Random(7).uniform,
            **how,
        )

    return build


def test_a_token_takes_two_requests(serve, client, challenge, heard):
    """The same question twice, the second time with the content of the file as it is."""
    server = serve(challenge, granted())
    assert client(server).token(VAULT).reveal() == "token-canary"
    path = f"{TOKEN_PATH}?api-version=2020-06-01&resource=https%3A%2F%2Fvault.azure.net"
    assert server.paths == [path, path]
    assert "Authorization" not in server.requests[0]
    assert f"\r\nAuthorization: Basic {KEY}\r\n" in server.requests[1]
    assert all("\r\nMetadata: true\r\n" in request for request in server.requests)
    assert [attempt.outcome for attempt in heard] == ["ok"]


@pytest.mark.parametrize(
    ("selector", "echo"),
    [
        (Selector("client_id", CLIENT), {"client_id": CLIENT.upper()}),
        (Selector("object_id", CLIENT), {"object_id": CLIENT}),
        (Selector("msi_res_id", "/subscriptions/s"), {"msi_res_id": "/SUBSCRIPTIONS/s"}),
        (Selector("msi_res_id", "/subscriptions/s"), {"mi_res_id": "/subscriptions/s"}),
    ],
)
def test_a_user_assigned_identity_has_to_be_confirmed(serve, client, challenge, selector, echo):
    """The agent repeats the identity; one that is too old answers with the machine's own."""
    server = serve(challenge, granted(**echo))
    assert client(server).token(VAULT, selector)
    assert f"&{selector.kind}=" in server.paths[1]
    with pytest.raises(IdentityRefused, match=f"does not confirm the identity {selector}") as old:
        client(serve(challenge, granted())).token(VAULT, selector)
    assert "update the Azure Connected Machine agent" in old.value.hint


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"WWW_Authenticate": "Basic"},
        {"WWW_Authenticate": f"Bearer realm={REALM}"},
        {"WWW_Authenticate": f"Basic realm={REALM}, Basic realm=/etc/shadow"},
    ],
)
def test_another_challenge_is_refused(serve, client, answer, header):
    """A 401 that does not name one key file is not the agent's; nothing is sent after it."""
    server = serve(answer(401, **header))
    with pytest.raises(IdentityRefused, match="does not name a key file") as caught:
        client(server).token(VAULT)
    assert len(server.times) == 1
    assert "not how the Azure Connected Machine agent answers" in caught.value.hint


@pytest.mark.parametrize("realm", ["/etc/shadow", f"{TOKENS}/../0a1b.key", f"{TOKENS}/none.key"])
def test_an_attack_is_refused_and_nothing_is_sent(serve, client, answer, heard, realm):
    """The error names the file that was asked for; there is no second request."""
    server = serve(answer(401, WWW_Authenticate=f"Basic realm={realm}"))
    with pytest.raises(IdentityRefused) as caught:
        client(server).token(VAULT)
    assert f"named the key file '{realm}'" in caught.value.message
    assert "nothing of it was sent" in caught.value.message
    assert len(server.times) == 1
    assert heard[-1].outcome == "key-file"


def test_a_token_without_a_challenge_is_refused(serve, client):
    """Who gives tokens to anybody is not the agent."""
    with pytest.raises(IdentityRefused, match="without asking for the key"):
        client(serve(granted())).token(VAULT)


def test_a_key_that_was_replaced_is_read_anew(serve, client, challenge, root, heard):
    """A 401 to the key begins again with a challenge, within the grace period."""

    def rotate(_, connection):
        (root / REALM.lstrip("/")).write_text("bmV3")
        connection.sendall(challenge)

    server = serve(challenge, rotate, challenge, granted())
    assert client(server).token(VAULT)
    assert [attempt.outcome for attempt in heard] == ["401", "ok"]
    assert "Authorization: Basic bmV3" in server.requests[3]


def test_a_key_that_is_never_taken_is_final(serve, client, challenge, fake_time):
    """After the grace period the hint leads to the agent's journal."""
    started = fake_time.now
    with pytest.raises(IdentityRefused, match="401 for 20 s") as caught:
        client(serve(challenge), grace=20).token(VAULT)
    assert 20 <= fake_time.now - started <= 30
    assert "himdsd" in caught.value.hint


@pytest.mark.parametrize("status", [404, 429, 500, 503])
@pytest.mark.parametrize("when", ["before", "after"])
def test_what_can_pass_is_asked_again_from_the_start(serve, client, challenge, status, when):
    """Either of the two requests may meet a service that still starts."""
    steps = [status] if when == "before" else [challenge, status]
    server = serve(*steps, challenge, granted())
    assert client(server).token(VAULT)
    assert len(server.times) == len(steps) + 2


def test_an_agent_that_does_not_run_is_named(serve, client):
    """The error names the agent and how to see its state."""
    server = serve(b"")
    with pytest.raises(IdentityUnavailable, match="the Azure Arc agent at") as caught:
        client(server).token(VAULT)
    assert "systemctl status himdsd" in caught.value.hint


@pytest.mark.parametrize("words", [KEY, f"bad key {KEY[2:12]}!", KEY.replace("a", "\\u0061")])
def test_the_key_is_not_repeated(serve, client, answer, challenge, words):
    """A service that sends the key back, or a piece of it, gets none of its words shown."""
    heard = []
    body = b'{"error": "invalid_grant", "error_description": "%s"}' % words.encode()
    with pytest.raises(IdentityRefused) as caught:
        client(serve(challenge, answer(418, body)), heard.append).token(VAULT)
    shown = f"{caught.value!r} {caught.value.__cause__!r} {heard[-1].detail}"
    assert not any(KEY[start : start + 8] in shown for start in range(len(KEY) - 7))
    assert "418" in shown


def test_a_redirect_does_not_take_the_key_along(serve, client, answer, challenge):
    """Nor does it repeat it."""
    elsewhere = serve(granted())
    target = f"{elsewhere.endpoint}/{KEY}"
    with pytest.raises(IdentityRefused) as caught:
        client(serve(challenge, answer(302, Location=target))).token(VAULT)
    assert KEY not in repr(caught.value)
    assert not elsewhere.times


def test_other_words_of_the_agent_are_shown(serve, client, answer, challenge):
    """What it says about a refusal helps, as long as it is not the key."""
    body = {"error": "unauthorized_client", "error_description": "machine is disconnected"}
    with pytest.raises(IdentityRefused, match="machine is disconnected"):
        client(serve(challenge, answer(403, body)), grace=0).token(VAULT)


def test_both_variables_say_where_arc_is(tmp_path):
    """The token's path is taken off, so that both are endpoints."""
    environ = {
        "IMDS_ENDPOINT": "http://localhost:40342",
        "IDENTITY_ENDPOINT": f"http://localhost:40342{TOKEN_PATH}",
    }
    assert detect(environ, str(tmp_path)) == Arc(imds_endpoint=ENDPOINT, identity_endpoint=ENDPOINT)
    environ = {
        "IMDS_ENDPOINT": "http://127.0.0.1:1/",
        "IDENTITY_ENDPOINT": f"http://[::1]:2{TOKEN_PATH}/",
    }
    assert detect(environ, str(tmp_path)) == Arc(
        imds_endpoint="http://127.0.0.1:1", identity_endpoint="http://[::1]:2"
    )


@pytest.mark.parametrize("variable", ["IMDS_ENDPOINT", "IDENTITY_ENDPOINT"])
def test_one_variable_alone_says_nothing(tmp_path, variable):
    """App Service sets one of them too, and is no Arc machine."""
    assert detect({variable: ENDPOINT}, str(tmp_path)) is None


def test_the_agents_file_says_where_arc_is(tmp_path):
    """Without the variables, as in a service, the installed agent tells."""
    assert detect({}, str(tmp_path)) is None
    agent = tmp_path / AGENT
    agent.parent.mkdir(parents=True)
    agent.touch()
    assert detect({}, str(tmp_path)) == Arc(imds_endpoint=ENDPOINT, identity_endpoint=ENDPOINT)


@pytest.mark.parametrize(
    "endpoint",
    ["http://10.0.0.4:40342", "http://localhost.evil.example", "https://localhost", "localhost"],
)
@pytest.mark.parametrize("variable", ["IMDS_ENDPOINT", "IDENTITY_ENDPOINT"])
def test_an_endpoint_elsewhere_is_refused(tmp_path, variable, endpoint):
    """The key is for this machine's own agent; the error names the variable."""
    environ = {"IMDS_ENDPOINT": ENDPOINT, "IDENTITY_ENDPOINT": ENDPOINT, variable: endpoint}
    with pytest.raises(SettingsError, match=variable) as caught:
        detect(environ, str(tmp_path))
    assert "unset IMDS_ENDPOINT" in caught.value.hint


def test_the_instance_document_comes_from_arc_too(serve, document):
    """Imds takes Arc's endpoint and its api-version; nothing else differs."""
    server = serve(document)
    arc = detect({"IMDS_ENDPOINT": server.endpoint, "IDENTITY_ENDPOINT": server.endpoint})
    imds = Imds(arc.imds_endpoint, api_version=INSTANCE_VERSION, deadline=time.monotonic() + 5)
    assert imds.instance().name == "web-1"
    assert server.paths == ["/metadata/instance?api-version=2019-11-01&extended=true"]


def test_the_key_files_folder_is_arcs_own():
    """Without a root, the file is looked for where the agent writes it."""
    assert Path(TOKENS).is_absolute()
