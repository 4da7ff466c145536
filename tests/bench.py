"""What a boot costs: CPU time against a bare interpreter's start, and the modules it loads.

    make bench                      # or: python tests/bench.py [--rounds N] [--modules]

Every command runs as its own process, against the emulator in another one on loopback. Its time
is what the system counted for it and for the checks and handlers that it started (user + system),
so waiting costs nothing and another busy process costs little. Each round runs every command once,
so that a machine that slows down slows them all; the minimum is the figure to go by, for noise
only ever adds. Uses the standard library and the installed program, nothing else.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

IMAGE = Path(__file__).parents[1] / "templates" / "image"
SCRIPT = Path(sys.executable).with_name("imds-bootstrap")
PROGRAM = [sys.executable, *([str(SCRIPT)] if SCRIPT.exists() else ["-m", "bootstrap"])]
BARE = [sys.executable, "-c", "pass"]
ROUNDS = 15

MACHINE = """\
name: shop-01
rate: 0
tags: {environment: test, "config:web.port": "8080", Role: web}
userData: |
  #imds-bootstrap
  version: 1
  values:
    web: {server_name: shop.contoso.com}
    app: {api_key: bench-key-5f0c}
"""

# The sample image asks nginx, shopd and systemd; here something that costs nothing answers.
LAPTOP = """\
#imds-bootstrap
version: 1
files:
  - {path: /etc/nginx/conf.d/shop.conf, check: ["true"]}
  - {path: /etc/shop/shop.toml, check: ["true"]}
handlers: {reload-units: ["true"], shopd: ["true"], nginx: ["true"]}
"""


@dataclass(frozen=True)
class Case:
    """One command: its words, what it must print to count, and how many bare starts it may take."""

    name: str
    words: tuple[str, ...]
    prints: str
    goal: int | None = None


# In the order in which a machine lives: each begins with what the one before it left.
CASES = (
    Case("first run of 5 files", ("run",), "configured: 5 files changed", goal=20),
    Case("unchanged run", ("run",), "unchanged: 0 files changed", goal=6),
    Case("status", ("status",), "status: unchanged", goal=3),
    Case("get tags.Environment", ("get", "tags.Environment"), "test\n"),
    Case("plan", ("plan",), "plan: 0 files would change"),
)

# What the modules are worth knowing by: the libraries, and the costly parts of the standard one.
NOTABLE = (
    *("yaml", "jinja2", "jsonschema", "requests"),
    *("typing", "logging", "subprocess", "http.client", "ssl", "tempfile", "pathlib", "inspect"),
    *("dataclasses", "enum", "re", "argparse", "json", "socket", "hashlib"),
)


class Machine:
    """A machine below `folder`, new in each round, and the emulator that answers it."""

    def __init__(self, folder, endpoint):
        self.folder = folder
        self.root = folder / "root"
        self.environment = _environment() | {"IMDS_BOOTSTRAP_IMDS_ENDPOINT": endpoint}

    def renew(self):
        """Make the machine one that has never been started."""
        shutil.rmtree(self.root, ignore_errors=True)
        target = self.root / "etc/imds-bootstrap"
        shutil.copytree(IMAGE, target)
        (target / "config.d/90-laptop.yaml").write_text(LAPTOP)

    def run(self, case, *options):
        """Run the command of a case with options of the interpreter; gives its standard error."""
        command = [PROGRAM[0], *options, *PROGRAM[1:], "--root", str(self.root), *case.words]
        ended = self._run(command)
        if ended.returncode or not ended.stdout.startswith(case.prints):
            sys.exit(f"{' '.join(command)}\nended with {ended.returncode}:\n{ended.stderr}")
        return ended.stderr

    def run_bare(self, *options):
        """Start the interpreter for nothing; gives its standard error."""
        return self._run([BARE[0], *options, *BARE[1:]]).stderr

    def _run(self, command):
        # From a folder without a package that `-m bootstrap` would take for the installed one.
        return subprocess.run(
            command,
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )


def _environment():
    """The environment without what makes an interpreter, or the agent, other than usual."""
    unusual = (
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONUNBUFFERED",
        "PYTHONDEVMODE",
        "PYTHONPROFILEIMPORTTIME",
    )
    return {
        name: value
        for name, value in os.environ.items()
        if name not in unusual and not name.startswith("IMDS_BOOTSTRAP_")
    }


@contextmanager
def machine():
    """A machine in a folder of its own, for as long as the `with` statement lasts."""
    with tempfile.TemporaryDirectory() as folder, _emulator(Path(folder)) as endpoint:
        found = Machine(Path(folder), endpoint)
        found.renew()
        for case in CASES:  # compiles every module once, so that no round pays for it
            found.run(case)
        yield found


@contextmanager
def _emulator(folder):
    described = folder / "machine.yaml"
    described.write_text(MACHINE)
    with subprocess.Popen(
        [*PROGRAM, "emulate", str(described), "--listen", "127.0.0.1:0"],
        env=_environment(),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as emulator:
        try:
            yield emulator.stdout.readline().strip() or sys.exit("the emulator did not start")
        finally:
            emulator.terminate()


def seconds_of(action):
    """CPU seconds of the processes that `action` starts and waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    action()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(found, rounds):
    """The CPU seconds of a bare start, under the name "", and of each case, round by round."""
    times = {name: [] for name in ("", *(case.name for case in CASES))}
    for _ in range(rounds):
        found.renew()
        times[""].append(seconds_of(found.run_bare))
        for case in CASES:
            times[case.name].append(seconds_of(lambda case=case: found.run(case)))
    return times


def modules(found):
    """The modules that each case loads and a bare interpreter does not, in order of loading."""
    known = set(_imported(found.run_bare("-X", "importtime")))
    found.renew()
    return {
        case.name: [
            name for name in _imported(found.run(case, "-X", "importtime")) if name not in known
        ]
        for case in CASES
    }


def _imported(trace):
    """The names in what `-X importtime` says: `import time:   123 |    456 |   json.decoder`."""
    lines = (line.split("|") for line in trace.splitlines() if line.startswith("import time:"))
    return dict.fromkeys(
        name.strip() for *_, cumulated, name in lines if cumulated.strip().isdigit()
    )


def report_times(times):
    """Print a line for each case, against its goal."""
    bare = min(times[""])
    print(f"{'CPU time, ms':22}{'minimum':>9}{'median':>9}{'ratio':>8}{'goal':>7}")
    print(_line("bare interpreter", times[""], bare))
    for case in CASES:
        line = _line(case.name, times[case.name], bare)
        if case.goal:
            met = min(times[case.name]) <= case.goal * bare
            line += f"{case.goal:6}x  {'pass' if met else 'MISS'}"
        print(line)


def _line(name, taken, bare):
    least = min(taken)
    return f"{name:22}{least * 1000:9.1f}{median(taken) * 1000:9.1f}{least / bare:7.1f}x"


def report_modules(loaded):
    """Print how many modules each case loads, and which of the costly ones."""
    print(f"\n{'modules loaded':22}{'all':>9}{'ours':>9}  the costly ones")
    for name, names in loaded.items():
        ours = sum(one.partition(".")[0] == "bootstrap" for one in names)
        costly = " ".join(one for one in NOTABLE if one in names)
        print(f"{name:22}{len(names):9}{ours:9}  {costly}")


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What a boot costs.")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="default: %(default)s")
    parser.add_argument(
        "--modules", action="store_true", help="print the modules of each command as JSON, no times"
    )
    options = parser.parse_args()
    with machine() as found:
        if options.modules:
            print(json.dumps(modules(found), indent=1))
            return
        version = sys.version.partition(" ")[0]
        print(f"Python {version}, {options.rounds} rounds, {PROGRAM[-1]}\n", flush=True)
        report_times(measure(found, options.rounds))
        report_modules(modules(found))


if __name__ == "__main__":
    main()
