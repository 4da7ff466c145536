"""The tables of the firmware, read without a network: whether this is Azure, and which VM it is."""

from __future__ import annotations

import sys

from bootstrap.frozen import Frozen
from bootstrap.fs.root import exists_in_root, resolve_in_root

# Azure's chassis asset tag, the same on every VM of every cloud. cloud-init and WALinuxAgent
# identify the platform by it, too.
AZURE_ASSET_TAG = "7783-7084-3265-9085-8269-3286-77"

_TABLES = "/sys/class/dmi/id"
_GROUPS = (8, 4, 4, 4, 12)
_HEX = frozenset("0123456789abcdef")
# The two UUIDs of firmware that has no id (SMBIOS specification, 7.2.1): all zeros or all Fs.
_NOBODY = tuple("-".join(digit * count for count in _GROUPS) for digit in "0f")


class Firmware(Frozen):
    """The asset tag, and the VM's id as IMDS writes it; each is `None` if it cannot be read."""

    asset_tag: str | None
    vm_id: str | None

    @property
    def is_azure(self) -> bool | None:
        """Whether this is an Azure VM; `None` if the asset tag cannot be read."""
        return None if self.asset_tag is None else self.asset_tag == AZURE_ASSET_TAG

    @property
    def description(self) -> str:
        """A text for a person about the asset tag."""
        if self.asset_tag is None:
            return "its firmware shows no asset tag"
        return f"its firmware's asset tag is {self.asset_tag!r}"


def read_firmware(root: str = "/") -> Firmware:
    """Return the asset tag and the VM's id in the firmware's tables, as files below `root`.

    Never raises. A value is `None` on a machine without tables, or if the process may not read
    them (only root can read the UUID).
    """
    asset_tag, product_uuid, swapped = _tables(root)
    uuid = canonical_uuid(product_uuid or "")
    if uuid in _NOBODY:
        uuid = None
    if uuid and swapped:
        uuid = swap_fields(uuid)
    return Firmware(asset_tag=asset_tag, vm_id=uuid)


def canonical_uuid(text: str) -> str | None:
    """Return the UUID in lower case, or `None` if `text` is none; old kernels use capitals."""
    fields = text.lower().split("-")
    if tuple(map(len, fields)) != _GROUPS or not _HEX.issuperset("".join(fields)):
        return None
    return "-".join(fields)


def swap_fields(uuid: str) -> str:
    """Return the canonical UUID with the bytes of its first three fields reversed."""
    first, second, third, *rest = uuid.split("-")
    return "-".join([*map(_reversed_bytes, (first, second, third)), *rest])


def _reversed_bytes(field: str) -> str:
    return bytes.fromhex(field)[::-1].hex()


if sys.platform == "win32":
    from bootstrap.platform.smbios_windows import tables as _tables
else:

    def _tables(root: str) -> tuple[str | None, str | None, bool]:
        """Return the asset tag, the UUID, and whether its first three fields have reversed bytes.

        The bytes are reversed on a Generation 1 VM, which boots by BIOS.
        """
        tag = _read(root, f"{_TABLES}/chassis_asset_tag")
        uuid = _read(root, f"{_TABLES}/product_uuid")
        return tag, uuid, not exists_in_root("/sys/firmware/efi", root, folder=True)


def _read(root: str, path: str) -> str | None:
    try:
        with open(resolve_in_root(path, root), encoding="ascii", errors="replace") as table:
            return table.read().strip()
    except OSError:
        return None
