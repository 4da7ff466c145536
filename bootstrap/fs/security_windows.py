"""Owners and access lists of files.

Here a list is a text in the system's own language (SDDL), in one spelling only, so that two lists
can be compared: `P(A;;0x1f01ff;;;S-1-5-18)`, with every right as a number, every account as its
SID, and the entries sorted. `P` means that no entry of the folder applies. Without it the folder's
entries apply too, and are not part of the text: an empty text is a list that has only these. None
means that the list is unknown.
https://learn.microsoft.com/windows/win32/secauthz/security-descriptor-string-format
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101  (nothing imports it elsewhere)

import ctypes
from contextlib import contextmanager
from ctypes import wintypes

from bootstrap.fs.kernel_windows import refused
from bootstrap.fs.sids_windows import ADMINISTRATORS, SYSTEM, USERS, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# What icacls calls F, M, RX and R.
RIGHTS = {"F": 0x1F01FF, "M": 0x1301BF, "RX": 0x1200A9, "R": 0x120089}
ALLOWED, DENIED = 0, 1  # the kinds of entries that every version of Windows has
INHERIT_ONLY = 0x8
HANDED_ON = 0x10  # an entry of the folder, not of the file itself

_FILE = 1  # SE_FILE_OBJECT
_OWNER, _LIST = 0x1, 0x4  # the parts that a call reads or sets
_PROTECTED = 0x1000  # SE_DACL_PROTECTED
_CLOSED = 0x80000000  # PROTECTED_DACL_SECURITY_INFORMATION
_REVISION = 1

_advapi32 = ctypes.WinDLL("advapi32", use_last_error=True)
_kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
_ntdll = ctypes.WinDLL("ntdll")
# Wine turns access lists into Unix modes and cannot keep them, so none is read under Wine.
KEEPS_LISTS = not hasattr(_ntdll, "wine_get_version")

_POINTER = ctypes.POINTER(ctypes.c_void_p)
_YES_OR_NO = ctypes.POINTER(wintypes.BOOL)

_kernel32.LocalFree.argtypes = (ctypes.c_void_p,)
_advapi32.GetNamedSecurityInfoW.argtypes = (
    *(wintypes.LPCWSTR, ctypes.c_int, wintypes.DWORD),
    *(_POINTER, _POINTER, _POINTER, _POINTER, _POINTER),
)
_advapi32.SetNamedSecurityInfoW.argtypes = (
    *(wintypes.LPCWSTR, ctypes.c_int, wintypes.DWORD),
    *(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p),
)
_advapi32.GetSecurityDescriptorControl.argtypes = (
    *(ctypes.c_void_p, ctypes.POINTER(wintypes.WORD), ctypes.POINTER(wintypes.DWORD)),
)
_advapi32.GetSecurityDescriptorDacl.argtypes = (ctypes.c_void_p, _YES_OR_NO, _POINTER, _YES_OR_NO)
_advapi32.GetSecurityDescriptorOwner.argtypes = (ctypes.c_void_p, _POINTER, _YES_OR_NO)
_advapi32.GetAce.argtypes = (ctypes.c_void_p, wintypes.DWORD, _POINTER)
_advapi32.ConvertStringSecurityDescriptorToSecurityDescriptorW.argtypes = (
    *(wintypes.LPCWSTR, wintypes.DWORD),
    *(_POINTER, ctypes.c_void_p),
)


class _AclHeader(ctypes.Structure):
    _fields_ = (
        *(("revision", ctypes.c_ubyte), ("spare", ctypes.c_ubyte), ("size", wintypes.WORD)),
        *(("count", wintypes.WORD), ("spare2", wintypes.WORD)),
    )


class _AceHeader(ctypes.Structure):
    _fields_ = (
        *(("kind", ctypes.c_ubyte), ("flags", ctypes.c_ubyte), ("size", wintypes.WORD)),
        ("mask", wintypes.DWORD),
    )


class Entry:
    """One entry of a list: an account by its SID, and the rights (`mask`) it is given or denied."""

    __slots__ = ("flags", "kind", "mask", "sid")

    def __init__(self, kind: int, flags: int, mask: int, sid: str) -> None:
        self.kind = kind
        self.flags = flags
        self.mask = mask
        self.sid = sid

    @property
    def text(self) -> str:
        """The entry in its one spelling."""
        return f"({'A' if self.kind == ALLOWED else 'D'};;{self.mask:#x};;;{self.sid})"


def spell(grants: dict[str, int]) -> str:
    """Return the list that gives these rights by SID, without the folder's entries."""
    return "P" + "".join(sorted(Entry(ALLOWED, 0, mask, sid).text for sid, mask in grants.items()))


PRIVATE = spell({SYSTEM: RIGHTS["F"], ADMINISTRATORS: RIGHTS["F"]})
PUBLIC = spell({SYSTEM: RIGHTS["F"], ADMINISTRATORS: RIGHTS["F"], USERS: RIGHTS["RX"]})


def read(path: str) -> tuple[str | None, str | None]:
    """Return the owner's SID and the list of a file or a folder; None where lists are not kept."""
    if not KEEPS_LISTS:
        return None, None
    with _described(path) as (owner, acl, descriptor):
        control, revision = wintypes.WORD(), wintypes.DWORD()
        _advapi32.GetSecurityDescriptorControl(
            descriptor, ctypes.byref(control), ctypes.byref(revision)
        )
        own = (entry.text for entry in _entries(acl) if not entry.flags & HANDED_ON)
        protected = "P" if control.value & _PROTECTED else ""
        return text_of(owner), protected + "".join(sorted(own))


def entries(path: str) -> tuple[str, list[Entry]] | None:
    """Return the owner's SID and all entries of the list; None where lists are not kept."""
    if not KEEPS_LISTS:
        return None
    with _described(path) as (owner, acl, _):
        return text_of(owner), list(_entries(acl))


@contextmanager
def _described(path: str) -> Iterator[tuple[int | None, int | None, ctypes.c_void_p]]:
    """Yield the addresses of owner and list, and the security descriptor that holds both."""
    owner, acl, descriptor = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
    code = _advapi32.GetNamedSecurityInfoW(
        path, _FILE, _OWNER | _LIST, owner, None, acl, None, descriptor
    )
    if code:
        raise refused(path, code)
    try:
        yield owner.value, acl.value, descriptor
    finally:
        _kernel32.LocalFree(descriptor)


def _entries(acl: int | None) -> Iterator[Entry]:
    """Yield the entries of a list; for no list, one that gives all rights to Everyone (S-1-1-0)."""
    if acl is None:
        yield Entry(ALLOWED, 0, RIGHTS["F"], "S-1-1-0")
        return
    for index in range(_AclHeader.from_address(acl).count):
        ace = ctypes.c_void_p()
        if _advapi32.GetAce(acl, index, ctypes.byref(ace)) and ace.value:
            header = _AceHeader.from_address(ace.value)
            sid = ace.value + ctypes.sizeof(_AceHeader)
            yield Entry(header.kind, header.flags, header.mask, text_of(sid))


def entries_of(made: int) -> list[Entry]:
    """Return the entries of a descriptor's list."""
    present, defaulted = wintypes.BOOL(), wintypes.BOOL()
    dacl = ctypes.c_void_p()
    _advapi32.GetSecurityDescriptorDacl(made, present, dacl, defaulted)
    return list(_entries(dacl.value))


@contextmanager
def descriptor(owner: str | None, acl: str | None, *, folder: bool = False) -> Iterator[int | None]:
    """Yield a security descriptor for a new file or folder.

    Yields None if neither owner nor list is given: then the system chooses both.
    """
    text = f"O:{owner}" if owner else ""
    if acl:
        text += f"D:{acl.replace('(A;;', '(A;OICI;') if folder else acl}"
    if not text:
        yield None
        return
    made = ctypes.c_void_p()
    if not _advapi32.ConvertStringSecurityDescriptorToSecurityDescriptorW(
        text, _REVISION, ctypes.byref(made), None
    ):
        raise refused(text)
    try:
        yield made.value
    finally:
        _kernel32.LocalFree(made)


def set_on(path: str, owner: str | None, acl: str | None) -> None:
    """Set the owner and the list of an existing file; one that is None or empty is not changed."""
    with descriptor(owner, acl) as made:
        if made is None:
            return
        present, defaulted = wintypes.BOOL(), wintypes.BOOL()
        dacl, sid = ctypes.c_void_p(), ctypes.c_void_p()
        _advapi32.GetSecurityDescriptorDacl(made, present, dacl, defaulted)
        _advapi32.GetSecurityDescriptorOwner(made, sid, defaulted)
        parts = (_LIST if acl else 0) | (_OWNER if owner else 0)
        parts |= _CLOSED if acl and acl.startswith("P") else 0
        code = _advapi32.SetNamedSecurityInfoW(path, _FILE, parts, sid, None, dacl, None)
    if code:
        raise refused(path, code)
