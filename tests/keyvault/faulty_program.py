"""The program with every library's debug log turned on, and with a fault put into it.

    python faulty_program.py [WORDS...]         # FAULT=module:function, WORTH=a file of secrets

The fault is a RuntimeError whose text, arguments and local variables hold the secrets.
"""

import importlib
import logging
import os
import sys
from pathlib import Path

from bootstrap.cli import main


def put_in(fault, secrets):
    module, _, name = fault.partition(":")
    owner = importlib.import_module(module)
    *path, name = name.split(".")
    for step in path:
        owner = getattr(owner, step)

    def fail(*arguments, **keys):
        known = secrets
        raise RuntimeError(f"at {known}", arguments, keys) from ValueError(known)

    setattr(owner, name, fail)


logging.basicConfig(level=logging.DEBUG)
if fault := os.environ.get("FAULT"):
    put_in(fault, Path(os.environ["WORTH"]).read_text(encoding="utf-8"))
sys.exit(main())
