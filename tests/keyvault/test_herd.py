"""A thousand machines that boot together all get their secrets, and nearly as soon as can be."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # the herd is a program beside the rooms
from herd import DEADLINE, GRACE, LOADS, READS, WINDOW, Herd, Load, Vault

pytestmark = pytest.mark.once

# Those that take seconds; `make bench` runs them all.
QUICK = [("1000x5", False), ("1000x5", True), ("1000x20", False), ("1000x20", True)]


@pytest.mark.parametrize(("load", "tells"), [*QUICK, ("10000x5", True)])
def test_every_machine_gets_its_secrets_in_twice_the_floor(load, tells):
    """Nobody fails, and the last is served within twice the time that the limit itself takes."""
    load = Load.parse(load)
    assert load.deadline == DEADLINE
    herd = Herd(load, tells=tells)
    assert not herd.failed
    assert load.floor <= herd.last <= GRACE * load.floor


@pytest.mark.parametrize("seed", range(2, 12))
def test_chance_does_not_decide(seed):
    """The tightest of the loads keeps its promise however the dice fall."""
    load = Load.parse("1000x5")
    herd = Herd(load, tells=False, seed=seed)
    assert not herd.failed
    assert herd.last <= GRACE * load.floor


def test_the_same_seed_is_the_same_herd():
    """A figure can be told again."""
    first, again, other = (Herd(Load.parse("1000x5"), tells=False, seed=seed) for seed in (3, 3, 4))
    assert first.last == again.last != other.last


class FourTries:
    """The schedule of many clients: 1, 2, 4 seconds, without jitter, then no more."""

    def __init__(self, deadline, uniform):
        self._left = [4.0, 2.0, 1.0]

    def next_wait(self, now, *, min_wait):
        """As `Pacing.next_wait`."""
        return max(min_wait, self._left.pop()) if self._left else None


def test_a_poor_schedule_loses_machines_here():
    """What the simulation does not find with the agent's waits it finds with others."""
    assert len(Herd(Load.parse("1000x5"), tells=False, schedule=FourTries).failed) > 100


def test_the_vault_keeps_to_its_limit():
    """It never answers more than so many reads in any window, and says when there is room again."""
    vault = Vault(tells=True)
    answered = [now / 1000 for now in range(25_000) if vault.ask(now / 1000) is None]
    for first, beyond in zip(answered, answered[READS:], strict=False):
        assert beyond - first >= WINDOW
    assert len(answered) == 3 * READS
    full = Vault(tells=True)
    assert [full.ask(0.0) for _ in range(READS)] == [None] * READS
    assert full.ask(3.5) == 7.0
    assert full.ask(10.0) is None


def test_what_no_schedule_can_do_is_said():
    """A load whose floor is beyond the default deadline is one of those that the bench tells."""
    beyond = [one for one in map(Load.parse, LOADS) if one.floor >= DEADLINE]
    assert [str(one) for one in beyond] == ["10,000 machines × 20 secrets"]
    assert beyond[0].floor == 490.0
    assert beyond[0].deadline == 980.0
