"""Asks IMDS until it gives a usable answer, a final one, or the deadline passes.

An answer is judged by `answers`, and `asking` asks again for as long as `pacing` lasts.
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

# Without it a host whose data provider failed answers 200 with part of the document:
# https://github.com/Azure/azure-init/issues/134
_INSTANCE = "/metadata/instance?api-version={}&extended=true"
_VERSIONS = "/metadata/versions"  # the one path that needs no api-version
_HEADERS = {"Metadata": "true", "Accept": "application/json"}
# Seconds for which an answer without userData or tags is taken for a partial one. A host that never
# gives them is believed in the end, for not to be configured at all would be worse.
_PARTIAL = 30.0


class Imds:
    """One client, for one run.

    `endpoint` is `http://host[:port][/base]`, empty for the platform's own; `deadline` a moment
    on `clock`; `timeout` the seconds that one request may take; `grace` the seconds for which
    401, 403 and 421 are taken for a guest proxy agent that still starts. `on_attempt` hears of
    each request. A wrong endpoint or api-version raises `SettingsError`.
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
            # It becomes a part of the request, and must not be able to become more than that.
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
        """What the asking has taken so far; it also stands after an error."""
        return self._patience.tally

    def instance(self, *, expected_vm_id: str | None = None) -> Instance:
        """This VM's metadata.

        With `expected_vm_id`, the id that the firmware gives, an answer about another VM is not
        used. Raises `MetadataUnavailable` at the deadline, `MetadataRefused` at once when asking
        again would get the same answer.
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
        """The api-version to ask for after the host turned one down, if it offers others."""
        version = newest_common(refusal.offered, rejected=rejected)
        if refusal.offered and version is None:
            # A 400 names only the three newest; an old enough or new enough host knows others.
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
        """What `read` makes of the first usable answer to `path`."""
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
        """Return if the answer may be read; raise what follows from it if not."""
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
    """The host `said` no; `offered` are the api-versions that it takes, if it names some."""

    def __init__(self, outcome: str, sentence: str, said: str, offered: tuple[str, ...]) -> None:
        whole = f"{sentence}: {said}" if said else sentence
        super().__init__(outcome, whole, detail=said, hint=responses.hint(outcome))
        self.offered = offered


def _same_vm(firmware: str, vm_id: str) -> bool:
    # In either byte order: a kernel without EFI support makes a Generation 2 VM look like a
    # Generation 1 one, and that must not keep it from being configured.
    return vm_id in (firmware, swap_fields(firmware))


def _read_versions(response: Response) -> tuple[str, ...]:
    body = document(response)
    versions = body.get("apiVersions") if isinstance(body, dict) else None
    if not isinstance(versions, list):
        raise RetryableError("wrong-shape", "apiVersions is not a list")
    return responses.texts(versions)
