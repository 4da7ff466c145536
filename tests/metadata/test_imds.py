from __future__ import annotations

import random
import time

import pytest

from bootstrap.errors import MetadataRefused, MetadataUnavailable, SettingsError
from bootstrap.imds.client import Imds

VM_ID = "0f9e8d7c-6b5a-4938-8271-605f4e3d2c1b"
OTHER_VM = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def heard():
    """The attempts that the client told about."""
    return []


@pytest.fixture
def quick(heard):
    """A client on the real clock, for at most `seconds`."""

    def build(server, seconds=1.5, **how):
        endpoint = server if isinstance(server, str) else server.endpoint
        deadline = time.monotonic() + seconds
        return Imds(endpoint, deadline=deadline, on_attempt=heard.append, **how)

    return build


@pytest.fixture
def patient(heard, fake_time):
    """A client that spends no real time waiting, for 300 seconds."""

    def build(server, seconds=300.0, **how):
        endpoint = server if isinstance(server, str) else server.endpoint
        return Imds(
            endpoint,
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


def test_a_ready_imds_is_asked_once(serve, quick, document, heard):
    """One request, with the header, the api-version and `extended`, and no wait."""
    server = serve(document)
    imds = quick(server)
    instance = imds.instance()
    assert (instance.vm_id, instance.tags) == (VM_ID, (("environment", "prod"),))
    assert instance.raw == document
    assert server.paths == ["/metadata/instance?api-version=2023-07-01&extended=true"]
    assert "Metadata: true" in server.requests[0]
    assert outcomes(heard) == ["ok"]
    assert imds.tally.as_dict()["requests"] == 1


HTML = b"<!DOCTYPE html><title>Sign in</title>"


@pytest.mark.parametrize("status", [404, 408, 410, 429, 500, 502, 503, 504, 599])
def test_a_status_that_can_pass_is_asked_again(serve, patient, document, heard, status):
    """Every status that the table calls "retry" leads to the answer behind it."""
    imds = patient(serve(status, status, document))
    assert imds.instance().vm_id == VM_ID
    assert outcomes(heard) == [str(status), str(status), "ok"]
    assert imds.tally.outcomes == {str(status): 2, "ok": 1}


@pytest.mark.parametrize(
    ("unusable", "outcome"),
    [
        (b"", "short"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}", "short"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + HTML, "html"),
        (b"HTTP/1.1 200 OK\r\n\r\n{nope", "not-json"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "not-json"),
        (b"HTTP/1.1 200 OK\r\n\r\n\xff\xfe", "not-json"),
        (b'HTTP/1.1 200 OK\r\n\r\n{"a": "\\ud800"}', "not-json"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 200_000, "not-json"),
        (b'HTTP/1.1 200 OK\r\n\r\n{"x": ' + b"[" * 500 + b"]" * 500 + b"}", "not-json"),
        (b'HTTP/1.1 200 OK\r\n\r\n{"x": NaN}', "not-json"),
        (b'HTTP/1.1 200 OK\r\n\r\n{"x": -Infinity}', "not-json"),
        (b'HTTP/1.1 200 OK\r\n\r\n{"x": 1e999}', "not-json"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 1_100_000, "too-large"),
        ([], "wrong-shape"),
        ({"compute": {}}, "wrong-shape"),
        (b"nonsense\r\n", "garbage"),
    ],
)
def test_an_answer_that_cannot_be_used_is_asked_again(serve, patient, document, unusable, outcome):
    """A middlebox's page, half a document or another shape is never taken for the instance."""
    imds = patient(serve(unusable, document))
    assert imds.instance().vm_id == VM_ID
    assert imds.tally.outcomes == {outcome: 1, "ok": 1}


@pytest.mark.parametrize("key", ["userData", "tagsList"])
def test_a_partial_answer_is_asked_again(serve, patient, document, heard, key):
    """A VM whose userData or tags a provider failed to give is not taken for one without."""
    compute = {name: value for name, value in document["compute"].items() if name != key}
    imds = patient(serve({"compute": compute}, {"compute": compute}, document))
    assert imds.instance().tags == (("environment", "prod"),)
    assert outcomes(heard) == ["partial", "partial", "ok"]
    assert heard[0].detail == f"compute.{key} not there"


def test_a_host_that_never_gives_all_is_believed_in_the_end(serve, patient, document, fake_time):
    """A key that no answer holds keeps the machine waiting for half a minute, not for ever."""
    del document["compute"]["userData"]
    imds = patient(serve(document))
    started = fake_time.now
    assert imds.instance().user_data == ""
    assert 30 <= fake_time.now - started < 36


def test_an_answer_about_another_vm_is_asked_again(serve, patient, document, heard):
    """A foreign answer is noticed by the id that the firmware gives."""
    foreign = {"compute": {"vmId": OTHER_VM}}
    assert patient(serve(foreign, document)).instance(expected_vm_id=VM_ID).vm_id == VM_ID
    assert outcomes(heard) == ["other-vm", "ok"]
    assert OTHER_VM in heard[0].detail


def test_the_firmwares_id_may_have_the_other_byte_order(serve, quick, document):
    """A kernel without EFI must not keep a Generation 2 VM from being configured."""
    imds = quick(serve(document))
    assert imds.instance(expected_vm_id="7c8d9e0f-5a6b-3849-8271-605f4e3d2c1b").vm_id == VM_ID


def test_a_refused_connection_is_asked_again_until_the_deadline(quick, closed_port, heard):
    """Nothing listens: the error says how often, how long, what came, and what to check."""
    started = time.monotonic()
    imds = quick(f"http://127.0.0.1:{closed_port}", 1.0)
    with pytest.raises(MetadataUnavailable) as caught:
        imds.instance()
    assert time.monotonic() - started < 2.5
    assert len(heard) >= 2
    assert f"asked {len(heard)} times over" in caught.value.message
    assert f"refused ×{len(heard)}" in caught.value.message
    assert "nothing listens" in caught.value.hint
    assert imds.tally.outcomes == {"refused": len(heard)}


@pytest.mark.parametrize("step", ["silent", "dripping", "busy"])
def test_no_server_outlasts_the_deadline(serve, quick, answer, step):
    """Silence, a byte at a time, or 503 for ever: the end is the end."""

    def drip(server, connection):
        for byte in answer(200, b"x" * 500):
            connection.sendall(bytes([byte]))
            if server.stopped.wait(0.05):
                return

    steps = {"silent": lambda server, _: server.stopped.wait(5), "dripping": drip, "busy": 503}
    started = time.monotonic()
    with pytest.raises(MetadataUnavailable):
        quick(serve(steps[step]), 1.0, timeout=0.4).instance()
    assert 0.4 < time.monotonic() - started < 2.5


def test_a_deadline_that_has_passed_is_an_error_without_a_request(serve, quick, document):
    """No time left means not asked, and said so."""
    server = serve(document)
    with pytest.raises(MetadataUnavailable, match="asked 0 times"):
        quick(server, 0).instance()
    assert not server.times


def test_410_outlasts_the_seventy_seconds_of_host_servicing(serve, patient, document, fake_time):
    """A host may be serviced for 70 s; only the deadline ends the asking."""
    server = serve(410)
    started = fake_time.now
    with pytest.raises(MetadataUnavailable):
        patient(server).instance()
    assert fake_time.now - started >= 290
    assert len(server.times) > 50


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(serve, patient, answer, document, status):
    """The next request does not come before the moment that the server named."""
    imds = patient(serve(answer(status, Retry_After="42"), document))
    imds.instance()
    assert 42 <= imds.tally.elapsed < 43


@pytest.mark.parametrize("nonsense", ["soon", "-5", "1e9", "Wed, 21 Oct 2099 07:28:00 GMT", "²"])
def test_a_retry_after_that_is_no_number_of_seconds_is_ignored(
    serve, patient, answer, document, nonsense
):
    """Nonsense does not stop a boot for years."""
    imds = patient(serve(answer(503, Retry_After=nonsense), document))
    imds.instance()
    assert imds.tally.elapsed < 1


def test_retry_after_elsewhere_is_not_heeded(serve, patient, answer, document, fake_time):
    """Only 429 and 503 say when to come back."""
    patient(serve(answer(500, Retry_After="42"), document)).instance()
    assert sum(fake_time.slept) < 1


def test_retry_after_is_capped_by_the_deadline(serve, patient, answer, document, fake_time):
    """A wait beyond the deadline is cut so that one last question is asked before it."""
    started = fake_time.now
    patient(serve(answer(503, Retry_After="3600"), document)).instance()
    assert 298 <= fake_time.now - started < 300


def test_a_busy_server_is_asked_for_the_last_time_once(serve, patient, answer, fake_time):
    """The last question before the deadline is one, not a series."""
    server = serve(answer(503, Retry_After="3600"))
    with pytest.raises(MetadataUnavailable) as caught:
        patient(server).instance()
    assert len(server.times) == 2
    assert "later run" in caught.value.hint


@pytest.mark.parametrize("status", [401, 403, 421])
def test_a_guest_proxy_agent_that_starts_is_waited_for(serve, patient, document, heard, status):
    """Closed at first, open within the grace period: a success like any other."""
    assert patient(serve(status, status, document)).instance().vm_id == VM_ID
    assert outcomes(heard) == [str(status), str(status), "ok"]


@pytest.mark.parametrize("status", [401, 403, 421])
def test_after_the_grace_period_the_refusal_has_a_message_of_its_own(
    serve, patient, fake_time, status
):
    """The grace period counts from the first such answer, and names who refuses."""
    started = fake_time.now
    with pytest.raises(MetadataRefused) as caught:
        patient(serve(500, status), grace=20).instance()
    assert 20 <= fake_time.now - started <= 30
    assert f"{status} for 20 s" in caught.value.message
    assert "guest proxy agent" in caught.value.hint
    assert "Metadata Security Protocol" in caught.value.hint


@pytest.mark.parametrize("status", [400, 402, 405, 406, 409, 411, 413, 418, 451])
def test_a_final_status_stops_at_once(serve, quick, answer, heard, status):
    """Asking again would get the same answer, so it is not asked again; the reason is told."""
    server = serve(answer(status, {"error": "Bad request.\x1b[2J Why"}))
    imds = quick(server)
    with pytest.raises(MetadataRefused) as caught:
        imds.instance()
    assert f"{status}: Bad request. [2J Why" in caught.value.message
    assert len(server.times) == 1
    assert imds.tally.outcomes == {str(status): 1}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_final_and_never_followed(serve, quick, answer, status):
    """The message says where it pointed; nothing was asked there."""
    elsewhere = serve({})
    server = serve(answer(status, Location=f"{elsewhere.endpoint}/metadata"))
    with pytest.raises(MetadataRefused, match="never followed") as caught:
        quick(server).instance()
    assert elsewhere.endpoint in caught.value.message
    assert not elsewhere.times
    assert len(server.times) == 1


def rejection(answer, *versions):
    body = {"error": "Bad request. api-version is invalid", "newest-versions": list(versions)}
    return answer(400, body)


def test_an_older_host_is_asked_for_what_it_knows(serve, quick, answer, document, heard):
    """The newest api-version that both sides know is taken, and the instance says which."""
    del document["compute"]["userData"]
    server = serve(rejection(answer, "2020-10-01", "2099-01-01", "2020-09-01"), document)
    instance = quick(server).instance()
    assert "api-version=2020-10-01" in server.paths[1]
    assert instance.api_version == "2020-10-01"
    assert instance.user_data is None
    assert outcomes(heard) == ["400", "ok"]


def test_when_none_of_the_three_newest_is_known_all_are_asked_for(serve, quick, answer, document):
    """`newest-versions` names three; /metadata/versions names every one."""
    every = {"apiVersions": ["2018-10-01", "2019-06-01", "2099-01-01"]}
    server = serve(rejection(answer, "2099-01-01"), every, document)
    assert quick(server).instance().api_version == "2019-06-01"
    assert server.paths[1] == "/metadata/versions"


def test_a_host_that_shares_no_version_is_final(serve, quick, answer):
    """Without a common api-version there is nothing to ask for."""
    server = serve(rejection(answer, "2099-01-01"), {"apiVersions": ["2099-01-01"]})
    with pytest.raises(MetadataRefused) as caught:
        quick(server).instance()
    assert "imds.api_version" in caught.value.hint


def test_negotiation_ends(serve, patient, answer):
    """A host that turns down what it offers is not asked in circles."""
    every = {"apiVersions": ["2020-10-01", "2023-07-01"]}
    refused = rejection(answer, "2020-10-01", "2023-07-01")
    server = serve(refused, refused, every)
    with pytest.raises(MetadataRefused):
        patient(server).instance()
    assert len(server.times) == 3


def test_a_host_that_turns_down_every_question_is_final(serve, patient, answer):
    """Even the list of its api-versions may be answered with a list of api-versions."""
    server = serve(rejection(answer, "2020-10-01", "2023-07-01"))
    with pytest.raises(MetadataRefused, match="refused the request with 400"):
        patient(server).instance()
    assert server.paths[-1] == "/metadata/versions"


@pytest.mark.parametrize(
    "version",
    [
        "",
        "2021-01-01&x=y",
        "2021-01-01 HTTP/1.1",
        "2021-01-01\r\nX: y",
        "..",
        "2021-1-1",
        "٢٠٢١-٠١-٠١",
    ],
)
def test_an_api_version_cannot_alter_the_request(serve, quick, document, version):
    """What is no date is a settings error; nothing is sent."""
    server = serve(document)
    with pytest.raises(SettingsError, match="api-version") as caught:
        quick(server, api_version=version)
    assert "imds.api_version" in caught.value.hint
    assert not server.times


def test_an_api_version_of_tomorrow_can_be_asked_for(serve, quick, document):
    """The builder of an image may know a version that this program does not."""
    server = serve(document)
    assert quick(server, api_version="2099-12-31").instance().api_version == "2099-12-31"


def test_no_more_than_five_requests_a_second(serve, quick, answer, document):
    """Neither retries without a wait nor negotiation exceed the rate of IMDS."""
    refused = rejection(answer, "2020-10-01")
    server = serve(503, 503, 503, refused, 503, 503, document)
    quick(server, 10, uniform=lambda low, _: low).instance()
    gaps = [later - sooner for sooner, later in zip(server.times, server.times[1:], strict=False)]
    assert min(gaps) >= 0.2


def test_a_server_that_comes_up_is_noticed_promptly(serve, patient, document, fake_time):
    """After a minute of failures the next question is at most five seconds away."""
    server = serve(503)
    with pytest.raises(MetadataUnavailable):
        patient(server).instance()
    assert max(fake_time.slept) <= 5


def test_the_hint_fits_what_came_most_often(serve, patient):
    """Pages of a portal and one failure of the service: the portal is the matter."""
    with pytest.raises(MetadataUnavailable) as caught:
        patient(serve(503, b"HTTP/1.1 200 OK\r\n\r\n" + HTML), 60).instance()
    assert "portal" in caught.value.hint
    assert "503 ×1" in caught.value.message


def test_an_attempt_tells_when_the_next_one_comes(serve, patient, document, heard, fake_time):
    """Number, elapsed time, outcome and next wait are there for the log."""
    patient(serve(503, 503, document)).instance()
    assert [attempt.number for attempt in heard] == [1, 2, 3]
    assert [attempt.wait for attempt in heard[:2]] == pytest.approx(fake_time.slept[:2])
    assert heard[2].elapsed == pytest.approx(sum(fake_time.slept))
    assert heard[2].wait == 0


def test_no_proxy_sees_the_request(serve, quick, document, monkeypatch):
    """Proxy variables, as images have them, change nothing."""
    proxy = serve(502)
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.endpoint)
    assert quick(serve(document)).instance().vm_id == VM_ID
    assert not proxy.times
