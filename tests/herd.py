"""A herd of machines that boot together and share one vault, simulated to the last request.

    make bench                      # or: python tests/herd.py [--load MACHINESxSECRETS ...]

A vault answers 4,000 reads in any 10 seconds and turns the others away with 429, which do not
count: https://learn.microsoft.com/azure/key-vault/general/service-limits. The machines wait as the
agent does, by its own `Pacing`, and ask for as many secrets at once as it does. Simulated are the
start of each machine, the time of each request, and the vault's count, so that an hour of ten
thousand machines takes a minute of one. The floor is the least that anybody can do, who knows the
count of the vault beforehand: a first window at once, and each further one 10 seconds later.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import time
from collections import deque
from dataclasses import dataclass

import simpy

from bootstrap.keyvault.backoff import Pacing
from bootstrap.keyvault.fetch import AT_ONCE

READS = 4000  # that a vault answers ...
WINDOW = 10.0  # ... in so many seconds
TOGETHER = 2.0  # seconds within which the machines start
DEADLINE = 300.0  # seconds: the agent's default
GRACE = 2.0  # times the floor that the last success may take

TOKEN = (0.02, 0.2)  # seconds for the token of the machine's identity
HANDSHAKE = (0.02, 0.1)  # seconds for the connection of a thread, with TLS
ANSWER = (0.01, 0.05)  # seconds for a question and its answer

LOADS = ("1000x5", "1000x20", "10000x5", "10000x20")


@dataclass(frozen=True)
class Load:
    """So many machines, each with so many secrets."""

    machines: int
    secrets: int

    @classmethod
    def parse(cls, text: str) -> Load:
        """`1000x5`: a thousand machines with five secrets each."""
        machines, _, secrets = text.partition("x")
        return cls(int(machines), int(secrets))

    @property
    def floor(self) -> float:
        """Seconds that the limit takes for all reads, whoever asks, and however."""
        return WINDOW * (math.ceil(self.machines * self.secrets / READS) - 1)

    @property
    def deadline(self) -> float:
        """Seconds that each machine has: more than the default where the limit alone takes that."""
        return DEADLINE if self.floor < DEADLINE else GRACE * self.floor

    def __str__(self) -> str:
        return f"{self.machines:,} machines × {self.secrets} secrets"


class Vault:
    """Counts what it answers, over a window that slides; `tells` is whether 429 says how long."""

    def __init__(self, *, tells: bool) -> None:
        self.asked = 0
        self._tells = tells
        self._answered: deque[float] = deque()

    def ask(self, now: float) -> float | None:
        """None for an answer; else 429, and the seconds of its Retry-After (0 without one)."""
        self.asked += 1
        while self._answered and now - self._answered[0] >= WINDOW:
            self._answered.popleft()
        if len(self._answered) < READS:
            self._answered.append(now)
            return None
        return float(math.ceil(self._answered[0] + WINDOW - now)) if self._tells else 0.0


class Herd:
    """The machines of one load, on one clock; `failed` are those that ran into their deadline.

    `last` is the moment of the last success, in seconds since the first machine started.
    """

    def __init__(self, load, *, tells, seed=1, deadline=None, schedule=Pacing):
        self.vault = Vault(tells=tells)
        self.last = 0.0
        self.failed: set[int] = set()
        self._deadline = load.deadline if deadline is None else deadline
        self._chance = random.Random(seed)
        self._schedule = schedule
        self._clock = simpy.Environment()
        for number in range(load.machines):
            self._clock.process(self._machine(number, load.secrets))
        self._clock.run()

    def _machine(self, number, secrets):
        """Ask for a token, then for the secrets, several at a time."""
        yield self._clock.timeout(self._chance.uniform(0, TOGETHER))
        deadline = self._clock.now + self._deadline
        yield self._clock.timeout(self._chance.uniform(*TOKEN))
        waiting = deque(range(secrets))
        for _ in range(min(AT_ONCE, secrets)):
            self._clock.process(self._thread(number, waiting, deadline))

    def _thread(self, number, waiting, deadline):
        """Take secrets until there are none, each until it is there or its time is up."""
        pause = self._chance.uniform(*HANDSHAKE)
        while waiting:
            waiting.popleft()
            pacing = self._schedule(deadline, self._chance.uniform)
            while pause is not None:
                yield self._clock.timeout(pause + self._chance.uniform(*ANSWER))
                refused = self.vault.ask(self._clock.now)
                if refused is None:
                    break
                pause = pacing.next_wait(self._clock.now, min_wait=refused)
            if pause is None or self._clock.now > deadline:
                self.failed.add(number)
                return
            self.last = max(self.last, self._clock.now)
            pause = 0.0


def main() -> int:
    """Print one line for each load, with and without Retry-After; 1 when a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--load", action="append", help=f"such as {LOADS[0]}; may be repeated")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    kept = True
    print(f"\nA herd at one vault, {READS:,} reads in {WINDOW:g} s (simulated)")
    for load in map(Load.parse, options.load or LOADS):
        if load.deadline > DEADLINE:
            print(_shortfall(load, options.seed), flush=True)
        for tells in (False, True):
            began = time.process_time()
            herd = Herd(load, tells=tells, seed=options.seed)
            kept &= not herd.failed and herd.last <= GRACE * load.floor
            print(_line(load, herd, time.process_time() - began, tells=tells), flush=True)
    return 0 if kept else 1


def _shortfall(load: Load, seed: int) -> str:
    """What the default deadline comes to where the limit alone takes longer."""
    failed = len(Herd(load, tells=True, seed=seed, deadline=DEADLINE).failed)
    return (
        f"  {load!s:31} the limit alone takes {load.floor:.0f} s: by the default deadline "
        f"({DEADLINE:.0f} s) {failed:,} machines fail; theirs is {load.deadline:.0f} s"
    )


def _line(load: Load, herd: Herd, cpu: float, *, tells: bool) -> str:
    header = "with Retry-After" if tells else "no Retry-After"
    ratio = herd.last / load.floor
    failed = f"{len(herd.failed)} failed by {load.deadline:.0f} s"
    asked = herd.vault.asked / (load.machines * load.secrets)
    return (
        f"  {load!s:31} {header:17} last success {herd.last:6.1f} s = {ratio:4.2f} × the floor "
        f"{load.floor:3.0f} s (goal ≤ {GRACE:g}); {failed}; {asked:4.1f} requests a secret  "
        f"[{cpu:.0f} s CPU]"
    )


if __name__ == "__main__":
    sys.exit(main())
