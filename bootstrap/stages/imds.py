"""Stage 2: the instance, as IMDS describes it or as a saved document does."""

from __future__ import annotations

from bootstrap.errors import MetadataRefused
from bootstrap.platform.detect import OVERRIDE_HINT, detect
from bootstrap.report.log import DEBUG, retry_reporter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.context import Context
    from bootstrap.imds.instance import Instance
    from bootstrap.platform.detect import Platform
    from bootstrap.report.status import Status
    from bootstrap.settings import Settings

ARC_VERSION = "2019-11-01"  # the api-version that the agent of Azure Arc knows


def read(
    context: Context,
    settings: Settings,
    platform: Platform,
    *,
    deadline: float,
    offline: str | None = None,
    status: Status | None = None,
    priority: int = DEBUG,
) -> Instance:
    """Wait for IMDS until `deadline` (on the context's clock) and return this VM's metadata.

    On an Arc machine its agent is asked instead; with `offline` nothing is, and the instance is the
    one in the document at that path. `status` gets the number of requests and their outcomes,
    however the stage ends; its end is logged with `priority`. Raises MetadataUnavailable,
    MetadataRefused (also where this is no Azure machine), MissingInput or SettingsError.
    """
    if offline is not None:
        from bootstrap.imds.saved import read_saved_instance

        return read_saved_instance(offline)
    if not platform.is_azure:
        raise MetadataRefused(platform.reason, hint=OVERRIDE_HINT)
    from bootstrap.imds.client import Imds

    arc = platform.arc
    imds = Imds(
        arc.imds_endpoint if arc else settings.imds.endpoint,
        deadline=deadline,
        api_version=ARC_VERSION if arc else settings.imds.api_version,
        timeout=settings.imds.timeout,
        grace=settings.imds.grace,
        on_attempt=retry_reporter(
            context.log, "imds.retry", "IMDS", deadline=deadline, clock=context.clock
        ),
        clock=context.clock,
        sleep=context.sleep,
    )
    try:
        instance = imds.instance(expected_vm_id=platform.vm_id)
    finally:
        context.log.end_progress()
        if status:
            status.record["imds"] = imds.tally.as_dict()
    context.log.event(
        priority,
        "imds.ready",
        requests=imds.tally.requests,
        elapsed=imds.tally.elapsed,
        api_version=instance.api_version,
        vm_id=instance.vm_id,
    )
    return instance


def observe(
    context: Context, *, offline: str | None = None, deadline: float | None = None
) -> tuple[Settings, Instance]:
    """Return the settings and the instance, for a question about this machine.

    `offline` is the path of a saved instance document. `deadline` is how many seconds to wait for
    IMDS, by default the settings' own. Raises MetadataRefused where this is no Azure machine.
    """
    settings = context.load_settings()
    platform = detect(settings, environ=context.environ, root=context.root)
    end = context.clock() + (settings.deadline if deadline is None else deadline)
    return settings, read(context, settings, platform, deadline=end, offline=offline)
