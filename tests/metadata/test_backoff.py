from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bootstrap.http.backoff import BASE, CAP, full_jitter


@given(failures=st.integers(1, 10**9))
def test_no_wait_is_longer_than_the_cap(failures):
    """However long it has failed, a wait is between nothing and the cap."""
    assert 0 <= full_jitter(failures) <= CAP


@given(failures=st.integers(1, 5), share=st.floats(0, 1))
def test_the_longest_wait_doubles(failures, share):
    """Each failure doubles the range from which the wait is drawn."""
    longest = min(CAP, BASE * 2 ** (failures - 1))
    drawn = full_jitter(failures, uniform=lambda low, high: low + share * (high - low))
    assert drawn == share * longest


def test_two_machines_do_not_wait_alike():
    """The jitter is real: a hundred draws are not one."""
    assert len({full_jitter(9) for _ in range(100)}) > 90
