"""The client of IMDS: it sends requests until a response can be used or is final.

`http.responses` has the meaning of each response, `http.retry` has the loop, and `http.pacing` has
the waits and the deadline.
"""

from __future__ import annotations

import time
from functools import partial

from bootstrap.errors import MetadataRefused, MetadataUnavailable, Public, SettingsError
from bootstrap.http import responses, transport
from bootstrap.http.endpoint import parse_endpoint
from bootstrap.http.pacing import OutOfTime, RequestPacing
from bootstrap.http.retry import GracePeriod, PermanentError, RetryableError, ask, document
from bootstrap.imds.instance import Instance, WrongShape, missing_keys
from bootstrap.imds.versions import DEFAULT_VERSION, is_version, newest_common
from bootstrap.platform.firmware import swap_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from bootstrap.http.http1 import Response
    from bootstrap.http.pacing import Attempt, Tally, Uniform

    T = TypeVar("T")

# Without `extended=true`, a host whose data provider failed answers 200 with part of the document:
# https://github.com/Azure/azure-init/issues/134
_INSTANCE = "/metadata/instance?api-version={}&extended=true"
_VERSIONS = "/metadata/versions"  # the one path that needs no api-version
_HEADERS = {"Metadata": "true", "Accept": "application/json"}
# Seconds for which a response without userData or tags counts as partial. After that it is used,
# because a VM on a host that never returns them should still be configured.
_PARTIAL = 30.0


class Imds:
    """A client for one run.

    `endpoint` is `http://host[:port][/base]`, or empty for the platform's own. `deadline` is a
    time on `clock`. `timeout` is the number of seconds that one request may take. `grace` is the
    number of seconds for which 401, 403 and 421 are retried, as the responses of a guest proxy
    agent that starts. `on_attempt` is called after each request. A wrong endpoint or api-version
    raises `SettingsError`.
    """

    __slots__ = (
        "_api_version",
        "_clock",
        "_deadline",
        "_endpoint",
        "_grace",
        "_partial",
        "_patience",
        "_timeout",
    )

    def __init__(
        self,
        endpoint: str = "",
        *,
        deadline: float,
        api_version: str = DEFAULT_VERSION,
        timeout: float = 5.0,
        grace: float = 60.0,
        on_attempt: Callable[[Attempt], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Uniform | None = None,
    ) -> None:
        if not is_version(api_version):
            # The api-version becomes part of the path, and must not be able to add to it.
            raise SettingsError(
                f"the api-version {api_version!r} cannot be asked for: it is not a date",
                hint=f"write imds.api_version as {DEFAULT_VERSION}",
            )
        self._endpoint = parse_endpoint(endpoint)
        self._api_version = api_version
        self._clock = clock
        self._deadline = deadline
        self._grace = GracePeriod(grace, clock)
        self._partial = GracePeriod(_PARTIAL, clock)
        self._timeout = timeout
        self._patience = RequestPacing(
            deadline=deadline, on_attempt=on_attempt, clock=clock, sleep=sleep, uniform=uniform
        )

    @property
    def tally(self) -> Tally:
        """The summary of all requests so far; it is also valid after an error."""
        return self._patience.tally

    def instance(self, *, expected_vm_id: str | None = None) -> Instance:
        """Return this VM's metadata.

        With `expected_vm_id`, the id in the firmware, a response about another VM is not used.
        Raises `MetadataUnavailable` at the deadline, and `MetadataRefused` immediately if another
        request would get the same response.
        """
        version = self._api_version
        rejected: set[str] = set()
        while True:
            try:
                read = partial(self._read_instance, version, expected_vm_id)
                return self._ask(_INSTANCE.format(version), read)
            except _Refused as refusal:  # noqa: PERF203 - once per boot, if at all
                rejected.add(version)
                version = self._agree(refusal, rejected)

    def _agree(self, refusal: _Refused, rejected: set[str]) -> str:
        """Return another api-version that the host offers, after it refused one.

        Raises `MetadataRefused` if there is none left.
        """
        version = newest_common(refusal.offered, rejected=rejected)
        if refusal.offered and version is None:
            # A 400 lists only the three newest, but an old or a new host may know others.
            version = newest_common(self._all_versions(), rejected=rejected)
        if version is None:
            raise self._told(refusal)
        return version

    def _all_versions(self) -> tuple[str, ...]:
        try:
            return self._ask(_VERSIONS, _read_versions)
        except _Refused as refusal:
            raise self._told(refusal) from None

    def _ask(self, path: str, read: Callable[[Response], T]) -> T:
        """Request `path` until a response can be used, and return what `read` makes of it.

        Raises `MetadataUnavailable` at the deadline, `_Refused` for a final response.
        """
        try:
            return ask(self._patience, lambda: read(self._answer(path)))
        except OutOfTime as error:
            raise self._unavailable() from error

    def _answer(self, path: str) -> Response:
        response = transport.get(
            self._endpoint,
            path,
            headers=_HEADERS,
            deadline=self._deadline,
            timeout=self._timeout,
            clock=self._clock,
        )
        self._judge(response)
        return response

    def _judge(self, response: Response) -> None:
        """Raise `RetryableError` or `_Refused` unless the response may be read."""
        what = responses.action(response.status)
        if what == responses.USE:
            return
        outcome, said = str(response.status), responses.server_message(response)
        if what == responses.RETRY_AFTER:
            raise RetryableError(outcome, said, min_wait=responses.retry_after(response))
        if what == responses.RETRY or (what == responses.GRACE and self._grace.is_active()):
            raise RetryableError(outcome, said)
        if what == responses.GRACE:
            sentence = f"refused this VM with {outcome} for {self._grace.seconds:g} s"
        else:
            sentence = f"refused the request with {outcome}"
        offered = responses.offered_versions(response) if what == responses.NEGOTIATE else ()
        raise _Refused(outcome, sentence, said, offered)

    def _read_instance(
        self, api_version: str, expected_vm_id: str | None, response: Response
    ) -> Instance:
        try:
            instance = Instance.from_document(document(response), api_version)
        except WrongShape as error:
            raise RetryableError("wrong-shape", str(error)) from error
        if expected_vm_id and not _same_vm(expected_vm_id, instance.vm_id):
            raise RetryableError("other-vm", f"it is {instance.vm_id}, this is {expected_vm_id}")
        missing = missing_keys(instance)
        if missing and self._partial.is_active():
            raise RetryableError("partial", f"{' and '.join(missing)} not there")
        return instance

    def _told(self, refusal: _Refused) -> MetadataRefused:
        public = Public(f"{MetadataRefused.about}: {refusal.outcome}")
        message = f"IMDS at {self._endpoint} {refusal}"
        return MetadataRefused(message, hint=refusal.hint, public=public)

    def _unavailable(self) -> MetadataUnavailable:
        message = f"IMDS at {self._endpoint} gave no usable answer before the deadline"
        return MetadataUnavailable(
            f"{message}: {self.tally}",
            hint=responses.hint(self.tally.commonest),
            public=Public(f"{MetadataUnavailable.about}: {self.tally.counts}"),
        )


class _Refused(PermanentError):
    """The host refused the request.

    `server_message` is its error message. `offered` are the api-versions that it offers, empty if
    none.
    """

    def __init__(self, outcome: str, sentence: str, said: str, offered: tuple[str, ...]) -> None:
        whole = f"{sentence}: {said}" if said else sentence
        super().__init__(outcome, whole, detail=said, hint=responses.hint(outcome))
        self.offered = offered


def _same_vm(firmware: str, vm_id: str) -> bool:
    # Either byte order matches: with a kernel without EFI support, a Generation 2 VM looks like a
    # Generation 1 VM, and it should still be configured.
    return vm_id in (firmware, swap_fields(firmware))


def _read_versions(response: Response) -> tuple[str, ...]:
    body = document(response)
    versions = body.get("apiVersions") if isinstance(body, dict) else None
    if not isinstance(versions, list):
        raise RetryableError("wrong-shape", "apiVersions is not a list")
    return responses.texts(versions)
