"""The waits between two questions."""

from __future__ import annotations

import math

from hypothesis import example, given
from hypothesis import strategies as st

from bootstrap.keyvault.backoff import BASE, CAP, LAST_CHANCE, Pacing, wait_after


@given(failures=st.integers(1, 10_000), min_wait=st.floats(0, 1e6))
def test_waits_are_between_their_bounds(failures, min_wait):
    """The vault's own wish is the least, and the jitter on top of it is never above the cap."""
    wait = wait_after(failures, min_wait=min_wait)
    assert min_wait <= wait <= min_wait + min(CAP, BASE * 2.0 ** min(failures - 1, 30))


@example(left=529.158650559836, wishes=[5000.0, 5000.0], share=0.0)  # 1.0 s, but for a last digit
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
        wait = pacing.next_wait(now, min_wait=wish)
        if wait is None:
            last_wait = left - now  # there was a last question, this long before the deadline
            assert last_wait < LAST_CHANCE or math.isclose(last_wait, LAST_CHANCE, abs_tol=1e-9)
            return
        now += wait
        assert now < left


def test_a_herd_does_not_come_back_at_one_moment():
    """A hundred machines that are told the same Retry-After spread out over the jitter."""
    moments = {round(wait_after(5, min_wait=10.0), 1) for _ in range(100)}
    assert len(moments) > 30
