"""Hold the lock of a run until told to end."""

import os
import sys

from bootstrap.layout import ROOT
from bootstrap.state.lock import Lock

with Lock(root=ROOT):
    print("held", flush=True)
    sys.stdin.read()
    os._exit(0)
