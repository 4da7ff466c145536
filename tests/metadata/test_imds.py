from __future__ import annotations

import json
import random
import time
from itertools import pairwise

import pytest

from bootstrap.errors import MetadataRefused, MetadataUnavailable, SettingsError
from bootstrap.http import transport
from bootstrap.http.http1 import Response
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


def test_no_more_than_five_requests_a_second(serve, fake_time, answer, document):
    """Neither retries without a wait nor negotiation exceed the rate of IMDS."""
    starts = []

    def noting(step):
        def play(_, connection):
            starts.append(fake_time.now)  # the client waits for the answer: its clock stands still
            connection.sendall(step)

        return play

    refused = rejection(answer, "2020-10-01")
    steps = [answer(503)] * 3 + [refused] + [answer(503)] * 2 + [answer(200, document)]
    imds = Imds(
        serve(*map(noting, steps)).endpoint,
        deadline=fake_time.now + 60,
        clock=fake_time.clock,
        sleep=fake_time.sleep,
        uniform=lambda low, _: low,
    )
    imds.instance()
    gaps = [later - sooner for sooner, later in pairwise(starts)]
    assert len(gaps) == 6
    assert min(gaps) > 0.2


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


@pytest.fixture
def scripted(monkeypatch):
    """Answers in the place of a network; gives the list of what was asked, and with what."""

    def play(*replies):
        asked, left = [], list(replies)

        def get(endpoint, path, **how):
            asked.append((str(endpoint), path, how))
            status, body = left.pop(0) if len(left) > 1 else left[0]
            return Response(status, {}, json.dumps(body).encode())

        monkeypatch.setattr(transport, "get", get)
        return asked

    return play


def test_without_settings_the_platforms_own_service_is_asked(scripted, document, fake_time):
    """The link-local address, the offered api-version, five seconds for each request."""
    asked = scripted((200, document))
    Imds(deadline=fake_time.now + 9, clock=fake_time.clock, sleep=fake_time.sleep).instance()
    ((endpoint, path, how),) = asked
    assert endpoint == "http://169.254.169.254"
    assert path == "/metadata/instance?api-version=2023-07-01&extended=true"
    assert how["headers"] == {"Metadata": "true", "Accept": "application/json"}
    assert (how["timeout"], how["deadline"]) == (5.0, fake_time.now + 9)
    assert how["clock"] == fake_time.clock


def test_what_is_given_is_passed_on(scripted, document, patient):
    """Another endpoint, another timeout."""
    asked = scripted((200, document))
    patient("http://127.0.0.1:9/base", timeout=0.5).instance()
    ((endpoint, _, how),) = asked
    assert (endpoint, how["timeout"]) == ("http://127.0.0.1:9/base", 0.5)


def test_a_guest_proxy_agent_has_a_minute_by_default(scripted, patient, fake_time):
    """Without a setting for the grace period it is a minute, and the words say so."""
    scripted((403, {"error": "not yet"}))
    started = fake_time.now
    with pytest.raises(MetadataRefused) as caught:
        patient("http://127.0.0.1:9").instance()
    assert caught.value.message == (
        "IMDS at http://127.0.0.1:9 refused this VM with 403 for 60 s: not yet"
    )
    assert 60 <= fake_time.now - started < 66


def test_a_grace_period_of_nothing_is_none(scripted, patient, heard):
    """The first such answer is final."""
    scripted((401, {}))
    with pytest.raises(MetadataRefused, match=r"with 401 for 0 s$"):
        patient("http://127.0.0.1:9", grace=0.0).instance()
    assert outcomes(heard) == ["401"]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"tagsList": []}, "compute.userData not there"),
        ({"userData": ""}, "compute.tagsList not there"),
        ({}, "compute.userData and compute.tagsList not there"),
    ],
)
def test_a_partial_answer_says_what_it_lacks(scripted, patient, heard, body, detail):
    """Every key that is missing is named."""
    whole = {"vmId": VM_ID, "userData": "", "tagsList": []}
    scripted((200, {"compute": {"vmId": VM_ID, **body}}), (200, {"compute": whole}))
    patient("http://127.0.0.1:9").instance()
    assert (heard[0].outcome, heard[0].detail) == ("partial", detail)


def test_an_answer_about_another_vm_names_both(scripted, patient, heard, document):
    """Which VM was described, and which this is."""
    scripted((200, {"compute": {"vmId": OTHER_VM}}), (200, document))
    patient("http://127.0.0.1:9").instance(expected_vm_id=VM_ID)
    assert heard[0].detail == f"it is {OTHER_VM}, this is {VM_ID}"


@pytest.mark.parametrize("body", [[], {}, {"apiVersions": "2019-06-01"}, {"apiVersions": None}])
def test_a_list_of_versions_that_is_none_is_asked_for_again(scripted, patient, heard, body):
    """What cannot be understood is no offer; what can, is one."""
    refused = {"error": "Bad request", "newest-versions": ["2099-01-01"]}
    asked = scripted(
        (400, refused),
        (200, body),
        (200, {"apiVersions": ["2019-06-01", 3]}),
        (200, {"compute": {"vmId": VM_ID, "tagsList": []}}),
    )
    assert patient("http://127.0.0.1:9").instance().api_version == "2019-06-01"
    assert outcomes(heard) == ["400", "wrong-shape", "ok", "ok"]
    assert heard[1].detail == "apiVersions is not a list"
    assert [path for _, path, _ in asked[1:3]] == ["/metadata/versions"] * 2
    assert asked[3][1] == "/metadata/instance?api-version=2019-06-01&extended=true"


def test_a_400_without_an_offer_is_final_at_once(scripted, patient, heard):
    """Nothing else is asked where the host names no api-version."""
    scripted((400, {"error": "Bad request"}))
    with pytest.raises(MetadataRefused) as caught:
        patient("http://127.0.0.1:9").instance()
    assert caught.value.message == (
        "IMDS at http://127.0.0.1:9 refused the request with 400: Bad request"
    )
    assert outcomes(heard) == ["400"]
    assert heard[0].detail == "Bad request"


def test_only_a_400_offers_versions(scripted, patient, heard):
    """Whatever another refusal holds, it is final."""
    scripted((405, {"error": "no", "newest-versions": ["2020-10-01"]}))
    with pytest.raises(MetadataRefused, match=r"with 405: no$"):
        patient("http://127.0.0.1:9").instance()
    assert outcomes(heard) == ["405"]


def test_each_version_is_tried_once(scripted, patient):
    """A host that turns down its own offers is asked for each of them, and then no more."""
    refused = (400, {"newest-versions": ["2020-10-01", "2020-12-01"]})
    asked = scripted(refused, refused, refused, (200, {"apiVersions": ["2020-10-01"]}))
    with pytest.raises(MetadataRefused):
        patient("http://127.0.0.1:9").instance()
    versions = [path.partition("api-version=")[2][:10] for _, path, _ in asked]
    assert versions == ["2023-07-01", "2020-12-01", "2020-10-01", ""]


def test_the_end_of_the_time_says_what_came(scripted, patient):
    """The tally is in the words, and the hint is that of the commonest outcome."""
    scripted((503, {"error": "starting"}))
    imds = patient("http://127.0.0.1:9", seconds=1.0)
    with pytest.raises(MetadataUnavailable) as caught:
        imds.instance()
    assert caught.value.message == (
        f"IMDS at http://127.0.0.1:9 gave no usable answer before the deadline: {imds.tally}"
    )
    assert "503 ×" in str(imds.tally)
    assert "last: 503: starting" in str(imds.tally)
    assert "is failing" in caught.value.hint
