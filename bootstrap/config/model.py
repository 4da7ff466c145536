"""The configuration of this machine, as all layers together ask for it."""

from __future__ import annotations

from bootstrap.frozen import Frozen, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal

    from bootstrap.document import Path


class FileSpec(Frozen):
    """One file that the machine should have.

    `mode` holds permission bits (`0o640`); None means the default, that of `Rendered.mode`. If
    owner or group is None, an existing file keeps its own, and a new file gets that of the process.
    `acl` replaces mode and group on Windows: `account:F`, `M`, `RX` or `R`. `newline` says how
    lines end; if it is empty, they end as in the template. Exactly one of `template` (a name below
    the image's template folders) and `content` (an inline template) is set.

    `within` are the folders that the file must not leave by any link: those that userData may use,
    if userData declares or changes the file, else none. `layer` is the layer that declares the
    file. `mode_layer` is the layer that decides who else than its owner may use it, by `mode` or
    `acl`; `mode_origin` is the place of that key. `includes` are the templates that a `content` of
    userData may name; None if it may name any.
    """

    path: str
    template: str | None = None
    content: str | None = None
    mode: int | None = None
    owner: str | None = None
    group: str | None = None
    acl: tuple[str, ...] | None = None
    newline: Literal["", "lf", "crlf"] = ""
    check: tuple[str, ...] = ()
    notify: tuple[str, ...] = ()
    when: Literal["always", "once"] = "always"
    symlink: Literal["refuse", "follow", "replace"] = "refuse"
    in_place: bool = False
    backup: bool = False
    within: tuple[str, ...] = ()
    layer: Literal["image", "userData"] = "image"
    mode_layer: Literal["image", "userData"] = "image"
    mode_origin: str = ""  # "userData:7:31"
    includes: frozenset[str] | None = None
    origin: str = ""  # "image config.d/10-shop.yaml:7:5"
    check_origin: str = ""  # the place of `check` in a document


class SecretReference(Frozen):
    """The place of a secret and the form in which it is wanted, never its value.

    `vault` is a name or a host. Without `version` the current version is meant. A `form` other than
    `value` takes a certificate apart. With `credential` the secret also becomes a credential of
    systemd: as it is (`to_plain`), or encrypted (`sealed`). `of_image` is set if everything in the
    reference comes from documents of the image, which may name vaults that userData may not.
    """

    vault: str
    name: str
    version: str = ""
    is_certificate: bool = False
    form: Literal["value", "pem", "key", "chain", "pfx"] = "value"
    encoding: Literal["text", "base64"] = "text"
    credential: Literal["", "plain", "sealed"] = ""
    origin: str = ""  # "userData:4:11"
    of_image: bool = False


class Configuration(Frozen):
    """The merged, validated configuration, with the origin of every value.

    `origins` maps the path of each value (`("values", "web", "port")`) to the place that set it
    (`userData:4:11`, `tag config:web.port`), and the path of each file entry to the place that
    declares it. `hidden` holds the paths whose values are never shown: those that the image's
    schema marks (`writeOnly`, `x-secret`, `format: password`), all paths below them, and those of
    `value_secrets`, the values that are references to secrets. `notes` are texts for the log, such
    as one about a userData that is left to cloud-init.
    """

    environment: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, SecretReference] = field(default_factory=dict)
    value_secrets: Mapping[Path, SecretReference] = field(default_factory=dict)
    files: tuple[FileSpec, ...] = ()
    handlers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    origins: Mapping[Path, str] = field(default_factory=dict)
    hidden: frozenset[Path] = frozenset()
    notes: tuple[str, ...] = ()

    @property
    def handler_origins(self) -> dict[str, str]:
        """The place of each handler in a document, by the handler's name."""
        places = {name: self.origins.get(("handlers", name), "") for name in self.handlers}
        return {name: place for name, place in places.items() if place}

    @property
    def floats(self) -> bool:
        """True if some secret is wanted in its current version, whichever that is then."""
        wanted = (*self.secrets.values(), *self.value_secrets.values())
        return any(not reference.version for reference in wanted)
