"""Run the program, and end this process by force just before the Nth step that changes the disk.

    kill_at.py N WORDS...    N 0 counts the steps and says them

The steps are the calls by which `bootstrap.windows.fs.write` changes anything.
"""

import ctypes
import os
import sys

from bootstrap.cli import main
from bootstrap.windows.fs import kernel

KILLED = 137
STEPS = (
    *((kernel, name) for name in ("create_file", "create_folder", "move")),
    *((os, name) for name in ("fsync", "link", "unlink", "rmdir", "ftruncate")),
)
at, words = int(sys.argv[1]), sys.argv[2:]
met = []


def counted(act, name):
    def step(*arguments, **keywords):
        met.append(name)
        if len(met) == at:
            process = ctypes.windll.kernel32.GetCurrentProcess
            process.restype = ctypes.c_void_p
            ctypes.windll.kernel32.TerminateProcess(ctypes.c_void_p(process()), KILLED)
        return act(*arguments, **keywords)

    return step


for module, name in STEPS:
    setattr(module, name, counted(getattr(module, name), name))
code = main(words)
if not at:
    print("steps", *met)
sys.exit(code)
