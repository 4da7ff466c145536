"""What the firmware says, without any network: is this Azure, and which VM is it."""

from __future__ import annotations

import os.path
import sys

from bootstrap.frozen import Frozen

# Azure's chassis asset tag, the same on every VM of every cloud; cloud-init and WALinuxAgent
# recognise the platform by it too.
AZURE_ASSET_TAG = "7783-7084-3265-9085-8269-3286-77"

_TABLES = "sys/class/dmi/id"
_GROUPS = (8, 4, 4, 4, 12)
_HEX = frozenset("0123456789abcdef")
# How firmware says that it was given no id (SMBIOS specification, 7.2.1).
_NOBODY = tuple("-".join(digit * count for count in _GROUPS) for digit in "0f")


class Firmware(Frozen):
    """The asset tag, and the VM's id as IMDS writes it; `None` is what could not be read."""

    asset_tag: str | None
    vm_id: str | None

    @property
    def is_azure(self) -> bool | None:
        """Whether this is an Azure VM; `None` when the firmware does not say."""
        return None if self.asset_tag is None else self.asset_tag == AZURE_ASSET_TAG

    @property
    def description(self) -> str:
        """What the firmware says of the platform, for a person."""
        if self.asset_tag is None:
            return "its firmware shows no asset tag"
        return f"its firmware's asset tag is {self.asset_tag!r}"


def read_firmware(root: str = "/") -> Firmware:
    """What the kernel shows of the firmware's tables below `root`.

    Never raises: a machine without tables, or a process that may not read them (the UUID is for
    root only), is a `None`.
    """
    asset_tag, told, swapped = _tables(root)
    uuid = canonical_uuid(told or "")
    if uuid in _NOBODY:
        uuid = None
    if uuid and swapped:
        uuid = swap_fields(uuid)
    return Firmware(asset_tag=asset_tag, vm_id=uuid)


def canonical_uuid(text: str) -> str | None:
    """The UUID in lower case (old kernels print capitals), or `None` if `text` is none."""
    fields = text.lower().split("-")
    if tuple(map(len, fields)) != _GROUPS or not _HEX.issuperset("".join(fields)):
        return None
    return "-".join(fields)


def swap_fields(uuid: str) -> str:
    """The canonical UUID with the bytes of its first three fields in the other order."""
    first, second, third, *rest = uuid.split("-")
    return "-".join([*map(_reversed_bytes, (first, second, third)), *rest])


def _reversed_bytes(field: str) -> str:
    return bytes.fromhex(field)[::-1].hex()


if sys.platform == "win32":
    from bootstrap.windows.platform.smbios import tables as _tables
else:

    def _tables(root: str) -> tuple[str | None, str | None, bool]:
        """The asset tag, the UUID, and whether its first three fields are in the other byte order.

        They are on a Generation 1 VM, which boots by BIOS.
        """
        tag = _read(root, f"{_TABLES}/chassis_asset_tag")
        uuid = _read(root, f"{_TABLES}/product_uuid")
        return tag, uuid, not os.path.isdir(os.path.join(root, "sys/firmware/efi"))


def _read(root: str, path: str) -> str | None:
    try:
        with open(os.path.join(root, path), encoding="ascii", errors="replace") as table:
            return table.read().strip()
    except OSError:
        return None
