"""One emulated VM: what it is, and what its IMDS shall do wrong."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from bootstrap.metadata.versions import KNOWN_VERSIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal

# Of one VM, whoever in it asks:
# https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service#rate-limiting
REQUESTS_PER_SECOND = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong with `times` requests in a row; None is for ever. Times are in seconds.

    `reset` and `silence` send no answer. `status`, `body`, `html` and `redirect` replace the
    service's answer, `partial` takes parts out of it; `delay`, `drip` and `truncate` only spoil
    its way to the client.
    """

    times: int | None = 1
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    delay: float = 0.0  # before the first byte
    drip: float = 0.0  # between any two bytes, headers included
    truncate: int | None = None  # bytes of the body that still arrive
    reset: bool = False
    silence: bool = False
    html: bool = False
    partial: bool | Literal["always"] = False  # always: even when asked with extended=true
    redirect: str = ""

    def __str__(self) -> str:
        """The fault's own words for the log: `drip`, `status`, `delay+reset`."""
        names = ("delay", "drip", "truncate", "reset", "silence", "html", "partial", "redirect")
        said = [name for name in names if getattr(self, name)]
        return "+".join(said) or ("status" if self.status is not None else "")


NO_FAULT = Fault(times=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One VM as its IMDS knows it; with nothing said it is a small Linux VM without tags.

    `user_data` is base64, as IMDS serves it, and `user_data_file` where it was read from, if it
    was. `compute` is merged over the default compute
    document and `network` replaces the default network; None leaves the network out. `rate` is
    in requests per second, 0 for no limit; `gone` and `starts` are seconds.
    """

    name: str = "emulated-vm"
    location: str = "westeurope"
    given_vm_id: str = ""
    environment: str = "AzurePublicCloud"
    tags: Mapping[str, str] = field(default_factory=dict)
    user_data: str = ""
    user_data_file: str | None = None
    compute: Mapping[str, Any] = field(default_factory=dict)
    network: Mapping[str, Any] | None = field(default_factory=dict)
    api_versions: tuple[str, ...] = KNOWN_VERSIONS
    rate: float = REQUESTS_PER_SECOND
    faults: tuple[Fault, ...] = ()
    gone: float = 0.0
    starts: float = 0.0

    @property
    def vm_id(self) -> str:
        """The id given, or one that the same name always gets: state is kept per VM id."""
        return self.given_vm_id or stable_id(f"vm/{self.name}")


def stable_id(name: str) -> str:
    """A UUID that depends on nothing but `name`, so that two runs see the same machine."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"imds-bootstrap/{name}"))
