"""The label that the machine's SELinux policy gives to a file of a path.

The kernel labels a new file by its folder and by the name that it is created with. A staged file
would keep that label when it is renamed. So the policy is asked for the label of the final path, as
restorecon(8) does it.
"""

from __future__ import annotations

import os
import stat

ENABLED = "/sys/fs/selinux/enforce"  # exists only while SELinux is enabled: selinux(8)
LIBRARY = "libselinux.so.1"
BY_FILE = 0  # SELABEL_CTX_FILE of selinux/label.h
OPTION_PATH = 3  # SELABEL_OPT_PATH: a file_contexts other than the policy's


class Policy:
    """The policy of this machine; a tree below another root has none.

    `enabled` is the file that exists if SELinux is enabled. `contexts` is a file_contexts(5) to
    use instead of the policy's own.
    """

    def __init__(self, root: str = "/", *, enabled: str = ENABLED, contexts: str = "") -> None:
        self._enabled = root == "/" and os.path.exists(enabled)
        self._contexts = contexts
        self._labels: _Labels | None = None

    def label(self, path: str) -> bytes:
        """Return the label of a regular file with that path; empty if the policy has none."""
        if not self._enabled:
            return b""
        if self._labels is None:
            self._labels = _Labels(self._contexts)
        return self._labels.of(path)


class _Labels:
    """The library that reads the policy's file_contexts, if it is there: selabel_lookup(3)."""

    def __init__(self, contexts: str) -> None:
        import ctypes  # 10 ms, only where SELinux is enabled and a file may change

        self._handle = None
        try:
            library = ctypes.CDLL(LIBRARY, use_errno=True)
        except OSError:
            return  # without the library no program of this machine labels by path
        library.selabel_open.restype = ctypes.c_void_p
        library.selabel_open.argtypes = (ctypes.c_uint, ctypes.c_void_p, ctypes.c_uint)
        library.selabel_lookup_raw.argtypes = (
            *(ctypes.c_void_p, ctypes.POINTER(ctypes.c_char_p)),
            *(ctypes.c_char_p, ctypes.c_int),
        )
        library.freecon.argtypes = (ctypes.c_char_p,)
        self._library = library
        options = _options(contexts) if contexts else None
        self._handle = library.selabel_open(BY_FILE, options, 1 if contexts else 0)

    def of(self, path: str) -> bytes:
        """Return the label of a regular file with that path; empty if the policy has none."""
        import ctypes

        if not self._handle:
            return b""
        context = ctypes.c_char_p()
        arguments = (self._handle, ctypes.byref(context), os.fsencode(path), stat.S_IFREG)
        if self._library.selabel_lookup_raw(*arguments) or not context.value:
            return b""  # the policy has no entry for the path, or `<<none>>`
        label = context.value + b"\0"
        self._library.freecon(context)
        return label


def _options(contexts: str) -> object:
    """Return the options of selabel_open(3) that name a file_contexts."""
    import ctypes

    class Option(ctypes.Structure):
        """`struct selinux_opt` of selinux/selinux.h."""

        _fields_ = (("type", ctypes.c_int), ("value", ctypes.c_char_p))

    return (Option * 1)(Option(OPTION_PATH, os.fsencode(contexts)))
