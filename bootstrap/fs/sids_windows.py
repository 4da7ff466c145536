"""Accounts by their SIDs, as access lists name them: by name, and those of this process."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101  (nothing imports it elsewhere)

import ctypes
from ctypes import wintypes
from functools import cache

from bootstrap.fs.kernel_windows import refused

SYSTEM, ADMINISTRATORS, USERS = "S-1-5-18", "S-1-5-32-544", "S-1-5-32-545"
TRUSTED_INSTALLER = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
CREATOR_OWNER = "S-1-3-0"

_TOKEN_QUERY, _TOKEN_ADJUST = 0x8, 0x20
_TOKEN_OWNER, _TOKEN_USER = 4, 1
_PRIVILEGE_ENABLED = 0x2
_NONE_MAPPED = 1332

_advapi32 = ctypes.WinDLL("advapi32", use_last_error=True)
_kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
_POINTER = ctypes.POINTER(ctypes.c_void_p)
_NUMBER = ctypes.POINTER(wintypes.DWORD)

_kernel32.LocalFree.argtypes = (ctypes.c_void_p,)
_kernel32.GetCurrentProcess.argtypes = ()
_kernel32.GetCurrentProcess.restype = ctypes.c_void_p
_kernel32.CloseHandle.argtypes = (ctypes.c_void_p,)
_advapi32.ConvertSidToStringSidW.argtypes = (ctypes.c_void_p, _POINTER)
_advapi32.ConvertStringSidToSidW.argtypes = (wintypes.LPCWSTR, _POINTER)
_advapi32.OpenProcessToken.argtypes = (ctypes.c_void_p, wintypes.DWORD, _POINTER)
_advapi32.GetTokenInformation.argtypes = (
    *(ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p),
    *(wintypes.DWORD, _NUMBER),
)
_advapi32.LookupAccountNameW.argtypes = (
    *(wintypes.LPCWSTR, wintypes.LPCWSTR, ctypes.c_void_p, _NUMBER),
    *(wintypes.LPWSTR, _NUMBER, _NUMBER),
)
_advapi32.LookupAccountSidW.argtypes = (
    *(wintypes.LPCWSTR, ctypes.c_void_p, wintypes.LPWSTR, _NUMBER),
    *(wintypes.LPWSTR, _NUMBER, _NUMBER),
)
_advapi32.LookupPrivilegeValueW.argtypes = (wintypes.LPCWSTR, wintypes.LPCWSTR, ctypes.c_void_p)
_advapi32.AdjustTokenPrivileges.argtypes = (
    *(ctypes.c_void_p, wintypes.BOOL, ctypes.c_void_p),
    *(wintypes.DWORD, ctypes.c_void_p, ctypes.c_void_p),
)


@cache
def own_sid(of: int = _TOKEN_OWNER) -> str:
    """Return the SID of the owner that new files of this process get."""
    token = ctypes.c_void_p()
    process = _kernel32.GetCurrentProcess()
    if not _advapi32.OpenProcessToken(process, _TOKEN_QUERY, ctypes.byref(token)):
        raise refused("the process's token")
    try:
        size = wintypes.DWORD()
        _advapi32.GetTokenInformation(token, of, None, 0, ctypes.byref(size))
        buffer = ctypes.create_string_buffer(size.value)
        if not _advapi32.GetTokenInformation(token, of, buffer, size, ctypes.byref(size)):
            raise refused("the process's token")
        return text_of(ctypes.c_void_p.from_buffer(buffer).value)
    finally:
        _kernel32.CloseHandle(token)


@cache
def own_user() -> str:
    """Return the SID of the user that this process runs as."""
    return own_sid(_TOKEN_USER)


@cache
def enable_restore_privilege() -> bool:
    """Enable the right to make files that other accounts own.

    Returns False if this process does not have it.
    """
    token = ctypes.c_void_p()
    process = _kernel32.GetCurrentProcess()
    if not _advapi32.OpenProcessToken(process, _TOKEN_ADJUST | _TOKEN_QUERY, ctypes.byref(token)):
        return False
    try:
        luid = ctypes.create_string_buffer(8)
        if not _advapi32.LookupPrivilegeValueW(None, "SeRestorePrivilege", luid):
            return False
        wanted = (1).to_bytes(4, "little") + luid.raw + _PRIVILEGE_ENABLED.to_bytes(4, "little")
        _advapi32.AdjustTokenPrivileges(token, False, wanted, 0, None, None)
        return ctypes.get_last_error() == 0
    finally:
        _kernel32.CloseHandle(token)


def sid_of(name: str) -> str | None:
    """Return the SID of an account, given by name or by SID; None if there is no such account."""
    sid = ctypes.c_void_p()
    if name.upper().startswith("S-1-") and _advapi32.ConvertStringSidToSidW(name, sid):
        _kernel32.LocalFree(sid)
        return name.upper()
    buffer, room = ctypes.create_string_buffer(256), wintypes.DWORD(256)
    domain, width = ctypes.create_unicode_buffer(256), wintypes.DWORD(256)
    kind = wintypes.DWORD()
    if _advapi32.LookupAccountNameW(None, name, buffer, room, domain, width, ctypes.byref(kind)):
        return text_of(ctypes.addressof(buffer))
    if ctypes.get_last_error() == _NONE_MAPPED:
        return None
    raise refused(name)


def name_of(text: str) -> str:
    """Return the name of an account with its domain; its SID if it has no name."""
    sid = ctypes.c_void_p()
    if not _advapi32.ConvertStringSidToSidW(text, ctypes.byref(sid)):
        return text
    name, room = ctypes.create_unicode_buffer(256), wintypes.DWORD(256)
    domain, width = ctypes.create_unicode_buffer(256), wintypes.DWORD(256)
    kind = wintypes.DWORD()
    try:
        if not _advapi32.LookupAccountSidW(None, sid, name, room, domain, width, kind):
            return text
    finally:
        _kernel32.LocalFree(sid)
    return f"{domain.value}\\{name.value}" if domain.value else name.value


def text_of(sid: int | None) -> str:
    """Return the text of the SID at this address in memory."""
    text = ctypes.c_void_p()
    if sid is None or not _advapi32.ConvertSidToStringSidW(sid, ctypes.byref(text)):
        raise refused("an account")
    try:
        return ctypes.wstring_at(text.value or 0)
    finally:
        _kernel32.LocalFree(text)
