"""What the machine's SELinux policy says: how a file shall be labelled that has this path.

A file that is made under one name and published under another has the label of the first: the
kernel labels by folder and by the name at birth. So the policy is asked for the final path, as
restorecon(8) asks it.
"""

from __future__ import annotations

import os
import stat

ENABLED = "/sys/fs/selinux/enforce"  # there only while SELinux is in force: selinux(8)
LIBRARY = "libselinux.so.1"
BY_FILE = 0  # SELABEL_CTX_FILE of selinux/label.h
OPTION_PATH = 3  # SELABEL_OPT_PATH: another file_contexts than the policy's


class Policy:
    """The policy that is in force on this machine; below another root there is none.

    `enabled` is the file by whose presence SELinux shows, `contexts` a file_contexts(5) in the
    place of the policy's own.
    """

    def __init__(self, root: str = "/", *, enabled: str = ENABLED, contexts: str = "") -> None:
        self._enabled = root == "/" and os.path.exists(enabled)
        self._contexts = contexts
        self._labels: _Labels | None = None

    def label(self, path: str) -> bytes:
        """The label of a regular file with that path; empty where the policy says nothing."""
        if not self._enabled:
            return b""
        if self._labels is None:
            self._labels = _Labels(self._contexts)
        return self._labels.of(path)


class _Labels:
    """The library that reads the policy's file_contexts, if it is there: selabel_lookup(3)."""

    def __init__(self, contexts: str) -> None:
        import ctypes  # 10 ms, paid where SELinux is on and a file may have to change

        self._handle = None
        try:
            library = ctypes.CDLL(LIBRARY, use_errno=True)
        except OSError:
            return  # SELinux without its library: nothing on this machine labels by path
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
        import ctypes

        if not self._handle:
            return b""
        found = ctypes.c_char_p()
        words = (self._handle, ctypes.byref(found), os.fsencode(path), stat.S_IFREG)
        if self._library.selabel_lookup_raw(*words) or not found.value:
            return b""  # the policy has no word for it, or `<<none>>`
        label = found.value + b"\0"
        self._library.freecon(found)
        return label


def _options(contexts: str) -> object:
    import ctypes

    class Option(ctypes.Structure):
        """`struct selinux_opt` of selinux/selinux.h."""

        _fields_ = (("type", ctypes.c_int), ("value", ctypes.c_char_p))

    return (Option * 1)(Option(OPTION_PATH, os.fsencode(contexts)))
