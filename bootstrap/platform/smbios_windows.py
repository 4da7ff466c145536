"""The firmware's tables as Windows returns them.

https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getsystemfirmwaretable
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101  (nothing imports it elsewhere)

import ctypes
import uuid
from ctypes import wintypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

RAW_SMBIOS = int.from_bytes(b"RSMB", "big")
HEADER = 8  # bytes before the first structure
SYSTEM, CHASSIS, END = 1, 3, 127  # types of structures: SMBIOS specification, 7
UUID_AT = 0x08
ASSET_TAG_AT = 0x08  # the field holds the number of a string

_kernel32 = ctypes.WinDLL("kernel32")
_kernel32.GetSystemFirmwareTable.restype = wintypes.UINT
_kernel32.GetSystemFirmwareTable.argtypes = (
    *(wintypes.DWORD, wintypes.DWORD),
    *(ctypes.c_void_p, wintypes.DWORD),
)


def tables(root: str) -> tuple[str | None, str | None, bool]:  # noqa: ARG001  (the machine's own)
    """Return the asset tag, the UUID, and whether the UUID's first fields have to be swapped.

    The last is always False: Windows returns the bytes as they are, and the UUID is read in the
    byte order of the specification, which is that of IMDS. A value that is missing is None.
    """
    tag = uuid_text = None
    for kind, fields, strings in _structures(_raw()[HEADER:]):
        if kind == SYSTEM and len(fields) >= UUID_AT + 16:
            uuid_text = f"{uuid.UUID(bytes_le=fields[UUID_AT : UUID_AT + 16])}"
        if kind == CHASSIS and len(fields) > ASSET_TAG_AT:
            number = fields[ASSET_TAG_AT]
            tag = strings[number - 1].strip() if 0 < number <= len(strings) else None
    return tag, uuid_text, False


def _raw() -> bytes:
    """Return the raw tables with their header; empty if there are none."""
    size = _kernel32.GetSystemFirmwareTable(RAW_SMBIOS, 0, None, 0)
    buffer = ctypes.create_string_buffer(max(size, 0))
    filled = _kernel32.GetSystemFirmwareTable(RAW_SMBIOS, 0, buffer, size)
    return buffer.raw if 0 < filled <= size else b""


def _structures(data: bytes) -> Iterator[tuple[int, bytes, list[str]]]:
    """Yield the type of each structure, its fields, and the strings that follow them."""
    while len(data) > 4 and data[0] != END and data[1] >= 4:  # noqa: PLR2004  (a header has four)
        kind, length = data[0], data[1]
        end = data.find(b"\0\0", length)
        if end < 0:
            return
        texts = data[length:end].split(b"\0")
        yield kind, data[:length], [text.decode("ascii", "replace") for text in texts]
        data = data[end + 2 :]
