"""How long and how often one service is asked, on a clock that only sleeping moves."""

from __future__ import annotations

from itertools import pairwise

import pytest

from bootstrap.http.pacing import LAST_CHANCE, SPACING, OutOfTime, RequestPacing, Tally
from bootstrap.http.retry import GracePeriod, RetryableError, ask


@pytest.fixture
def heard():
    """The attempts that the asking told about."""
    return []


@pytest.fixture
def patient(fake_time, heard):
    """Patience for so many seconds, with the jitter at its upper end unless told otherwise."""

    def build(seconds=300.0, *, uniform=lambda _, high: high, **how):
        return RequestPacing(
            deadline=fake_time.now + seconds,
            on_attempt=heard.append,
            clock=fake_time.clock,
            sleep=fake_time.sleep,
            uniform=uniform,
            **how,
        )

    return build


def test_the_numbers_are_those_of_the_service():
    """A little less than five requests a second, and a last question a second before the end."""
    assert (SPACING, LAST_CHANCE) == (0.22, 1.0)
    assert 4.5 < 1 / SPACING < 5


def test_the_wait_grows_with_each_failure_in_a_row(patient, fake_time, heard):
    """At the upper end of the jitter a wait is twice the one before, up to five seconds."""
    patience = patient()
    for _ in range(7):
        patience.acquire()
        patience.retry("503")
    assert fake_time.slept == [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
    assert [attempt.wait for attempt in heard] == fake_time.slept


def test_an_answer_ends_the_row(patient, fake_time):
    """After an answer the waits begin again at the shortest."""
    patience = patient()
    for outcome in ("503", "503", "ok", "503", "503"):
        patience.acquire()
        if outcome == "ok":
            patience.succeed("ok")
        else:
            patience.retry(outcome)
    assert fake_time.slept == pytest.approx([0.25, 0.5, SPACING, 0.25, 0.5])


def test_starts_keep_their_distance_without_any_jitter(patient, fake_time):
    """Each request starts a spacing after the one before, however soon that failed."""
    patience = patient(uniform=lambda low, _: low)
    starts = []
    for busy in (0.0, 0.1, 0.22, 0.5, 0.0):
        patience.acquire()
        starts.append(fake_time.now)
        fake_time.now += busy
        patience.retry("503")
    gaps = [later - sooner for sooner, later in pairwise(starts)]
    assert gaps == pytest.approx([0.22, 0.22, 0.22, 0.5])


def test_the_distance_counts_from_the_start_before(patient, fake_time):
    """What is over is followed by the next question no sooner than a spacing after its start."""
    patience = patient(spacing=2.0)
    patience.acquire()
    fake_time.now += 0.5
    patience.succeed("ok")
    patience.acquire()
    assert fake_time.slept == [1.5]
    fake_time.now += 3.0
    patience.acquire()
    assert fake_time.slept == [1.5]
    assert patience.tally.requests == 3


def test_the_first_request_waits_for_nothing(patient, fake_time):
    """Nobody was asked before."""
    patient(spacing=2.0).acquire()
    assert fake_time.slept == []


@pytest.mark.parametrize(
    ("min_wait", "wait"), [(0.0, 0.25), (0.1, 0.25), (0.25, 0.25), (7.0, 7.0), (42.5, 42.5)]
)
def test_what_the_server_asks_for_is_the_least(patient, fake_time, min_wait, wait):
    """The longer of the server's wish and the jitter."""
    patience = patient()
    patience.acquire()
    patience.retry("503", min_wait=min_wait)
    assert fake_time.slept == [wait]


def test_a_wait_beyond_the_deadline_is_cut_once(patient, fake_time):
    """The last question is a second before the end; after it there is no other."""
    patience = patient(60.0)
    patience.acquire()
    patience.retry("503", min_wait=3600.0)
    assert fake_time.slept == [59.0]
    patience.acquire()
    with pytest.raises(OutOfTime):
        patience.retry("503", min_wait=3600.0)
    assert fake_time.slept == [59.0]


def test_a_wait_that_ends_at_the_deadline_is_cut(patient, fake_time):
    """At the deadline itself nobody is asked any more, so the wait must end before it."""
    patience = patient(60.0)
    patience.acquire()
    patience.retry("503", min_wait=60.0)
    assert fake_time.slept == [59.0]


def test_a_wait_that_ends_before_the_deadline_is_not_cut(patient, fake_time):
    """Whatever is shorter than what is left is waited for as it is, and the cut is kept."""
    patience = patient(60.0)
    patience.acquire()
    patience.retry("503", min_wait=59.5)
    patience.acquire()
    patience.retry("503", min_wait=9.0)
    assert fake_time.slept == [59.5, 0.25]


def test_close_to_the_deadline_the_last_question_is_half_way(patient, fake_time):
    """With less than two seconds left, half of them are waited."""
    patience = patient(1.0)
    patience.acquire()
    patience.retry("503", min_wait=9.0)
    assert fake_time.slept == [0.5]


def test_the_last_question_keeps_its_distance(patient, fake_time):
    """The rate of requests is kept even then; where it leaves no room there is no other."""
    patience = patient(10.0, spacing=9.5)
    patience.acquire()
    patience.retry("503", min_wait=30.0)
    assert fake_time.slept == [9.5]
    late = patient(10.0, spacing=10.0)
    late.acquire()
    with pytest.raises(OutOfTime):
        late.retry("503", min_wait=30.0)


def test_no_request_begins_at_the_deadline(patient, fake_time):
    """The deadline is the first moment that is too late."""
    patience = patient(10.0)
    fake_time.now += 9.999
    patience.acquire()
    fake_time.now += 0.001
    with pytest.raises(OutOfTime):
        patience.acquire()
    assert patience.tally.requests == 1


def test_no_pause_passes_the_deadline(patient, fake_time):
    """Waiting for the rate ends with the deadline, and is none once it has passed."""
    patience = patient(1.0, spacing=30.0)
    patience.acquire()
    with pytest.raises(OutOfTime):
        patience.acquire()
    assert fake_time.slept == [1.0]
    with pytest.raises(OutOfTime):
        patience.acquire()
    assert sum(fake_time.slept) == 1.0


def test_an_attempt_says_what_came_and_when(patient, fake_time, heard):
    """Number, seconds since the beginning, outcome, details and the wait, of each request."""
    patience = patient(60.0)
    fake_time.now += 2.0
    patience.acquire()
    patience.retry("503", "the host is starting")
    patience.acquire()
    fake_time.now += 0.5
    patience.succeed("ok")
    told = [(one.number, one.elapsed, one.outcome, one.detail, one.wait) for one in heard]
    assert told == [(1, 2.0, "503", "the host is starting", 0.25), (2, 2.75, "ok", "", 0.0)]


def test_the_last_failure_is_told_without_a_wait(patient, heard):
    """What is followed by nothing has no wait, and is counted all the same."""
    patience = patient(0.2, spacing=1.0)
    patience.acquire()
    with pytest.raises(OutOfTime):
        patience.retry("503", min_wait=5.0)
    assert [(one.outcome, one.detail, one.wait) for one in heard] == [("503", "", 0.0)]
    assert patience.tally.outcomes == {"503": 1}


def test_nobody_has_to_listen(fake_time):
    """Without a listener the tally is kept."""
    patience = RequestPacing(
        deadline=fake_time.now + 9, clock=fake_time.clock, sleep=fake_time.sleep
    )
    patience.acquire()
    patience.succeed("ok", "at once")
    assert patience.tally.outcomes == {"ok": 1}
    assert patience.tally.last == "ok: at once"


def test_a_tally_says_what_the_asking_took(patient, fake_time):
    """For people: the most frequent first; for programs: by name, in seconds to the thousandth."""
    patience = patient()
    assert str(patience.tally) == "asked 0 times over 0.0 s"
    assert patience.tally.as_dict() == {"requests": 0, "outcomes": {}, "elapsed": 0.0}
    assert (patience.tally.commonest, patience.tally.last) == ("", "")
    patience.acquire()
    patience.retry("refused", "nothing listens")
    assert str(patience.tally) == (
        "asked once over 0.0 s (refused ×1); the last: refused: nothing listens"
    )
    for outcome in ("503", "503", "refused", "503"):
        patience.acquire()
        patience.retry(outcome)
    fake_time.now += 0.0004
    patience.acquire()
    fake_time.now += 0.0004
    patience.succeed("ok")
    assert str(patience.tally) == (
        "asked 6 times over 7.8 s (503 ×3, refused ×2, ok ×1); the last: ok"
    )
    assert patience.tally.as_dict() == {
        "requests": 6,
        "outcomes": {"refused": 2, "503": 3, "ok": 1},
        "elapsed": 7.751,
    }
    assert patience.tally.commonest == "503"


def test_of_equally_frequent_outcomes_the_later_is_the_commonest():
    """What came last says more about what is the matter now."""
    tally = Tally()
    tally.outcomes = {"refused": 2, "503": 2, "404": 1}
    assert tally.commonest == "503"


def test_a_budget_lasts_from_its_first_answer_on(fake_time):
    """Nothing is counted before such an answer came; its last instant is over."""
    budget = GracePeriod(20.0, fake_time.clock)
    fake_time.now += 100.0
    assert budget.is_active()
    fake_time.now += 19.9
    assert budget.is_active()
    fake_time.now += 0.1
    assert not budget.is_active()
    assert budget.seconds == 20.0


def test_an_unusable_answer_says_how_long_to_wait(patient, fake_time, heard):
    """The moment that the server names, and its words without control characters, are passed on."""
    replies = [RetryableError("503", "soon\x1b[2J", min_wait=9.0), "the document"]

    def question():
        reply = replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    assert ask(patient(), question) == "the document"
    assert fake_time.slept == [9.0]
    assert [(one.outcome, one.detail) for one in heard] == [("503", "soon [2J"), ("ok", "")]
