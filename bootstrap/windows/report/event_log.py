"""The Application log of Windows: what a run has to say when nobody sits at its console.

Where the system starts programs by itself (session 0: services, tasks, remote shells) every line is
an event of the source `imds-bootstrap` as well, which the installer registers.
https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-reporteventw
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101  (nothing imports it elsewhere)

import ctypes
import os
from ctypes import wintypes
from functools import cache

SOURCE = "imds-bootstrap"
EVENT = 1  # one message file entry that says its text: of EventCreate.exe, see the installer
ERROR, WARNING, INFORMATION = 1, 2, 4
GRAVEST_WARNING = 4  # syslog(3): below it are errors
LAST_WARNING = 4
LAST_TOLD = 6  # what is finer is for people who ask for it
MAX_TEXT = 31_000  # characters; the service takes 31,839

_advapi32 = ctypes.WinDLL("advapi32")
_kernel32 = ctypes.WinDLL("kernel32")
_kernel32.ProcessIdToSessionId.argtypes = (wintypes.DWORD, ctypes.POINTER(wintypes.DWORD))
_advapi32.RegisterEventSourceW.argtypes = (wintypes.LPCWSTR, wintypes.LPCWSTR)
_advapi32.RegisterEventSourceW.restype = ctypes.c_void_p
_advapi32.ReportEventW.argtypes = (
    *(ctypes.c_void_p, wintypes.WORD, wintypes.WORD, wintypes.DWORD, ctypes.c_void_p),
    *(wintypes.WORD, wintypes.DWORD, ctypes.POINTER(wintypes.LPCWSTR), ctypes.c_void_p),
)


def record(priority: int, text: str) -> None:
    """Tell the Application log a line of that syslog priority; a log that is full stops nobody."""
    if priority > LAST_TOLD or not is_unattended() or not (source := _source()):
        return
    kind = ERROR if priority < GRAVEST_WARNING else INFORMATION
    kind = WARNING if priority == LAST_WARNING else kind
    strings = (wintypes.LPCWSTR * 1)(text[:MAX_TEXT])
    _advapi32.ReportEventW(source, kind, 0, EVENT, None, 1, 0, strings, None)


@cache
def is_unattended() -> bool:
    """Whether this process runs where no person is logged on."""
    session = wintypes.DWORD(1)
    _kernel32.ProcessIdToSessionId(os.getpid(), ctypes.byref(session))
    return session.value == 0


@cache
def _source() -> int | None:
    handle: int | None = _advapi32.RegisterEventSourceW(None, SOURCE)
    return handle
