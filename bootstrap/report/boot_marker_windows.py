"""Whether a run of this boot has left a status: Windows empties no folder when it starts.

A volatile key of the registry is gone after the boot that created it. So there is a status of this
boot if the key exists. https://learn.microsoft.com/windows/win32/sysinfo/registry-hives
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101  (nothing imports it elsewhere)

import ctypes
import winreg
from ctypes import wintypes

KEY = r"SOFTWARE\imds-bootstrap\ThisBoot"
VOLATILE = 1
QUERY_LIMITED = 0x1000
STILL_ACTIVE = 259
ERROR_ACCESS_DENIED = 5

_advapi32 = ctypes.WinDLL("advapi32")
_kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
_kernel32.OpenProcess.argtypes = (wintypes.DWORD, wintypes.BOOL, wintypes.DWORD)
_kernel32.OpenProcess.restype = ctypes.c_void_p
_kernel32.GetExitCodeProcess.argtypes = (ctypes.c_void_p, ctypes.POINTER(wintypes.DWORD))
_kernel32.CloseHandle.argtypes = (ctypes.c_void_p,)
_advapi32.RegCreateKeyExW.argtypes = (
    *(ctypes.c_void_p, wintypes.LPCWSTR, wintypes.DWORD, wintypes.LPCWSTR, wintypes.DWORD),
    *(wintypes.DWORD, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p),
)
_advapi32.RegCloseKey.argtypes = (ctypes.c_void_p,)


def begin() -> None:
    """Create the key: there is a status of this boot."""
    key = ctypes.c_void_p()
    hive, rights = winreg.HKEY_LOCAL_MACHINE, winreg.KEY_WRITE
    code = _advapi32.RegCreateKeyExW(hive, KEY, 0, None, VOLATILE, rights, None, key, None)
    if code:
        raise ctypes.WinError(code)
    _advapi32.RegCloseKey(key)


def has_begun() -> bool:
    """Return whether a run of this boot has left a status."""
    try:
        winreg.CloseKey(winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, KEY))
    except FileNotFoundError:
        return False
    return True


def is_there(pid: int) -> bool:
    """Return whether the process runs; True if access to it is denied."""
    process = _kernel32.OpenProcess(QUERY_LIMITED, False, pid)
    if not process:
        return ctypes.get_last_error() == ERROR_ACCESS_DENIED
    try:
        code = wintypes.DWORD()
        _kernel32.GetExitCodeProcess(process, ctypes.byref(code))
        return code.value == STILL_ACTIVE
    finally:
        _kernel32.CloseHandle(process)
