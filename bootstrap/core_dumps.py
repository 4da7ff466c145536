"""No core dump of this process: its memory holds tokens and secrets, and a dump is a file.

The limit RLIMIT_CORE is not enough, for a core_pattern(5) that is a pipe ignores it, and too much,
for commands and the daemons that they start would inherit it. The kernel's own mark on a process,
PR_SET_DUMPABLE of prctl(2), holds for every pattern, keeps other processes of the same user from
reading its memory, and is gone with execve(2): a check or a handler begins as it always did.
"""

from __future__ import annotations

import sys

PR_SET_DUMPABLE = 4  # linux/prctl.h
NOT_DUMPABLE = 0


def forbid() -> bool:
    """Keep the kernel from dumping this process; False where that cannot be asked for."""
    if sys.platform != "linux":
        return False
    try:
        import ctypes  # 10 ms, paid by a run that asks for a token

        prctl = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):  # a Python or a system without them
        return False
    prctl.argtypes = (ctypes.c_int, *(ctypes.c_ulong,) * 4)
    return bool(prctl(PR_SET_DUMPABLE, NOT_DUMPABLE, 0, 0, 0) == 0)
