"""A ban on core dumps of this process: its memory holds tokens and secrets, and a dump is a file.

The limit RLIMIT_CORE is not enough, because a core_pattern(5) that is a pipe ignores it. It is also
too much, because commands and the daemons that they start would inherit it. PR_SET_DUMPABLE of
prctl(2) is a flag of the process. It applies to every pattern, prevents other processes of the same
user from reading its memory, and is reset by execve(2), so checks and handlers do not inherit it.
"""

from __future__ import annotations

import sys

PR_SET_DUMPABLE = 4  # linux/prctl.h
NOT_DUMPABLE = 0


def forbid() -> bool:
    """Prevent core dumps of this process; return False on a system without prctl(2)."""
    if sys.platform != "linux":
        return False
    try:
        import ctypes  # the import takes 10 ms, and only a run that requests a token needs it

        prctl = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):  # a Python or a system without them
        return False
    prctl.argtypes = (ctypes.c_int, *(ctypes.c_ulong,) * 4)
    return bool(prctl(PR_SET_DUMPABLE, NOT_DUMPABLE, 0, 0, 0) == 0)
