"""A warm copy of the program that forks for each run, so that a crash point costs no imports.

Each line of standard input asks for one run, for example
`{"argv": ["run"], "out": path, "err": path, "stop": true, "die": 0}`. The child is the program's
own `main` in a process of its own. With `stop` it waits for SIGCONT, so that a tracer sees every
call it makes; with `die: 3` it kills itself before its third change of the file system, which needs
no tracer. Two lines answer: the child's process id as soon as it is there, and its wait status once
it has ended. Nothing of the program is replaced.
"""

import ctypes
import importlib
import json
import os
import pkgutil
import signal
import sys

import bootstrap
from bootstrap.cli import main

PR_SET_PTRACER = 0x59616D61  # prctl(2): where Yama is on, only a parent may trace, unless told so
ANYBODY = ctypes.c_ulong(-1)
# docs.python.org/3/library/audit_events.html
CHANGES = ("os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
LAZY = ("jinja2.ext", "jinja2.sandbox", "jsonschema", "subprocess", "yaml", "shutil", "traceback")


def warm_up():
    """Import what a run would import on its way; the modules of Windows load nowhere else."""
    elsewhere = ("_windows", "bootstrap.__main__")
    for module in pkgutil.walk_packages(bootstrap.__path__, "bootstrap."):
        if not module.name.endswith(elsewhere):
            importlib.import_module(module.name)
    for name in LAZY:
        importlib.import_module(name)


def die_at(number):
    """Kill this process before its `number`th change of the file system."""
    seen = 0

    def count(event, arguments):
        nonlocal seen
        if event in CHANGES or (event == "open" and arguments[2] & WRITING):
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


def become_the_program(request):
    for descriptor, path in ((1, request["out"]), (2, request["err"])):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, descriptor)
        os.close(file)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    if request["stop"]:
        ctypes.CDLL(None).prctl(PR_SET_PTRACER, ANYBODY, 0, 0, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
    if request["die"]:
        die_at(request["die"])
    code = main(request["argv"])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def serve():
    with os.fdopen(os.dup(1), "w", buffering=1) as answers:
        for line in sys.stdin:
            request = json.loads(line)
            child = os.fork()
            if not child:
                become_the_program(request)
            if request["stop"]:
                os.waitpid(child, os.WUNTRACED)
            answers.write(f"{child}\n")
            answers.write(f"{os.waitpid(child, 0)[1]}\n")


if __name__ == "__main__":
    warm_up()
    serve()
