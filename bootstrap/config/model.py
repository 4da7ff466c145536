"""What the layers say together: the configuration that this machine was asked to have."""

from __future__ import annotations

from bootstrap.frozen import Frozen, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal

    from bootstrap.document import Path


class FileSpec(Frozen):
    """One file that the machine shall have.

    `mode` holds permission bits (`0o640`), `None` for the usual ones: those of `Rendered.mode`.
    `None` for owner and group keeps what an existing file has and gives a new one the process's
    own. `acl` is what a file of Windows has in the place of mode and group: `account:F`, `M`, `RX`
    or `R`. `newline` says how lines end, empty that they stay as the template has them. Exactly one
    of `template` (a name below the image's template folders) and `content` (an inline template) is
    set. `within` are the folders that it must not leave by any link: those that are allowed to
    userData, if that had a say in the file, else none. `layer` declares the file, `mode_layer` says
    who else than its owner may use it: by `mode` or `acl`, whose place is `mode_origin`.
    `includes` are the templates that a `content` of userData may name; None where any may be named.
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
    check_origin: str = ""  # where a document has `check`


class SecretReference(Frozen):
    """Where a secret lies and in what form it is wanted: never its value.

    `vault` is a name or a host. Without `version` it is the current one. `form` other than `value`
    takes a certificate apart. `credential` says that it goes to systemd's credentials, too: as it
    is, or sealed. `of_image` is set when everything in it comes from documents of the image, which
    may name vaults that userData may not.
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
    (`userData:4:11`, `tag config:web.port`), and that of each file entry to the place that
    declares it. `hidden` holds the paths whose values are never echoed, because the image's schema
    marks them (`writeOnly`, `x-secret`, `format: password`), and all paths below them, and those
    of `value_secrets`: the values that are references to secrets. `notes` are words for the log,
    such as a userData that is left to cloud-init.
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
        """Where a document has each handler, by name."""
        places = {name: self.origins.get(("handlers", name), "") for name in self.handlers}
        return {name: place for name, place in places.items() if place}

    @property
    def floats(self) -> bool:
        """Whether some secret is wanted in its current version, whatever that is by then."""
        wanted = (*self.secrets.values(), *self.value_secrets.values())
        return any(not reference.version for reference in wanted)
