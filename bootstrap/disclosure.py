"""The secrets of a configuration, fetched for this machine, with the waiting told as it goes."""

from __future__ import annotations

from bootstrap import core_dumps
from bootstrap.document import format_path
from bootstrap.errors import InvalidDocument, MissingInput, Public
from bootstrap.frozen import replace
from bootstrap.observation import arc_of, teller
from bootstrap.problem import public_path
from bootstrap.report.log import DEBUG, INFO
from bootstrap.secret import MASK, Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from bootstrap.config.model import Configuration, SecretReference
    from bootstrap.config.schema.values import ValuesSchema
    from bootstrap.context import Machine
    from bootstrap.document import Path
    from bootstrap.identity.managed_identity import Identity
    from bootstrap.identity.service import IdentityService
    from bootstrap.imds.instance import Instance
    from bootstrap.keyvault.fetch import Fetched
    from bootstrap.settings import Settings


class Disclosed:
    """The secrets by the path of what names them (`("secrets", "db")`), and words for the log.

    `versions` says of each which version it is.
    """

    __slots__ = ("_secrets", "notes", "versions")

    def __init__(
        self,
        secrets: Mapping[Path, Secret],
        versions: Mapping[Path, str] | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self._secrets = secrets
        self.versions = versions or {}
        self.notes = notes

    @property
    def by_name(self) -> dict[str, Secret]:
        """What templates see as `secrets`."""
        return {str(path[1]): one for path, one in self._secrets.items() if path[0] == "secrets"}

    def fill(self, configuration: Configuration) -> Configuration:
        """The configuration with its values that are references replaced by the secrets."""
        return replace(configuration, values=self._filled(configuration, lambda secret: secret))

    def check(self, configuration: Configuration, schema: ValuesSchema) -> None:
        """Raise InvalidDocument where a secret is not what the schema asks for at its place."""
        from bootstrap.config.secret_values import misfits

        values = self._filled(configuration, Secret.reveal)
        if problems := list(misfits(values, configuration, schema)):
            raise InvalidDocument("a secret does not fit the image's schema", problems=problems)

    def _filled(self, configuration: Configuration, form: Callable[[Secret], Any]) -> Any:
        values: Any = configuration.values
        for path in configuration.value_secrets:
            values = replaced(values, path[1:], form(self._secrets[path]))
        return values


def veiled(configuration: Configuration) -> Disclosed:
    """The mask in the place of every secret: to see what a configuration comes to without one."""
    return Disclosed(dict.fromkeys(wanted(configuration), Secret(MASK)))


def wanted(configuration: Configuration) -> dict[Path, SecretReference]:
    """Every secret that the configuration names, by the path of what names it."""
    named: dict[Path, SecretReference] = {
        ("secrets", name): one for name, one in configuration.secrets.items()
    }
    return named | dict(configuration.value_secrets)


def replaced(tree: Any, path: Path, value: Any) -> Any:
    """The tree with `value` at `path`; what holds it is copied, the rest is shared."""
    if not path:
        return value
    step, *rest = path
    below = replaced(tree[step], tuple(rest), value)
    if isinstance(tree, list):
        return [below if at == step else one for at, one in enumerate(tree)]
    return {**tree, step: below}


def disclose(
    configuration: Configuration,
    machine: Machine,
    settings: Settings,
    instance: Instance,
    *,
    deadline: float,
    offline: bool = False,
) -> Disclosed:
    """Fetch every secret that the configuration names, by `deadline` (on the machine's clock).

    A configuration without secrets costs nothing. When `offline`, only an endpoint that the
    settings name is asked for a token; MissingInput is raised for want of one.
    Raises ImageError, SecretsRefused, SecretsUnavailable, IdentityRefused, IdentityUnavailable,
    MetadataRefused for a cloud whose vaults are not known, or SettingsError.
    """
    references = wanted(configuration)
    if not references:
        return Disclosed({})
    if offline and not settings.imds.endpoint:
        named = ", ".join(public_path(format_path(path)) for path in references)
        raise MissingInput(
            Public(
                f"fetching {named}: with --offline nobody is "
                "asked, so there is no token for Key Vault"
            ),
            hint="set imds.endpoint to have an identity service asked, such as that of "
            "`imds-bootstrap emulate`; `render` shows a file without its secrets",
        )
    from bootstrap.identity.identity_id import Selector
    from bootstrap.imds.clouds import cloud_of
    from bootstrap.keyvault.fetch import fetch

    def tell(event: str, **fields: Any) -> None:
        """What happens on the way to each secret; never what is in it."""
        machine.log.event(DEBUG if event == "vault.found" else INFO, event, **fields)

    if not core_dumps.forbid():
        machine.log.event(DEBUG, "secrets.dumpable")
    identity = _identity(machine, settings, deadline)
    try:
        fetched = fetch(
            {format_path(path): one for path, one in references.items()},
            token=identity.token,
            forget=identity.forget,
            cloud=cloud_of(instance.cloud),
            settings=settings.vaults,
            selector=Selector.chosen(settings.identity),
            deadline=deadline,
            clock=machine.clock,
            sleep=machine.sleep,
            now=machine.now,
            on_event=tell,
        )
    finally:
        machine.log.end_progress()
    return _disclosed(references, fetched)


def _disclosed(references: Mapping[Path, Any], fetched: Mapping[str, Fetched]) -> Disclosed:
    found = {path: fetched[format_path(path)] for path in references}
    return Disclosed(
        {path: one.secret for path, one in found.items()},
        {path: one.version for path, one in found.items()},
        tuple(dict.fromkeys(one.note for one in found.values() if one.note)),
    )


def _identity(machine: Machine, settings: Settings, deadline: float) -> Identity:
    """The identity of this machine: that of its VM, or that of Azure Arc."""
    from bootstrap.identity.managed_identity import Identity
    from bootstrap.platform.firmware import read_firmware

    service: str | IdentityService = settings.imds.endpoint
    if arc := arc_of(machine, settings, read_firmware(machine.root)):
        from bootstrap.identity.arc import ArcService

        service = ArcService(arc, root=machine.root)
    return Identity(
        service,
        deadline=deadline,
        timeout=settings.imds.timeout,
        grace=settings.imds.grace,
        attach=settings.identity.attach,
        on_attempt=teller(machine, "identity.retry", "a token", deadline),
        clock=machine.clock,
        sleep=machine.sleep,
        wall=machine.now,
    )
