"""The table of settings: the name, type, default, bounds and meaning of each.

The keys of the file, the names in the environment, the flags, the JSON Schema and the reference
all come from the fields of these classes. There is no other list of settings.
"""

from __future__ import annotations

from bootstrap.frozen import Frozen, field, fields_of
from bootstrap.layout import CONFIGURATION, USUAL_FOLDERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, Literal

ENVIRONMENT_PREFIX = "IMDS_BOOTSTRAP_"
MEBIBYTE = 1024 * 1024


def _setting(default: Any, about: str, **rule: Any) -> Any:
    """Return the field of one setting; `rule` may hold `choices`, `minimum` and `maximum`."""
    if isinstance(default, dict):
        return field(default_factory=dict, metadata={"about": about, **rule})
    return field(default=default, metadata={"about": about, **rule})


class ImdsSettings(Frozen):
    """The access to the Instance Metadata Service."""

    endpoint: str = _setting("", "where IMDS answers; empty means Azure's link-local address")
    api_version: str = _setting(
        "2023-07-01", "the newest api-version to ask for; an older service is asked for its own"
    )
    timeout: float = _setting(5.0, "seconds one request may take", minimum=0.1, maximum=300)
    grace: float = _setting(
        60.0, "seconds to bear 401, 403 and 421 while a guest proxy agent starts", minimum=0
    )
    detect: bool = _setting(
        True, "ask the firmware whether this is Azure before waiting; elsewhere the run is disabled"
    )


class UserDataSettings(Frozen):
    """What userData may contain."""

    required: bool = _setting(False, "fail when userData is empty or somebody else's")
    allow: tuple[str, ...] = _setting(
        (),
        "what userData may bring besides values and templates of the image",
        choices=("content", "check", "handlers"),
    )
    paths: tuple[str, ...] = _setting(USUAL_FOLDERS, "folders below which userData may place files")
    templates: tuple[str, ...] = _setting(
        ("image:*",),
        "patterns of the templates that userData may use; "
        "`image:` before one leaves out those that ship",
    )


class TagSettings(Frozen):
    """What the machine's tags may set."""

    environment: str = _setting("environment", "the tag that picks the environment")
    prefix: str = _setting("config:", "tags that begin so set the value at the path that follows")
    paths: tuple[str, ...] = _setting(
        ("*",),
        "patterns of the paths below `values` that tags may set; `web.*` allows `web.a.b` too",
    )
    map: Mapping[str, str] = _setting({}, "existing tags that set a value: name to path")


class IdentitySettings(Frozen):
    """The managed identity that the machine uses; at most one of the three names is set."""

    client_id: str = _setting("", "the user-assigned identity with this client id")
    object_id: str = _setting("", "the user-assigned identity with this object id")
    msi_res_id: str = _setting("", "the user-assigned identity with this Azure resource id")
    attach: float = _setting(
        120.0, "seconds to bear an identity that is still being attached to the VM", minimum=0
    )


class VaultSettings(Frozen):
    """The Key Vaults that secrets may come from, and the access to them."""

    allow: tuple[str, ...] = _setting(
        (),
        "vaults that documents may name, as name or as host; none: any under the cloud's suffix",
    )
    identities: Mapping[str, str] = _setting(
        {}, "the identity for one vault: name to client_id=…, object_id=… or msi_res_id=…"
    )
    ca_file: str = _setting("", "a file of certificate authorities to trust besides the system's")
    endpoint: str = _setting(
        "", "where vaults answer instead of at their own names, for tests: https://HOST:PORT"
    )
    grace: float = _setting(
        180.0, "seconds to bear a 403 while a role assignment spreads", minimum=0
    )
    expired: Literal["refuse", "warn"] = _setting(
        "refuse",
        "what to do with a secret that has expired or is not yet valid",
        choices=("refuse", "warn"),
    )


class CommandSettings(Frozen):
    """The limits of checks and handlers, and what happens if a handler fails."""

    timeout: float = _setting(
        60.0, "seconds a check or a handler may take", minimum=0.1, maximum=86400
    )
    on_notify_failure: Literal["rollback", "keep"] = _setting(
        "rollback",
        "what becomes of the new files when a handler fails; the next run tries again either way",
        choices=("rollback", "keep"),
    )


class RenderSettings(Frozen):
    """The limits of templates."""

    timeout: float = _setting(10.0, "seconds all templates together may take", minimum=0.1)
    max_bytes: int = _setting(4 * MEBIBYTE, "bytes one rendered file may have", minimum=1)


class Settings(Frozen):
    """All settings, each with a value.

    `origins` maps the dotted name of each setting that a source gives to its place there. `digest`
    is the hash of the sources; it is empty for the defaults.
    """

    deadline: float = _setting(300.0, "seconds the whole run may take", minimum=1, maximum=86400)
    on_unavailable: Literal["keep", "fail"] = _setting(
        "keep",
        "what to do when IMDS or Key Vault does not answer a machine that was configured before",
        choices=("keep", "fail"),
    )
    prune: bool = _setting(
        False, "remove files this agent wrote that are no longer in the configuration"
    )
    templates: tuple[str, ...] = _setting(
        (f"{CONFIGURATION}/templates",),
        "template folders, in search order; the templates that ship come after them",
    )
    values_schema: str = _setting(
        f"{CONFIGURATION}/values.schema.json",
        "the image's JSON Schema for `values`; the default may be absent",
    )
    imds: ImdsSettings = ImdsSettings()
    user_data: UserDataSettings = UserDataSettings()
    tags: TagSettings = TagSettings()
    identity: IdentitySettings = IdentitySettings()
    vaults: VaultSettings = VaultSettings()
    commands: CommandSettings = CommandSettings()
    render: RenderSettings = RenderSettings()
    origins: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""


class Row(Frozen, kw_only=False):
    """One setting of the table; `kind` is its Python type, as written there."""

    name: str
    kind: str
    default: Any
    about: str
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None

    @property
    def variable(self) -> str:
        """The setting's name in the environment."""
        return ENVIRONMENT_PREFIX + self.name.replace(".", "_").upper()


def rows(group: type[Frozen] = Settings, prefix: str = "") -> Iterator[Row]:
    """Yield every setting, in the order of the table."""
    for name, declared in fields_of(group).items():
        if isinstance(declared.default, Frozen):
            yield from rows(type(declared.default), f"{prefix}{name}.")
        elif declared.metadata:
            yield Row(prefix + name, declared.kind, declared.missing(), **declared.metadata)
