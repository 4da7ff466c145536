"""The client against the emulator, on real sockets: every row of the contract's table of answers.

The emulator knows the rules of IMDS and nothing of the client. Most tests share one clock between
the two that only sleeping moves, so that a minute of waiting takes no time; what is about time
itself runs on the real one.
"""

from __future__ import annotations

import time

import pytest

from bootstrap.emulator import Emulator
from bootstrap.errors import MetadataRefused, MetadataUnavailable
from bootstrap.imds.client import Imds

TAGS = {"environment": "prod", "Owner": "a;b:c"}
MACHINE = {"name": "web-1", "tags": TAGS, "userData": "#imds-bootstrap\n", "rate": 0}


class Asker:
    """A client, the emulator that it asks, and what it told about each request."""

    def __init__(self, emulator, *, seconds, **how):
        self.emulator = emulator
        self.attempts = []
        self.imds = Imds(
            emulator.endpoint,
            deadline=how.get("clock", time.monotonic)() + seconds,
            on_attempt=self.attempts.append,
            **how,
        )

    @property
    def outcomes(self):
        """One word for each request so far."""
        return [attempt.outcome for attempt in self.attempts]


@pytest.fixture
def emulate():
    """Starts an emulated VM; keys are those of a machine file."""
    running = []

    def start(clock=time.monotonic, **keys):
        running.append(Emulator.serve({**MACHINE, **keys}, clock=clock))
        return running[-1]

    yield start
    for emulator in running:
        emulator.close()


@pytest.fixture
def asker(emulate, fake_time):
    """A client and an emulator that share the clock that stands still."""

    def build(*faults, seconds=300.0, timeout=0.3, grace=60.0, **keys):
        emulator = emulate(clock=fake_time.clock, faults=list(faults), **keys)
        return Asker(
            emulator,
            seconds=seconds,
            timeout=timeout,
            grace=grace,
            clock=fake_time.clock,
            sleep=fake_time.sleep,
        )

    return build


@pytest.fixture
def hurried(emulate):
    """A client and an emulator on the real clock."""

    def build(*faults, seconds=1.5, timeout=5.0, **keys):
        emulator = emulate(faults=list(faults), **keys)
        return Asker(emulator, seconds=seconds, timeout=timeout)

    return build


def test_the_emulated_vm_is_read_whole(asker):
    """Id, tags (those with `;` and `:` too) and userData arrive by one request."""
    one = asker()
    instance = one.imds.instance()
    assert (instance.name, instance.tags) == ("web-1", tuple(TAGS.items()))
    assert instance.user_data == "I2ltZHMtYm9vdHN0cmFwCg=="
    assert one.outcomes == ["ok"]


def test_the_request_is_as_the_contract_says(asker):
    """One GET with `Metadata: true` and `extended`, without a relay's mark, without a `//`."""
    one = asker()
    one.imds.instance()
    (request,) = one.emulator.requests
    assert (request.method, request.path) == ("GET", "/metadata/instance")
    assert request.query == "api-version=2023-07-01&extended=true"
    assert request.headers["metadata"] == "true"
    assert "x-forwarded-for" not in request.headers


RETRIED = [
    ({"silence": True}, "timeout"),
    ({"delay": 0.6}, "timeout"),
    ({"reset": True}, "reset"),
    ({"truncate": 0}, "short"),
    ({"truncate": 100}, "short"),
    ({"body": ""}, "not-json"),
    ({"body": '{"compute": '}, "not-json"),
    ({"body": "null"}, "wrong-shape"),
    ({"body": "[]"}, "wrong-shape"),
    ({"body": '{"compute": {"vmId": "x"}}'}, "wrong-shape"),
    ({"html": True}, "html"),
    ({"headers": {"Content-Length": 10}}, "not-json"),
    ({"headers": {"Content-Length": "many"}}, "garbage"),
    ({"headers": {"Content-Length": 10**9}}, "too-large"),
    ({"headers": {"Transfer-Encoding": "gzip"}}, "garbage"),
    ({"partial": True}, "500"),
    ({"partial": "always"}, "partial"),
    *(({"status": status}, str(status)) for status in (404, 408, 410, 429)),
    *(({"status": status}, str(status)) for status in (500, 501, 502, 503, 504, 599)),
    *(({"status": status}, str(status)) for status in (401, 403, 421)),
    ({"status": 503, "html": True}, "503"),
]


@pytest.mark.parametrize(("fault", "outcome"), RETRIED, ids=str)
def test_what_can_pass_is_asked_again(asker, fault, outcome):
    """Every row that says "retry": twice the fault, and then the instance, is a success."""
    one = asker({**fault, "times": 2})
    assert one.imds.instance().name == "web-1"
    assert one.outcomes == [outcome, outcome, "ok"]


def test_an_emulator_that_starts_late_is_waited_for(hurried):
    """Refused connections are retried until something listens."""
    one = hurried(seconds=5.0, starts=0.5)
    assert one.imds.instance().name == "web-1"
    assert set(one.outcomes) == {"refused", "ok"}


def test_a_host_that_is_serviced_for_70_seconds_is_outlasted(asker, fake_time):
    """410 is asked again for as long as the host may be gone."""
    started = fake_time.now
    one = asker(gone=70)
    assert one.imds.instance().name == "web-1"
    assert 70 <= fake_time.now - started < 80
    assert set(one.outcomes) == {"410", "ok"}


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(asker, fake_time, status):
    """The server's word on when to come back is kept, and not outbid."""
    started = fake_time.now
    one = asker({"status": status, "headers": {"Retry-After": 20}})
    one.imds.instance()
    assert 20 <= fake_time.now - started < 21


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_capped_by_the_deadline(asker, fake_time, status):
    """A server that says "in an hour" gets one last question before the end, and no more."""
    started = fake_time.now
    fault = {"status": status, "headers": {"Retry-After": 3600}, "times": "forever"}
    one = asker(fault, seconds=60)
    with pytest.raises(MetadataUnavailable):
        one.imds.instance()
    assert fake_time.now - started <= 60
    assert one.outcomes == [str(status)] * 2


@pytest.mark.parametrize(
    ("known", "taken", "user_data", "tags"),
    [
        (["2021-01-01", "2021-02-01"], "2021-02-01", True, True),
        (["2019-06-04", "2020-10-01"], "2020-10-01", False, True),
        (["2018-10-01", "2019-06-01"], "2019-06-01", False, False),
        (["2017-03-01"], "2017-03-01", False, False),
    ],
)
def test_an_older_host_is_asked_for_its_newest_version(asker, known, taken, user_data, tags):
    """What its api-version cannot say is None, which is not the same as nothing."""
    one = asker(apiVersions=known)
    instance = one.imds.instance()
    assert one.outcomes == ["400", "ok"]
    assert instance.api_version == taken
    assert (instance.user_data is not None) is bool(user_data)
    assert (instance.tags is not None) is bool(tags)


def test_a_host_that_offers_no_version_is_final(asker):
    """A 400 for another reason is told at once, in the host's own words."""
    one = asker({"status": 400, "body": '{"error": "Bad request. Whatever"}'})
    with pytest.raises(MetadataRefused, match=r"400: Bad request\. Whatever"):
        one.imds.instance()
    assert one.outcomes == ["400"]


@pytest.mark.parametrize("status", [401, 403, 421])
def test_a_guest_proxy_agent_that_never_lets_in_is_named(asker, fake_time, status):
    """After the grace period the refusal is final, and has a message of its own."""
    started = fake_time.now
    one = asker({"status": status, "times": "forever"}, grace=20.0)
    with pytest.raises(MetadataRefused, match=f"{status} for 20 s") as caught:
        one.imds.instance()
    assert "azure-proxy-agent" in caught.value.hint
    assert 20 <= fake_time.now - started < 26


@pytest.mark.parametrize("status", [402, 405, 406, 409, 413, 418, 451])
def test_another_4xx_is_final(asker, status):
    """The reason is told after one request."""
    one = asker({"status": status})
    with pytest.raises(MetadataRefused, match=str(status)):
        one.imds.instance()
    assert one.outcomes == [str(status)]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_final_and_not_followed(asker, emulate, status):
    """The place that it names, another willing emulator, is never asked."""
    elsewhere = emulate()
    target = f"{elsewhere.endpoint}/metadata/instance"
    one = asker({"redirect": target, "status": status})
    with pytest.raises(MetadataRefused, match="never followed"):
        one.imds.instance()
    assert one.outcomes == [str(status)]
    assert not elsewhere.requests


def test_a_machine_that_looks_like_another_is_not_configured(asker):
    """The emulator describes its own VM; one whose firmware says otherwise keeps asking."""
    one = asker(seconds=30)
    with pytest.raises(MetadataUnavailable) as caught:
        one.imds.instance(expected_vm_id="00000000-1111-4222-8333-444444444444")
    assert set(one.outcomes) == {"other-vm"}
    assert "a VM that this is not" in caught.value.hint


def test_the_rate_of_imds_is_never_exceeded(emulate):
    """Retries without a wait of their own still keep to 5 requests a second: no 429 comes."""
    emulator = emulate(rate=5, faults=[{"status": 500, "times": 8}])
    one = Asker(emulator, seconds=10.0, uniform=lambda _low, _high: 0.0)
    one.imds.instance()
    assert one.outcomes == ["500"] * 8 + ["ok"]
    times = [request.at for request in emulator.requests]
    assert all(later - first > 1 for first, later in zip(times, times[5:], strict=False))


ENDLESS = [
    {"silence": True},
    {"drip": 0.05},
    {"delay": 0.4, "status": 503},
    {"status": 503},
    {"status": 503, "headers": {"Retry-After": 86400}},
    {"status": 410},
    {"status": 403},
    {"reset": True},
    {"html": True},
    {"truncate": 50},
    {"partial": "always"},
]


@pytest.mark.parametrize("fault", ENDLESS, ids=str)
def test_nothing_outlasts_the_deadline(hurried, fault):
    """Whatever the server does for ever, the error comes at the deadline, and says what came."""
    one = hurried({**fault, "times": "forever"}, seconds=1.2)
    started = time.monotonic()
    with pytest.raises(MetadataUnavailable) as caught:
        one.imds.instance()
    assert time.monotonic() - started < 3.2
    assert one.outcomes
    assert one.outcomes[-1] in caught.value.message
