from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from bootstrap.errors import IdentityRefused, IdentityUnavailable, SettingsError
from bootstrap.identity.managed_identity import Identity, Selector
from bootstrap.secret import Secret

VAULT = "https://vault.azure.net"
CLIENT = "3f1c7e52-9a40-4b7e-8f0a-5a1b2c3d4e5f"
OTHER = "00000000-1111-4222-8333-444444444444"
RESOURCE = "/subscriptions/s/resourceGroups/g/providers/x/userAssignedIdentities/web one"
NOT_FOUND = {"error": "invalid_request", "error_description": "Identity not found"}


def granted(number=1, **fields):
    """The answer of IMDS with a token; numbers are texts."""
    return {
        "access_token": f"token-{number}",
        "client_id": CLIENT,
        "expires_in": "86399",
        "expires_on": "4102444800",
        "resource": VAULT,
        "token_type": "Bearer",
        **fields,
    }


@pytest.fixture
def heard():
    """The attempts that the client told about."""
    return []


@pytest.fixture
def quick(heard):
    """A client on the real clock, for at most `seconds`."""

    def build(server, seconds=5.0, **how):
        deadline = time.monotonic() + seconds
        return Identity(server.endpoint, deadline=deadline, on_attempt=heard.append, **how)

    return build


@pytest.fixture
def patient(heard, fake_time):
    """A client that spends no real time waiting, for 300 seconds."""

    def build(server, seconds=300.0, **how):
        return Identity(
            server.endpoint,
            deadline=fake_time.now + seconds,
            on_attempt=heard.append,
            clock=fake_time.clock,
            sleep=fake_time.sleep,
            uniform=random.Random(7).uniform,
            **how,
        )

    return build


def outcomes(heard):
    return [attempt.outcome for attempt in heard]


def test_the_request_is_exactly_this_one(serve, quick, heard):
    """The audience without its slash, percent-encoded; one header; no wait; a hidden token."""
    server = serve(granted())
    token = quick(server).token(f"{VAULT}/")
    assert isinstance(token, Secret)
    assert (str(token), token.reveal()) == ("***", "token-1")
    path = "/metadata/identity/oauth2/token?api-version=2018-02-01"
    assert server.paths == [f"{path}&resource=https%3A%2F%2Fvault.azure.net"]
    assert "\r\nMetadata: true\r\n" in server.requests[0]
    assert "Authorization" not in server.requests[0]
    assert outcomes(heard) == ["ok"]


@pytest.mark.parametrize(
    ("selector", "parameter"),
    [
        (Selector(), ""),
        (Selector("client_id", CLIENT), f"&client_id={CLIENT}"),
        (Selector("object_id", OTHER), f"&object_id={OTHER}"),
        (
            Selector("msi_res_id", RESOURCE),
            "&msi_res_id=" + RESOURCE.replace("/", "%2F").replace(" ", "%20"),
        ),
        (Selector("client_id", "a&b=c#..é"), "&client_id=a%26b%3Dc%23%2E%2E%C3%A9"),
    ],
)
def test_one_selector_at_most_is_sent(serve, quick, selector, parameter):
    """Each kind has its parameter, and no value can become another parameter."""
    client = selector.value if selector.kind == "client_id" else CLIENT
    server = serve(granted(client_id=client))
    quick(server).token(VAULT, selector)
    assert server.paths[0].endswith(f"vault.azure.net{parameter}")


@pytest.mark.parametrize("status", [408, 410, 429, 500, 502, 503, 504, 599])
def test_a_status_that_can_pass_is_asked_again(serve, patient, heard, status):
    """Every status that the table bears until the deadline leads to the token behind it."""
    assert patient(serve(status, status, granted())).token(VAULT).reveal() == "token-1"
    assert outcomes(heard) == [str(status), str(status), "ok"]


@pytest.mark.parametrize("status", [410, 500])
def test_host_servicing_and_failures_are_borne_to_the_deadline(serve, patient, fake_time, status):
    """410 may last 70 s; only the deadline ends the asking, and the error says what came."""
    started = fake_time.now
    with pytest.raises(IdentityUnavailable) as caught:
        patient(serve(status)).token(VAULT)
    assert 290 <= fake_time.now - started <= 300
    assert f"no token for {VAULT} before the deadline" in caught.value.message
    assert f"{status} ×" in caught.value.message
    assert "later run" in caught.value.hint


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(serve, patient, answer, fake_time, status):
    """The next request does not come before the moment that the server named."""
    started = fake_time.now
    patient(serve(answer(status, Retry_After="42"), granted())).token(VAULT)
    assert 42 <= fake_time.now - started < 43


@pytest.mark.parametrize("step", [404, "400"])
def test_an_identity_that_is_still_being_attached_is_waited_for(
    serve, patient, answer, heard, step
):
    """400 `invalid_request` and 404 pass within the budget, whatever the description says."""
    first = answer(400, NOT_FOUND) if step == "400" else step
    other = answer(400, {"error": "invalid_request", "error_description": "Whatever else"})
    assert patient(serve(first, other, granted())).token(VAULT).reveal() == "token-1"
    assert outcomes(heard) == [str(step), "400", "ok"]


ADVICE = [
    (NOT_FOUND, Selector(), "az vm identity assign"),
    (NOT_FOUND, Selector("client_id", OTHER), f"assign the identity client_id={OTHER}"),
    (
        {
            "error": "invalid_request",
            "error_description": "Multiple user assigned identities exist, please specify",
        },
        Selector(),
        "identity.client_id",
    ),
]


@pytest.mark.parametrize("case", ADVICE, ids=["none", "not this one", "several"])
def test_after_the_budget_a_missing_identity_is_final(serve, patient, answer, fake_time, case):
    """The budget counts from the first such answer; the description only words the advice."""
    body, selector, advice = case
    started = fake_time.now
    with pytest.raises(IdentityRefused) as caught:
        patient(serve(503, answer(400, body)), attach=30).token(VAULT, selector)
    assert 30 <= fake_time.now - started <= 40
    assert "with 400 for 30 s: invalid_request: " in caught.value.message
    assert body["error_description"] in caught.value.message
    assert advice in caught.value.hint


def test_a_budget_of_nothing_makes_a_missing_identity_final_at_once(serve, quick, answer):
    """Who knows that identities are there before the VM boots need not wait."""
    server = serve(answer(400, NOT_FOUND))
    with pytest.raises(IdentityRefused, match=r"with 400: invalid_request"):
        quick(server, attach=0).token(VAULT)
    assert len(server.times) == 1


@pytest.mark.parametrize("status", [401, 403, 421])
def test_a_guest_proxy_agent_that_starts_is_waited_for(serve, patient, heard, status):
    """Closed at first, open within the grace period: a success like any other."""
    assert patient(serve(status, status, granted())).token(VAULT)
    assert outcomes(heard) == [str(status), str(status), "ok"]


@pytest.mark.parametrize("status", [401, 403, 421])
def test_after_the_grace_period_the_refusal_is_final(serve, patient, fake_time, status):
    """The message says for how long, the hint who refuses."""
    started = fake_time.now
    with pytest.raises(IdentityRefused) as caught:
        patient(serve(status), grace=20).token(VAULT)
    assert 20 <= fake_time.now - started <= 30
    assert f"{status} for 20 s" in caught.value.message
    assert "guest proxy agent" in caught.value.hint


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error": "invalid_resource", "error_description": "AADSTS500011\x1b[2J"}),
        (400, {"error": "unauthorized_client"}),
        (400, {"error_description": "Identity not found"}),
        (400, b"Identity not found"),
        (400, {"error": ["invalid_request"]}),
        (400, {"error": "Bad request", "newest-versions": ["2025-04-07"]}),
        *((status, {}) for status in (402, 405, 406, 409, 413, 418, 451)),
    ],
)
def test_any_other_refusal_is_final_at_once(serve, quick, answer, status, body):
    """It is not asked again, and what the service said is shown without its control characters."""
    server = serve(answer(status, body))
    with pytest.raises(IdentityRefused) as caught:
        quick(server).token(VAULT)
    assert f"refused a token for {VAULT} with {status}" in caught.value.message
    assert caught.value.message.isprintable()
    assert len(server.times) == 1


def test_a_long_description_is_cut(serve, quick, answer):
    """Somebody else's words do not fill the log."""
    body = {"error": "invalid_scope", "error_description": "x" * 5000}
    with pytest.raises(IdentityRefused) as caught:
        quick(serve(answer(400, body))).token(VAULT)
    assert len(caught.value.message) < 400


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_final_and_never_followed(serve, quick, answer, status):
    """The Metadata header opens the door to tokens: it goes nowhere else."""
    elsewhere = serve(granted())
    server = serve(answer(status, Location=f"{elsewhere.endpoint}/metadata"))
    with pytest.raises(IdentityRefused, match="never followed"):
        quick(server).token(VAULT)
    assert not elsewhere.times


@pytest.mark.parametrize(
    ("unusable", "outcome"),
    [
        (b"", "short"),
        (b"HTTP/1.1 200 OK\r\n\r\n<html>", "html"),
        (b"HTTP/1.1 200 OK\r\n\r\n{nope", "not-json"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}", "short"),
        ([], "wrong-shape"),
        ({"access_token": "x"}, "wrong-shape"),
        (granted(expires_in="0"), "expired"),
        (b"nonsense\r\n", "garbage"),
    ],
)
def test_an_answer_that_is_no_token_yet_is_asked_again(serve, patient, heard, unusable, outcome):
    """A middlebox's page, half an answer or a token that has expired is not handed on."""
    assert patient(serve(unusable, granted(2))).token(VAULT).reveal() == "token-2"
    assert outcomes(heard) == [outcome, "ok"]


@pytest.mark.parametrize(
    ("selector", "fields", "why"),
    [
        (Selector(), {"resource": "https://management.azure.com"}, "another audience"),
        (Selector("client_id", OTHER), {}, "the token of another identity"),
        (Selector("client_id", OTHER), {"client_id": None}, "does not confirm"),
    ],
)
def test_another_token_than_the_one_asked_for_is_refused(serve, quick, selector, fields, why):
    """It would be sent to a vault that must not see it, or open what it should not."""
    server = serve(granted(**fields))
    with pytest.raises(IdentityRefused, match=why) as caught:
        quick(server).token(VAULT, selector)
    assert len(server.times) == 1
    assert caught.value.hint


@pytest.mark.parametrize("wall_clock", [0, 4_200_000_000])
def test_a_wrong_clock_at_boot_turns_no_token_away(serve, quick, wall_clock):
    """`expires_in` counts by the service's clock, and this machine's may be decades off."""
    assert quick(serve(granted()), wall_clock=lambda: wall_clock).token(VAULT)


def test_one_token_per_audience_and_identity(serve, quick):
    """The second question of a kind is answered from memory; another kind is asked."""
    other = "https://vault.azure.cn"
    server = serve(granted(1), granted(2), granted(3, resource=other))
    identity = quick(server)
    chosen = Selector("client_id", CLIENT)
    first = [identity.token(VAULT), identity.token(f"{VAULT}/"), identity.token(VAULT, Selector())]
    second = [identity.token(VAULT, chosen) for _ in range(2)]
    assert {token.reveal() for token in first} == {"token-1"}
    assert {token.reveal() for token in second} == {"token-2"}
    assert identity.token(other).reveal() == "token-3"
    assert len(server.times) == 3


def test_a_forgotten_token_is_asked_for_again(serve, quick):
    """After a 401 of the vault; what another thread fetched since is kept."""
    server = serve(granted(1), granted(2))
    identity = quick(server)
    refused = identity.token(VAULT)
    for _ in range(8):  # eight requests to the vault were refused with the same token
        identity.forget(f"{VAULT}/", refused=refused)
        assert identity.token(VAULT).reveal() == "token-2"
    assert len(server.times) == 2
    identity.forget(VAULT)
    identity.token(VAULT)
    assert len(server.times) == 3


def test_a_token_that_ran_out_is_asked_for_again(serve, patient, fake_time):
    """A run may be longer than a token lives; the monotonic clock tells."""
    identity = patient(serve(granted(1, expires_in="60"), granted(2)))
    assert identity.token(VAULT).reveal() == "token-1"
    fake_time.sleep(59)
    assert identity.token(VAULT).reveal() == "token-1"
    fake_time.sleep(1)
    assert identity.token(VAULT).reveal() == "token-2"


def test_a_failure_is_asked_for_once_too(serve, quick, answer):
    """A refusal is the same for everybody who wants this token; nobody asks in vain again."""
    server = serve(answer(400, {"error": "invalid_scope"}))
    identity = quick(server)
    errors = []
    for _ in range(3):
        with pytest.raises(IdentityRefused) as caught:
            identity.token(VAULT)
        errors.append(caught.value)
    assert len({error.message for error in errors}) == 1
    assert len({id(error) for error in errors}) == 3
    assert len(server.times) == 1
    identity.forget(VAULT)
    with pytest.raises(IdentityRefused):
        identity.token(VAULT)
    assert len(server.times) == 2


def together(count, work):
    """What `count` threads that start as one get from `work(number)`."""
    start = threading.Barrier(count)

    def one(number):
        start.wait(10)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_eight_threads_make_one_request(serve, quick):
    """Who comes while a token is being fetched waits for that one."""
    server = serve(503, granted(1), granted(2))
    identity = quick(server)
    tokens = together(8, lambda _: identity.token(VAULT))
    assert {token.reveal() for token in tokens} == {"token-1"}
    assert len(server.times) == 2


def test_at_most_five_at_once_and_twenty_a_second(serve, quick, answer):
    """The limits of the endpoint hold for all identities and threads together."""
    running, most = set(), []
    lock = threading.Lock()

    def slowly(server, connection):
        with lock:
            running.add(connection)
            most.append(len(running))
        server.stopped.wait(0.5)
        with lock:
            running.discard(connection)
        connection.sendall(answer(200, granted()))

    server = serve(slowly)
    identity = quick(server, 10)
    together(12, lambda number: identity.token(VAULT, Selector("object_id", f"id-{number}")))
    assert max(most) == 5
    assert len(server.times) == 12
    gaps = [later - sooner for sooner, later in zip(server.times, server.times[1:], strict=False)]
    assert sum(gap < 0.03 for gap in gaps) == 0


@pytest.mark.parametrize("step", ["silent", "dripping", "busy"])
def test_no_server_outlasts_the_deadline(serve, quick, answer, step):
    """Silence, a byte at a time, or 503 for ever: the end is the end, for every thread."""

    def drip(server, connection):
        for byte in answer(200, b"x" * 500):
            connection.sendall(bytes([byte]))
            if server.stopped.wait(0.05):
                return

    steps = {"silent": lambda server, _: server.stopped.wait(5), "dripping": drip, "busy": 503}
    identity = quick(serve(steps[step]), 1.0, timeout=0.4)

    def fail(number):
        with pytest.raises(IdentityUnavailable):
            identity.token(VAULT, Selector("object_id", f"id-{number}"))
        return time.monotonic()

    started = time.monotonic()
    ends = together(8, fail)
    assert max(ends) - started <= 1.6


def test_no_proxy_sees_the_request(serve, quick, monkeypatch):
    """Existing clients send the request for a token through HTTP_PROXY; this one does not."""
    proxy = serve(502)
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.endpoint)
    assert quick(serve(granted())).token(VAULT)
    assert not proxy.times


def test_a_wrong_endpoint_is_a_settings_error():
    """It is told before anything is asked."""
    with pytest.raises(SettingsError):
        Identity("https://localhost", deadline=0)
