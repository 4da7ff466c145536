"""Machines that boot under systemd-nspawn: a disk of layers, and what a boot does to it.

    machine = Machine(folder, root)
    machine.lay({"etc/imds-bootstrap/agent.d/50-here.yaml": "deadline: 5"})
    with machine.boot(network) as running:
        running.wait_until_started()       # systemd's own word, not a guess
        running.execute("systemctl", "is-active", "shopd.service")
    machine.written                        # what that boot left on the disk, exactly

A disk is a root folder, never written, with a layer for each `lay` and each boot on top of it:
the second boot of the same machine sees what the first one wrote, and its own layer holds what
the second one wrote. The container has the whole of systemd, a network of its own (network.py)
and no DMI: what needs firmware, a kernel or a power cut boots in QEMU.
"""

import itertools
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path

AGENT = "imds-bootstrap.service"
BOOTS = []  # what the agent's unit took in each boot of this process, in order
CGROUPS = Path("/sys/fs/cgroup")
NUMBERS = itertools.count(1)
BOOT_LIMIT = 60  # seconds for everything between two ends of a boot; most take one
ENDING = 20  # seconds a machine may take to power off before it is cut
A_LOOK = 0.5  # seconds between two looks at whether the container is still there
JOURNAL = "var/log/journal/"
WIRED = """\
[Match]
Name=eth0
[Network]
Address=10.0.0.4/24
Gateway=10.0.0.1
LinkLocalAddressing=no
IPv6AcceptRA=no
"""


class TooLate(Exception):
    """Something did not happen within the limit of its boot."""


class Machine:
    """One machine with its disk, running or not."""

    def __init__(self, folder, root, *, layers=()):
        """`root` is never written; `layers` are those of the image that this machine is made of."""
        self.folder = Path(folder)
        self.folder.mkdir(parents=True)
        self.layers = [Path(root), *layers]
        self.lay({"etc/systemd/network/10-wired.network": WIRED, "etc/hostname": "machine\n"})

    @property
    def system(self):
        """The Debian it is, as `roots.build` was told."""
        return self.layers[0].name.partition(".")[0]

    def new_layer(self):
        layer = self.folder / f"layer-{len(self.layers):02}"
        layer.mkdir(mode=0o755)
        return layer

    def lay(self, files, *, mode=0o644):
        """Put files on the disk while the machine is off: {path below the root: text}."""
        layer = self.new_layer()
        for name, text in files.items():
            path = layer / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(mode)
        self.layers.append(layer)

    def link(self, links):
        """Put symbolic links on the disk while the machine is off: {path: target}."""
        layer = self.new_layer()
        for name, target in links.items():
            (layer / name).parent.mkdir(parents=True, exist_ok=True)
            (layer / name).symlink_to(target)
        self.layers.append(layer)

    def image(self, folder):
        """Another machine whose disk begins as this one's is now: an image, captured."""
        root, *layers = self.layers
        return Machine(folder, root, layers=layers)

    @contextmanager
    def mounted(self):
        """The disk, mounted on a folder; what is written becomes its newest layer."""
        upper, work, disk = self.new_layer(), self.folder / "work", self.folder / "disk"
        work.mkdir()
        disk.mkdir()
        lower = ":".join(str(layer) for layer in reversed(self.layers))
        options = f"lowerdir={lower},upperdir={upper},workdir={work}"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, disk], check=True)
        try:
            yield disk
        finally:
            subprocess.run(["umount", disk], check=True)
            disk.rmdir()
            shutil.rmtree(work)
            self.layers.append(upper)

    @contextmanager
    def boot(self, network, *, limit=BOOT_LIMIT, options=()):
        """The machine, booting in `network`; powered off at the end, whatever happens."""
        with self.mounted() as disk:
            running = Running(self, disk, network, time.monotonic() + limit, options)
            with running.container():
                try:
                    yield running
                    running.remember(AGENT)
                    running.power_off()
                except BaseException:
                    print(running.said())  # pytest shows it beside the failure
                    raise

    @property
    def written(self):
        """What the last boot or `lay` left on the disk: {path: "file", "link" or "removed"}.

        Without the journal, which grows as long as anything runs at all.
        """
        return {path: kind for path, kind in contents(self.layers[-1]) if JOURNAL not in path}

    def read(self, path):
        """The text of a file as the disk has it now."""
        return self.find(path).read_text()

    def find(self, path):
        """Where a file of the disk lies now; raises FileNotFoundError when the disk has none."""
        for layer in reversed(self.layers):
            found = layer / path
            if found.is_symlink() or found.exists():
                if stat.S_ISCHR(found.lstat().st_mode):
                    break
                return found
        raise FileNotFoundError(path)


def contents(layer):
    """What an overlay's layer holds but folders, each with its kind."""
    for path in sorted(layer.rglob("*")):
        mode = path.lstat().st_mode
        name = str(path.relative_to(layer))
        if stat.S_ISLNK(mode):
            yield name, "link"
        elif stat.S_ISCHR(mode) and path.lstat().st_rdev == 0:
            yield name, "removed"  # an overlay's whiteout
        elif not stat.S_ISDIR(mode):
            yield name, "file"


class Running:
    """A machine while it runs."""

    def __init__(self, machine, disk, network, deadline, options):
        """`deadline`, on the monotonic clock, is when all waiting ends; `options` are nspawn's."""
        self.machine, self.disk, self.network = machine, disk, network
        self.deadline, self.options = deadline, options
        self.process, self.leader = None, None
        self.told = []

    @contextmanager
    def container(self):
        """Start the container; at the end nothing of it is left."""
        name = f"boot-{os.getpid()}-{next(NUMBERS)}"
        address = f"\0{name}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as self.notices:
            self.notices.bind(address)
            with cgroup(name) as joining, self.console.open("ab") as console:
                self.process = subprocess.Popen(
                    [*joining, *self.command(name)],
                    env=environment(NOTIFY_SOCKET="@" + name, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY="1"),
                    stdin=subprocess.DEVNULL,
                    stdout=console,
                    stderr=subprocess.STDOUT,
                )
                try:
                    self.leader = int(self.wait_for_notice("X_NSPAWN_LEADER_PID="))
                    yield
                finally:
                    self.cut()

    def command(self, name):
        return [
            *("systemd-nspawn", "--quiet", "--boot", f"--directory={self.disk}"),
            *(f"--machine={name}", "--register=no", "--keep-unit", "--console=read-only"),
            f"--network-namespace-path=/run/netns/{self.network.inside}",
            "--capability=CAP_NET_ADMIN",  # networkd does not begin without it
            *("--link-journal=no", "--resolv-conf=off", "--timezone=off", "--notify-ready=yes"),
            *self.options,
            "systemd.show_status=no",
        ]

    @property
    def console(self):
        return self.machine.folder / "console.log"

    def left(self):
        """Seconds until the limit; raises TooLate when there are none, or nothing runs any more."""
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise TooLate(f"the machine {self.machine.folder.name} went past its limit")
        if self.process.poll() is not None:
            raise TooLate(f"the machine {self.machine.folder.name} ended by itself")
        return seconds

    def wait_for_notice(self, beginning):
        """Wait until nspawn or the machine's systemd says a line, and give the rest of it."""
        while not (found := [line for line in self.told if line.startswith(beginning)]):
            self.notices.settimeout(min(A_LOOK, self.left()))
            with suppress(TimeoutError):
                self.told += self.notices.recv(8192).decode().splitlines()
        return found[-1].removeprefix(beginning)

    def wait_until_started(self):
        """Wait until systemd has nothing more to start, whether all went well or not."""
        self.wait_for_notice("READY=1")

    def execute(self, *command, check=True, seconds=None):
        """Run a command in the machine, as root, and give what it printed."""
        ended = self.enter(command, seconds or self.left())
        if check and ended.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: {ended.returncode}\n{ended.stderr}")
        return ended.stdout

    def enter(self, command, seconds):
        inside = ["nsenter", f"--target={self.leader}", "--all", "--root", "--wd", *command]
        return subprocess.run(
            inside,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def show(self, unit, *names):
        """Properties of a unit as systemd tells them: {name: text}."""
        wanted = [f"--property={name}" for name in names]
        lines = self.execute("systemctl", "show", *wanted, *filter(None, [unit])).splitlines()
        return dict(line.split("=", 1) for line in lines)

    def moment(self, unit, event):
        """When a unit last did something, such as ActiveEnter: milliseconds since systemd began.

        None when it never did.
        """
        name = f"{event}TimestampMonotonic"
        began = int(self.show("", "UserspaceTimestampMonotonic")["UserspaceTimestampMonotonic"])
        happened = int(self.show(unit, name)[name])
        return (happened - began) / 1000 if happened else None

    def cost(self, unit):
        """What a oneshot took: when it began and ended since systemd did, and CPU, all in ms."""
        told = self.show(unit, "CPUUsageNSec", "ExecMainStatus", "ActiveState", "Result")
        cpu = told["CPUUsageNSec"]
        return {
            "unit": unit,
            "began": self.moment(unit, "ExecMainStart"),
            "ended": self.moment(unit, "ExecMainExit"),
            "cpu": int(cpu) / 1e6 if cpu.isdecimal() else None,
            "status": int(told["ExecMainStatus"]),
            "result": told["Result"],
        }

    def remember(self, unit):
        """Keep the cost of a oneshot that ran, for the table at the end of the tests."""
        cost = self.cost(unit)
        if cost["ended"] is not None:
            BOOTS.append({"machine": self.machine.system, **cost})

    def status(self):
        """What the agent says of its last run."""
        return json.loads(self.execute("cat", "/run/imds-bootstrap/status.json"))

    def journal(self, *matches):
        """The messages of this boot, such as of `-u`, `shopd.service`, in order."""
        options = ("--boot", "--output=cat", "--no-pager", "--quiet")
        return self.execute("journalctl", *options, *matches).splitlines()

    def wait_for_message(self, unit, beginning):
        """Wait until a unit has said a line that begins so, and give the line."""
        while True:
            found = [line for line in self.journal("-u", unit) if line.startswith(beginning)]
            if found:
                return found[-1]
            self.left()

    def wait_until(self, *command):
        """Wait until a command in the machine succeeds; it is asked again, never slept for."""
        while self.enter(command, self.left()).returncode != 0:
            pass

    def said(self):
        """All there is to see of the boot, for whoever reads of a failure."""
        parts = [f"--- console of {self.machine.folder.name}", self.console.read_text()]
        if self.leader:
            journal = ("journalctl", "--boot", "--no-pager", "--output=short-monotonic")
            parts += ["--- journal", self.execute(*journal, check=False, seconds=ENDING)]
        parts += ["--- asked of IMDS", *self.network.requests]
        return "\n".join(parts)

    def power_off(self):
        """Shut the machine down as its owner would, and wait until it is."""
        if self.process.poll() is None:
            self.execute("systemctl", "poweroff", "--no-block", check=False)
        try:
            self.process.wait(ENDING)
        except subprocess.TimeoutExpired as error:
            raise TooLate(f"{self.machine.folder.name} did not power off") from error

    def cut(self):
        """End the machine at once, as when its power goes; without effect on one that is off."""
        if self.process.poll() is None:
            if self.leader:
                os.kill(self.leader, signal.SIGKILL)
            else:
                self.process.kill()
            self.process.wait(ENDING)


def environment(**more):
    """What a machine's commands see: nothing of the tests' own environment."""
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"PATH": path, "LANG": "C.UTF-8", **more}


@contextmanager
def cgroup(name):
    """Control groups of the container's own; gives the words that start a command in them.

    Without them nspawn would leave its groups in the root group.
    """
    hierarchies = [CGROUPS / name for name in ("systemd", "unified") if (CGROUPS / name).is_dir()]
    groups = [hierarchy / name for hierarchy in hierarchies or [CGROUPS]]
    for group in groups:
        group.mkdir()

    joining = [f"echo $$ > {group}/cgroup.procs" for group in groups]
    try:
        yield ["sh", "-c", " && ".join([*joining, 'exec "$@"']), "sh"]
    finally:
        for group in groups:
            remove_group(group)


def remove_group(group):
    """Remove a control group and those below it, as soon as the last process in them is gone."""
    end = time.monotonic() + ENDING
    for folder, _, _ in os.walk(group, topdown=False):
        while True:
            try:
                os.rmdir(folder)
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)
