"""One emulated Key Vault, as a machine file describes it."""

from __future__ import annotations

from bootstrap.frozen import Frozen, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from bootstrap.emulator.fault import Fault

# 4,000 reads of a vault in ten seconds:
# https://learn.microsoft.com/azure/key-vault/general/service-limits
READS_PER_SECOND = 400


class SecretVersion(Frozen):
    """One value of a secret; times are in seconds since 1970, an empty `version` is derived."""

    value: str = field(repr=False)
    version: str = ""
    content_type: str = ""
    enabled: bool = True
    not_before: int | None = None
    expires: int | None = None


class SecretSpec(Frozen):
    """A secret, oldest version first.

    `listed` means that the file lists every version, so that an edit keeps no other version.
    `forbidden` is the inner code of the 403 with which its requests are answered.
    """

    versions: tuple[SecretVersion, ...]
    listed: bool = False
    forbidden: str = ""


class CertificateSpec(Frozen):
    """A certificate that the emulator issues; a higher `renewed` issues a new version of it."""

    subject: str = ""
    names: tuple[str, ...] = ()  # DNS names
    form: Literal["pfx", "pem"] = "pfx"
    key: Literal["rsa", "ec"] = "rsa"
    days: float = 365.0
    renewed: int = 0
    enabled: bool = True
    forbidden: str = ""


class Vault(Frozen):
    """One vault.

    `forbidden` is the inner code of the 403 with which all requests are answered; for the first
    `grant_after` seconds, requests are answered with ForbiddenByRbac. `allowed` are the client
    ids that may read; if it is empty, all may. `rate` is in requests per second, 0 for no limit.
    """

    secrets: Mapping[str, SecretSpec] = field(default_factory=dict)
    certificates: Mapping[str, CertificateSpec] = field(default_factory=dict)
    forbidden: str = ""
    grant_after: float = 0.0
    allowed: tuple[str, ...] = ()
    rate: float = READS_PER_SECOND
    faults: tuple[Fault, ...] = ()
