"""Hold a file open as Windows programs do, so that nobody can replace it, until told to end."""

import os
import sys

file = open(sys.argv[1], "rb")  # noqa: SIM115
print("held", flush=True)
sys.stdin.read()
os._exit(0)
