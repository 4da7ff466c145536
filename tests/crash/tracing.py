"""The real program under strace: which calls change the file system, and what if one goes wrong.

A `Call` is one system call below the machine's root. It is known by its name and by how many calls
of that name the process had made, which is how strace finds it again in the next run.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
STRACE = shutil.which("strace")
WHOLE = 1 << 20  # bytes of a write that are told
SECONDS = 60  # a run that takes longer hangs
CREATES = ("O_CREAT", "O_TRUNC")
CONTENT = ("write", "pwrite64", "writev", "ftruncate", "fallocate")
FLUSHES = ("fsync", "fdatasync")
RENAMES = ("rename", "renameat", "renameat2")
LINKS = ("link", "linkat", "symlink", "symlinkat")
FOLDERS = ("mkdir", "mkdirat")
REMOVALS = ("unlink", "unlinkat", "rmdir")
ACCESS = ("chmod", "fchmod", "fchmodat", "chown", "fchown", "lchown", "fchownat")
MARKS = ("utimensat", "setxattr", "lsetxattr", "fsetxattr", "removexattr", "fremovexattr")
OTHERS = ("copy_file_range", "sendfile")
BY_DESCRIPTOR = (*CONTENT, *MARKS)  # a text in their operands is no name in a folder
STARTS = ("fork", "vfork", "clone", "clone3")  # the program is about to start a command
OPENS = ("open", "openat", "openat2", "creat")
NAMES = (
    *(*CONTENT, *FLUSHES, *RENAMES, *LINKS, *FOLDERS, *REMOVALS, *ACCESS, *MARKS, *OTHERS),
    *(*STARTS, *OPENS),
)
ALL = ",".join(f"?{name}" for name in NAMES)  # the sign: an architecture may lack some of them

LINE = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+)")
# `4</etc/app>, "a"`, `5</etc/app/a>` or `"/etc/app/a"`, with escaped quotes inside the text.
OPERAND = re.compile(
    r'(?:(?:\d+|AT_FDCWD)<([^>]*)>(?:\(deleted\))?)?(?:, )?(?:"((?:[^"\\]|\\.)*)")?'
)
TOKEN = re.compile(r"(imds-bootstrap-)[0-9a-f]{8,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The `count`th call of that `name`: on `path` and, for a rename or a link, from `source`.

    `where` is the path below the root with what is random taken out; `operands` are strace's words.
    `descriptor` is what a call that opens gave; `changes` whether the call has changed anything.
    """

    name: str
    count: int
    path: str
    source: str
    where: str
    operands: str
    descriptor: int
    changes: bool

    def __str__(self) -> str:
        return f"{self.name} #{self.count} on {self.where}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """How a run ended: its exit code (minus a signal's number), and what it said."""

    code: int
    out: str
    err: str

    @property
    def killed(self) -> bool:
        """Whether the tracer ended it."""
        return self.code == -signal.SIGKILL

    @property
    def answer(self):
        """Standard output as the JSON it is."""
        return json.loads(self.out)


class Program:
    """imds-bootstrap, warm, for a machine below `folder`; `close` it at the end."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "zygote.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": "0"},
        )

    def close(self):
        """Let the warm process end."""
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(SECONDS)

    def run(self, *argv) -> CommandResult:
        """One run of its own accord."""
        return self._run(argv, None)

    def trace(self, *argv, root):
        """One run that is only watched: how it ended, and its calls below `root`, in order."""
        log = self.folder / "trace"
        ended = self._run(argv, ["-y", "-s", f"{WHOLE}", "-o", str(log), "-e", f"trace={ALL}"])
        return ended, calls(log.read_text(), str(root))

    def kill(self, call, *argv) -> CommandResult:
        """One run that is killed before that call takes effect."""
        return self._inject(call.name, f"signal=KILL:when={call.count}", argv)

    def fail(self, call, error, *argv, ever_after=False) -> CommandResult:
        """One run in which that call fails so, and if asked for all later ones of its name."""
        more = "+" if ever_after else ""
        return self._inject(call.name, f"error={error}:when={call.count}{more}", argv)

    def die(self, number, *argv) -> CommandResult:
        """One run that kills itself at its `number`th change, if it comes that far."""
        return self._run(argv, None, die=number)

    def _inject(self, name, how, argv):
        log = str(self.folder / "injected")
        return self._run(argv, ["-o", log, "-e", f"trace={name}", "-e", f"inject={name}:{how}"])

    def _run(self, argv, tracer, die=0):
        out, err = self.folder / "out", self.folder / "err"
        request = {"argv": argv, "out": str(out), "err": str(err), "die": die}
        request["stop"] = tracer is not None
        self._process.stdin.write(f"{json.dumps(request)}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the warm program ended: its own words are above")
        child = int(answer)
        if tracer:
            self._follow(child, tracer)
        status = os.waitstatus_to_exitcode(int(self._process.stdout.readline()))
        return CommandResult(code=status, out=out.read_text(), err=err.read_text())

    @staticmethod
    def _follow(child, options):
        command = [STRACE, "-p", str(child), *options]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
            said = tracer.stderr.readline()
            os.kill(child, signal.SIGCONT)
            if "attached" not in said:
                raise RuntimeError(f"strace cannot trace: {said}{tracer.stderr.read()}")
            tracer.stderr.read()
            tracer.wait(SECONDS)


def calls(log, root):
    """The calls below `root` that opened or changed something, and the starts of commands."""
    counts = dict.fromkeys(NAMES, 0)
    found = []
    for line in log.splitlines():
        match = LINE.match(line)
        if not match:
            continue
        name, operands, result = match.groups()
        counts[name] += 1
        paths = [
            path
            for path in _paths(operands, by_descriptor=name in BY_DESCRIPTOR)
            if path.startswith(f"{root}/")
        ]
        if name in STARTS:
            paths = ["a command"]
        elif not paths or result.startswith("-"):
            continue
        found.append(
            Call(
                name=name,
                count=counts[name],
                path=paths[-1],
                source=paths[0] if len(paths) > 1 else "",
                where=TOKEN.sub(r"\1TOKEN", paths[-1].removeprefix(root)),
                operands=operands,
                descriptor=int(result),
                changes=name not in OPENS or any(flag in operands for flag in CREATES),
            )
        )
    return found


def _paths(operands, *, by_descriptor):
    for folder, name in OPERAND.findall(operands):
        if by_descriptor:
            yield folder
        elif name and (name.startswith("/") or not folder):
            yield name
        elif folder:
            yield f"{folder}/{name}" if name else folder


def changing(found):
    """Those of the calls at which it makes a difference to be killed."""
    return [call for call in found if call.changes]
