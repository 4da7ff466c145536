"""Stage 4: the secrets that a configuration names."""

from __future__ import annotations

from bootstrap.report.log import DEBUG, INFO, retry_reporter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bootstrap.config.model import Configuration
    from bootstrap.context import Context
    from bootstrap.identity.managed_identity import Identity
    from bootstrap.identity.service import IdentityService
    from bootstrap.keyvault.resolve import ResolvedSecrets
    from bootstrap.platform.detect import Platform
    from bootstrap.settings import Settings


def fetch(
    context: Context,
    settings: Settings,
    platform: Platform,
    configuration: Configuration,
    *,
    cloud: str,
    deadline: float,
    offline: bool = False,
) -> ResolvedSecrets:
    """Fetch the secrets that the configuration names, with this machine's managed identity.

    `cloud` is azEnvironment, `deadline` is on the context's clock. When `offline`, only an
    identity service that the settings name is asked. Raises MissingInput where that is not so, and
    what `keyvault.resolve.resolve_secrets` raises.
    """
    from bootstrap.keyvault.resolve import (
        ResolvedSecrets,
        check_offline,
        references,
        resolve_secrets,
    )

    if not references(configuration):
        return ResolvedSecrets({})
    if offline:
        check_offline(configuration, settings)
    quiet = {"vault.found", "secrets.dumpable"}

    def log(event: str, **fields: Any) -> None:
        context.log.event(DEBUG if event in quiet else INFO, event, **fields)

    try:
        return resolve_secrets(
            configuration,
            _identity(context, settings, platform, deadline),
            settings,
            cloud=cloud,
            deadline=deadline,
            clock=context.clock,
            sleep=context.sleep,
            now=context.now,
            on_event=log,
        )
    finally:
        context.log.end_progress()


def _identity(
    context: Context, settings: Settings, platform: Platform, deadline: float
) -> Identity:
    """Return the identity of this machine: that of its VM, or that of Azure Arc."""
    from bootstrap.identity.managed_identity import Identity

    service: str | IdentityService = settings.imds.endpoint
    if platform.arc:
        from bootstrap.identity.arc import ArcService

        service = ArcService(platform.arc, root=context.root)
    return Identity(
        service,
        deadline=deadline,
        timeout=settings.imds.timeout,
        grace=settings.imds.grace,
        attach=settings.identity.attach,
        on_attempt=retry_reporter(
            context.log, "identity.retry", "a token", deadline=deadline, clock=context.clock
        ),
        clock=context.clock,
        sleep=context.sleep,
        wall_clock=context.now,
    )
