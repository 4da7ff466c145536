"""The services on the emulator's ports: the metadata of the machine, and its vaults."""

from __future__ import annotations

from contextlib import contextmanager

from bootstrap.emulator import imds, vault_replies
from bootstrap.emulator.fault import NO_FAULT
from bootstrap.emulator.faults import FaultScript, apply_fault
from bootstrap.emulator.identity import IdentityEndpoint
from bootstrap.emulator.messages import BadRequest
from bootstrap.emulator.rate import RateLimit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bootstrap.emulator.fault import Fault
    from bootstrap.emulator.key_vault import KeyVaults
    from bootstrap.emulator.machine import Machine
    from bootstrap.emulator.machine_source import FileOrigin, MappingOrigin
    from bootstrap.emulator.messages import IncomingRequest, Reply
    from bootstrap.emulator.request_log import Record
    from bootstrap.emulator.tokens import Tokens

    Answer = tuple[Reply | None, Fault]


class MetadataService:
    """IMDS and its identity endpoint; each has a rate and a fault script of its own."""

    def __init__(
        self,
        origin: FileOrigin | MappingOrigin,
        tokens: Tokens,
        record: Record,
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._origin = origin
        self._record = record
        self._clock = clock
        self._identity = IdentityEndpoint(tokens, clock, wall)
        self._rate = RateLimit(clock)
        self._script = FaultScript()
        self._listening_since = clock()

    def listening(self) -> None:
        """Restart the service's age: its port now accepts connections."""
        self._listening_since = self._clock()

    @contextmanager
    def respond(self, ask: IncomingRequest) -> Iterator[Answer]:
        """Yield the reply to one request; it is recorded before the client can receive it."""
        machine = self._origin.current()
        if ask.steps[:2] != ["metadata", "identity"]:
            yield self._recorded(ask, self._imds(ask, machine))
            return
        with self._identity.slots.taken() as free:
            yield self._recorded(ask, self._token(ask, machine, free=free))

    def unreadable(self, status: int, message: str) -> Reply:
        """Return the reply to input that is not HTTP."""
        return imds.failure(status, message)

    def close(self) -> None:
        """Remove the files of the identity endpoint."""
        self._identity.close()

    def _recorded(self, ask: IncomingRequest, answer: Answer) -> Answer:
        self._record.add(ask, *answer)
        return answer

    def _imds(self, ask: IncomingRequest, machine: Machine) -> Answer:
        """Return the reply to one request to IMDS.

        The 410 window comes first, then the script, then the service with its rate limit.
        """
        admitted = self._rate.admit(machine.rate)
        if self._age < machine.gone:
            return _gone(), NO_FAULT
        fault = self._script.next(machine.faults)

        def answer() -> Reply:
            return imds.answer(ask, machine, partial=fault.partial, admitted=admitted)

        return apply_fault(fault, answer, imds.scripted), fault

    def _token(self, ask: IncomingRequest, machine: Machine, *, free: bool) -> Answer:
        if self._age < machine.gone:
            return _gone(), NO_FAULT
        return self._identity.respond(ask, machine, age=self._age, free=free)

    @property
    def _age(self) -> float:
        return self._clock() - self._listening_since


def _gone() -> Reply:
    return imds.failure(410, "Gone. Retry after some time, for at most 70 seconds")


class VaultService:
    """All vaults, on the port that they share."""

    def __init__(
        self, origin: FileOrigin | MappingOrigin, vaults: KeyVaults, record: Record
    ) -> None:
        self._origin = origin
        self._vaults = vaults
        self._record = record

    @contextmanager
    def respond(self, ask: IncomingRequest) -> Iterator[Answer]:
        """Yield the reply to one request; it is recorded before the client can receive it."""
        reply, fault = self._vaults.respond(ask, self._origin.current())
        self._record.add(ask, reply, fault, host=f"https://{ask.header('host')}")
        yield reply, fault

    def unreadable(self, status: int, message: str) -> Reply:
        """Return the reply to input that is not HTTP."""
        bad = BadRequest(message, status)
        return vault_replies.failure(bad.status, "BadParameter", bad.message)
