"""Which platform a machine runs on: an Azure VM, an Azure Arc machine, or neither."""

from __future__ import annotations

from bootstrap.frozen import Frozen
from bootstrap.platform.firmware import read_firmware

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bootstrap.identity.arc import Arc
    from bootstrap.platform.firmware import Firmware
    from bootstrap.settings import Settings

OVERRIDE_HINT = "set imds.endpoint, or imds.detect to false, if IMDS answers here anyway"


class Platform(Frozen):
    """What the firmware and the agents on a machine say about its platform.

    `arc` holds the endpoints of the Azure Arc agent, None where there is none. `is_azure` is false
    only where nothing points to Azure and the settings do not say otherwise.
    """

    firmware: Firmware
    arc: Arc | None
    is_azure: bool

    @property
    def vm_id(self) -> str | None:
        """The VM's id by its firmware; None for Arc, whose agent has an id of its own."""
        return None if self.arc else self.firmware.vm_id

    @property
    def reason(self) -> str:
        """Why the machine is not taken for Azure's."""
        return f"this is not an Azure machine: {self.firmware.description}"


def detect(settings: Settings, *, environ: Mapping[str, str], root: str = "/") -> Platform:
    """Return the platform of the machine below `root`.

    Settings that name an IMDS endpoint, or turn `imds.detect` off, answer the question. Raises
    SettingsError for an Arc endpoint in `environ` that is not on loopback.
    """
    firmware = read_firmware(root)
    arc = None
    if not settings.imds.endpoint and not firmware.is_azure:
        from bootstrap.identity.arc import detect as detect_arc

        arc = detect_arc(environ, root)
    known = settings.imds.endpoint or firmware.is_azure or arc
    return Platform(firmware=firmware, arc=arc, is_azure=bool(known) or not settings.imds.detect)
