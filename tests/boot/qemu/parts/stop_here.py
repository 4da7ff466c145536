"""Runs the program and holds it at an instant that the test names, so that the power can be cut.

/run/stop-at holds two words: an event as audit hooks name it, and a pattern for the name of the
file. Where both match, whoever reads the pipe is told, and nothing happens any more. With a third
word, "flushed", everything that was written by then is on the disk: the kernel may flush whenever
it likes.
"""

import os
import runpy
import signal
import sys
from fnmatch import fnmatch

PROGRAM = "/usr/bin/imds-bootstrap"
ORDER = "/run/stop-at"
PIPE = "/run/imds-bootstrap/stopped"

with open(ORDER) as file:
    event, pattern, *flushed = file.read().split()


def hold(name, arguments):
    if name == event and any(fnmatch(str(one), pattern) for one in arguments[:2]):
        if flushed:
            os.sync()
        with open(PIPE, "w") as pipe:
            pipe.write("stopped\n")
        while True:
            signal.pause()


sys.argv = [PROGRAM, "run"]
sys.addaudithook(hold)
runpy.run_path(PROGRAM, run_name="__main__")
