"""A whole machine in QEMU: firmware that says what it is, a kernel, a disk, and power to be cut.

    with Guest(kernel, layer, network, folder, uuid=UUID) as guest:
        guest.told("systemctl start imds-bootstrap.service")  # a root shell in the machine
        guest.console()                                       # what it wrote to its console
        guest.cut()                                           # the power goes

The processor is emulated, so a boot takes tens of seconds and asks nothing of the host's. QEMU runs
in the outside namespace of a `network.Network`: the guest gets to IMDS through its default gateway,
as on Azure, and to nothing else.
"""

import itertools
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

AZURE_ASSET_TAG = "7783-7084-3265-9085-8269-3286-77"

BOOT_LIMIT = 240  # seconds until the shell answers: ten times what it takes
ASK_LIMIT = 120  # seconds one command in the guest may take
UEFI = Path("/usr/share/ovmf/OVMF.fd")  # the firmware of a Generation 2 VM
TOOLS = ("qemu-system-x86_64", "qemu-img", "mkfs.ext4", "e2fsck", "debugfs", "ip", "setpriv")

END = b"::end\n"  # what the shell writes after the exit code of each command
POLL_INTERVAL = 0.05  # seconds between two looks
NUMBERS = itertools.count()
TRANSCRIPT = []  # of every boot of this process: its name, and its events with their seconds
KERNEL_WORDS = (
    "console=ttyS0 quiet rootfstype=ext4 panic=-1 mitigations=off edd=off tsc=reliable "
    "systemd.show_status=no"
)


def missing_tool():
    """Why no machine can be booted here; empty when one can."""
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        return "the emulated machine is booted on Linux on x86-64"
    if os.geteuid() != 0:
        return "a network namespace and a root folder need root"
    gone = [tool for tool in TOOLS if shutil.which(tool) is None]
    gone += [] if UEFI.exists() else [f"{UEFI} (apt-get install ovmf)"]
    return f"booting a machine needs {', '.join(gone)}" if gone else ""


class Limit(Exception):
    """Something took longer than it ever may; the text holds what was said last."""


class Guest:
    """One boot of a machine, from power on to power off; a context manager.

    `layer` is the disk that it writes; `uuid` and `asset_tag` are what its firmware says; `name` is
    what the boot is called in the transcript, and `firmware` are more words for QEMU.
    """

    def __init__(
        self,
        name,
        kernel,
        layer,
        network,
        folder,
        *,
        uuid,
        asset_tag=AZURE_ASSET_TAG,
        firmware=(),
    ):
        stem = folder / f"boot-{next(NUMBERS)}"
        self._console, self._socket = stem.with_suffix(".console"), stem.with_suffix(".sock")
        self._stderr = stem.with_suffix(".qemu")
        self._began = time.monotonic()
        self._events = []
        TRANSCRIPT.append((name, self._events))
        inside = ["setpriv", "--pdeathsig", "KILL", "ip", "netns", "exec", network.outside]
        command = [
            *(*inside, "qemu-system-x86_64", *_hardware(uuid, asset_tag, layer), *firmware),
            *("-kernel", kernel.image, "-initrd", kernel.initrd, "-append", KERNEL_WORDS),
            *("-serial", f"file:{self._console}"),
            *("-chardev", f"socket,id=shell,path={self._socket},server=on,wait=off"),
            *("-serial", "chardev:shell"),
        ]
        with self._stderr.open("w") as file:
            self._process = subprocess.Popen(
                list(map(str, command)),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        self._shell = None

    def __enter__(self):
        try:
            self._shell = self._connect()
            self._answer(b"ready\n", BOOT_LIMIT)
            self.note("shell")
        except BaseException:
            self.cut()
            raise
        return self

    def __exit__(self, *_):
        if self._shell:
            self._shell.close()
        self.cut()

    def note(self, event):
        """Remember for the transcript what has happened now."""
        self._events.append((event, time.monotonic() - self._began))

    def ask(self, command, *, limit=ASK_LIMIT):
        """Run a line in the machine's root shell: its exit code, and what it wrote."""
        self._shell.sendall(f"{command}\n".encode())
        said = self._answer(END, limit)
        output, _, code = said.removesuffix(END).rpartition(b"\n")
        return int(code), output.decode()

    def told(self, command, *, limit=ASK_LIMIT):
        """What a command wrote that succeeded."""
        code, output = self.ask(command, limit=limit)
        assert code == 0, f"{command} ended with {code}: {output}"
        return output

    def console(self):
        """What the kernel, systemd and its units wrote to the first serial port."""
        if not self._console.exists():
            return ""
        return self._console.read_bytes().decode(errors="replace").replace("\r\n", "\n")

    def cut(self):
        """Cut the power: QEMU is killed, and with it whatever the guest had not yet written."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
            self.note("power cut")

    def power_off(self):
        """Shut the machine down as one should, and wait until it is off."""
        self._shell.sendall(b"systemctl --no-block poweroff\n")
        wait_until(lambda: self._process.poll() is not None, ASK_LIMIT, self._last_words)
        self.note("powered off")

    def _connect(self):
        wait_until(
            lambda: self._socket.exists() or self._process.poll() is not None, 30, self._last_words
        )
        shell = socket.socket(socket.AF_UNIX)
        try:
            shell.connect(str(self._socket))
        except OSError as error:
            shell.close()
            raise RuntimeError(f"QEMU does not run: {self._last_words()}") from error
        return shell

    def _answer(self, end, limit):
        """Everything up to `end`."""
        said, deadline = b"", time.monotonic() + limit
        while not said.endswith(end):
            self._shell.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                some = self._shell.recv(65536)
            except TimeoutError as error:
                words = f"the machine said {said!r} in {limit} s; {self._last_words()}"
                raise Limit(words) from error
            if not some:
                raise RuntimeError(f"the machine went off: {self._last_words()}")
            said += some
        return said

    def _last_words(self):
        with suppress(OSError):
            return f"{self._stderr.read_text()}\n{self.console()[-4000:]}"
        return ""


def _hardware(uuid, asset_tag, layer):
    return (
        *("-accel", "tcg,thread=multi,tb-size=256", "-cpu", "max,la57=off", "-smp", "2"),
        *("-m", "512", "-nodefaults", "-display", "none", "-no-reboot", "-uuid", uuid),
        *("-smbios", "type=1,manufacturer=Microsoft Corporation,product=Virtual Machine"),
        *("-smbios", f"type=3,asset={asset_tag}"),
        # What the guest has written when QEMU is killed is in the layer: nothing else is kept.
        *("-drive", f"file={layer},if=virtio,format=qcow2,cache=unsafe"),
        *("-netdev", "user,id=net,net=10.0.0.0/24,dhcpstart=10.0.0.15"),
        *("-device", "virtio-net-pci,netdev=net,romfile=,id=nic"),
        *("-device", "virtio-rng-pci"),
    )


def wait_until(holds, limit, words):
    """Wait until something holds; when it does not within the limit, `words` say what is."""
    deadline = time.monotonic() + limit
    while not holds():
        if time.monotonic() > deadline:
            raise Limit(f"not within {limit} s: {words()}")
        time.sleep(POLL_INTERVAL)
