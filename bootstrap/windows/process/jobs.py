"""A command and all that it starts, held together by a job so that nothing of it is left over.

https://learn.microsoft.com/windows/win32/procthread/job-objects
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101  (nothing imports it elsewhere)

import ctypes
from ctypes import wintypes
from typing import Any

from bootstrap.windows.fs.kernel import refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from subprocess import Popen

CREATE_SUSPENDED = 0x4  # so that it is in the job before it can start anything
CREATE_NEW_PROCESS_GROUP = 0x200  # a Ctrl-C for the agent is none for it
CREATE_NO_WINDOW = 0x08000000
FLAGS = CREATE_SUSPENDED | CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW
KILLED = 1  # the status of what is ended by force

_kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
_ntdll = ctypes.WinDLL("ntdll")
_kernel32.CreateJobObjectW.restype = ctypes.c_void_p
_kernel32.CreateJobObjectW.argtypes = (ctypes.c_void_p, wintypes.LPCWSTR)
_kernel32.AssignProcessToJobObject.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
_kernel32.TerminateJobObject.argtypes = (ctypes.c_void_p, wintypes.UINT)
_kernel32.CloseHandle.argtypes = (ctypes.c_void_p,)
_ntdll.NtResumeProcess.argtypes = (ctypes.c_void_p,)


class Job:
    """The job of one command that was started suspended; it is let run once it is in it."""

    def __init__(self, process: Popen[bytes]) -> None:
        handle: Any = process._handle  # type: ignore[attr-defined]  # noqa: SLF001
        self._job = _kernel32.CreateJobObjectW(None, None)
        if not self._job:
            raise refused("a job")
        if not _kernel32.AssignProcessToJobObject(self._job, int(handle)):
            raise refused("a job")
        _ntdll.NtResumeProcess(int(handle))

    def end(self) -> None:
        """End the command and everything that it started."""
        _kernel32.TerminateJobObject(self._job, KILLED)

    def close(self) -> None:
        """Let go of the job; what still runs in it runs on."""
        _kernel32.CloseHandle(self._job)
