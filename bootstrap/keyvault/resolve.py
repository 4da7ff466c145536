"""The secrets that a configuration names, and the configuration with them in their places."""

from __future__ import annotations

from bootstrap import core_dumps
from bootstrap.document import format_path
from bootstrap.errors import InvalidDocument, MissingInput, Public
from bootstrap.frozen import replace
from bootstrap.problem import public_path
from bootstrap.secret import MASK, Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from bootstrap.config.model import Configuration, SecretReference
    from bootstrap.config.schema.values import ValuesSchema
    from bootstrap.document import Path
    from bootstrap.identity.managed_identity import Identity
    from bootstrap.settings import Settings


class ResolvedSecrets:
    """The secrets by the path of the reference (`("secrets", "db")`), and warnings for the log.

    `versions` holds the version of each, by the same paths.
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
        return {
            str(path[1]): secret for path, secret in self._secrets.items() if path[0] == "secrets"
        }

    def substitute(self, configuration: Configuration) -> Configuration:
        """Return the configuration with the secrets in the places of the references to them."""
        return replace(configuration, values=self._values(configuration, lambda secret: secret))

    def check(self, configuration: Configuration, schema: ValuesSchema) -> None:
        """Raise InvalidDocument where a secret is not what the schema asks for at its place."""
        from bootstrap.config.secret_values import mismatches

        values = self._values(configuration, Secret.reveal)
        if problems := list(mismatches(values, configuration, schema)):
            raise InvalidDocument("a secret does not fit the image's schema", problems=problems)

    def _values(self, configuration: Configuration, form: Callable[[Secret], Any]) -> Any:
        from bootstrap.config.masking import replace_at

        values: Any = configuration.values
        for path in configuration.value_secrets:
            values = replace_at(values, path[1:], form(self._secrets[path]))
        return values


def masked_secrets(configuration: Configuration) -> ResolvedSecrets:
    """Return a mask for every secret, to render a configuration without fetching any."""
    return ResolvedSecrets(dict.fromkeys(references(configuration), Secret(MASK)))


def references(configuration: Configuration) -> dict[Path, SecretReference]:
    """Return every reference to a secret in the configuration, by its path."""
    named: dict[Path, SecretReference] = {
        ("secrets", name): reference for name, reference in configuration.secrets.items()
    }
    return named | dict(configuration.value_secrets)


def check_offline(configuration: Configuration, settings: Settings) -> None:
    """Raise MissingInput where a run with --offline has secrets to fetch.

    It asks no machine's identity service, unless the settings name one.
    """
    if settings.imds.endpoint:
        return
    if paths := references(configuration):
        named = ", ".join(public_path(format_path(path)) for path in paths)
        raise MissingInput(
            Public(
                f"fetching {named}: with --offline no service is "
                "asked, so there is no token for Key Vault"
            ),
            hint="set imds.endpoint to have an identity service asked, such as that of "
            "`imds-bootstrap emulate`; `render` shows a file without its secrets",
        )


def resolve_secrets(
    configuration: Configuration,
    identity: Identity,
    settings: Settings,
    *,
    cloud: str,
    deadline: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    now: Callable[[], float],
    on_event: Callable[..., None],
) -> ResolvedSecrets:
    """Fetch every secret that the configuration names, by `deadline` (on `clock`).

    `cloud` is azEnvironment; `now` gives seconds
    since 1970; `on_event` is called with the name and the fields of what happens, never with a
    value. Raises ImageError, SecretsRefused, SecretsUnavailable, IdentityRefused,
    IdentityUnavailable, MetadataRefused for a cloud whose vaults are not known, or SettingsError.
    """
    from bootstrap.identity.identity_id import Selector
    from bootstrap.imds.clouds import cloud_of
    from bootstrap.keyvault.fetch import fetch

    wanted = references(configuration)
    if not core_dumps.forbid():
        on_event("secrets.dumpable")
    fetched = fetch(
        {format_path(path): reference for path, reference in wanted.items()},
        token=identity.token,
        forget=identity.forget,
        cloud=cloud_of(cloud),
        settings=settings.vaults,
        selector=Selector.chosen(settings.identity),
        deadline=deadline,
        clock=clock,
        sleep=sleep,
        now=now,
        on_event=on_event,
    )
    results = {path: fetched[format_path(path)] for path in wanted}
    return ResolvedSecrets(
        {path: result.secret for path, result in results.items()},
        {path: result.version for path, result in results.items()},
        tuple(dict.fromkeys(result.note for result in results.values() if result.note)),
    )
