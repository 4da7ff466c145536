"""The waits between two questions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bootstrap.secrets.pacing import BASE, CAP, LAST_CHANCE, Pacing, wait_after


@given(failures=st.integers(1, 10_000), at_least=st.floats(0, 1e6))
def test_waits_are_between_their_bounds(failures, at_least):
    """The vault's own wish is the least, and the jitter on top of it is never above the cap."""
    wait = wait_after(failures, at_least=at_least)
    assert at_least <= wait <= at_least + min(CAP, BASE * 2.0 ** min(failures - 1, 30))


@given(
    left=st.floats(0.01, 1000),
    wishes=st.lists(st.floats(0, 5000), min_size=1, max_size=30),
    share=st.floats(0, 1),
)
def test_no_wait_passes_the_deadline(left, wishes, share):
    """Whatever the vault asks for, there is a last question just before the deadline."""
    pacing = Pacing(left, lambda low, high: low + share * (high - low))
    now = 0.0
    for wish in wishes:
        wait = pacing.next_wait(now, at_least=wish)
        if wait is None:
            assert left - now <= LAST_CHANCE  # there was a last question
            return
        now += wait
        assert now < left


def test_a_herd_does_not_come_back_at_one_moment():
    """A hundred machines that are told the same Retry-After spread out over the jitter."""
    moments = {round(wait_after(5, at_least=10.0), 1) for _ in range(100)}
    assert len(moments) > 30
