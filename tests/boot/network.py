"""A network with nothing but one machine and its IMDS: two namespaces, and no way out of either.

    with Network(folder, {"name": "shop-01", "tags": {"environment": "prod"}}) as network:
        ...                                # boot something in `network.inside`
        network.describe(tags={})          # the platform changes its mind
        network.requests                   # what IMDS was asked, and what it answered

`outside` is the platform's side: 169.254.169.254 is an address of its own loopback device, where
the emulator answers on port 80, and vaults on port 443 if the machine file has any. `inside` holds
one end of a cable, eth0; the other end is outside, as 10.0.0.1. What can be late or missing is the
cable (`linked`, `link`) and the emulator (`served`, `serve`, `fall_silent`). A QEMU that brings a
network of its own can be run in `outside` itself.
"""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

IMDS = "169.254.169.254"
WIRE_SERVER = "168.63.129.16"  # where cloud-init's own Azure code looks for the platform
NUMBERS = itertools.count(1)
ENDING = 20  # seconds the emulator may take to go


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


class Network:
    """The cable and the platform of one machine; leaving it ends the emulator and both sides."""

    def __init__(self, folder, described=None, *, linked=True, served=True):
        """`described` is the emulator's machine file, as a mapping; `folder` is for its files."""
        self.folder = Path(folder)
        name = f"boot-{os.getpid()}-{next(NUMBERS)}"
        self.inside, self.outside = f"{name}-in", f"{name}-out"
        self.described = {"name": "shop-01", **(described or {})}
        self.linked, self.served = linked, served
        self.emulator = None
        self.ca_file = None

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log.touch()
        self.describe()
        try:
            self.lay_cable()
            if self.linked:
                self.link()
            if self.served:
                self.serve()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.fall_silent()
        for name in (self.inside, self.outside):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)

    def lay_cable(self):
        ip("netns", "add", self.inside)
        ip("netns", "add", self.outside)
        cable = ("type", "veth", "peer", "name", "eth0", "netns", self.outside)
        ip("link", "add", "eth0", "netns", self.inside, *cable)
        ip("-n", self.inside, "link", "set", "lo", "up")
        ip("-n", self.outside, "link", "set", "lo", "up")
        ip("-n", self.outside, "address", "add", f"{IMDS}/32", "dev", "lo")
        ip("-n", self.outside, "address", "add", f"{WIRE_SERVER}/32", "dev", "lo")
        ip("-n", self.outside, "address", "add", "10.0.0.1/24", "dev", "eth0")

    def link(self):
        """Plug the cable in; before that the machine sees a device without a carrier."""
        ip("-n", self.outside, "link", "set", "eth0", "up")

    def describe(self, **changes):
        """Change what the platform says of the machine; it is said from the next request on."""
        self.described |= changes
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(self.described))  # which is YAML
        new.rename(self.file)

    def serve(self):
        """Have the emulator answer."""
        command = ["ip", "netns", "exec", self.outside, sys.executable, "-m", "bootstrap"]
        command += ["emulate", self.file, "--listen", f"{IMDS}:80", "--vaults-port", "443"]
        with self.log.open("a") as log:
            self.emulator = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True
            )
        said = [self.emulator.stdout.readline() for _ in range(3 if self.has_vaults else 1)]
        if not all(said):
            self.fall_silent()
            raise RuntimeError(f"the emulator did not begin:\n{self.log.read_text()}")
        if self.has_vaults:
            self.ca_file = Path(said[2].strip())

    def fall_silent(self):
        """End the emulator: connections are refused from now on."""
        if self.emulator:
            self.emulator.terminate()
            self.emulator.wait(ENDING)
            self.emulator.stdout.close()
            self.emulator = None

    @property
    def file(self):
        return self.folder / "machine.yaml"

    @property
    def log(self):
        return self.folder / "emulator.log"

    @property
    def has_vaults(self):
        return "vaults" in self.described

    @property
    def requests(self):
        """A line for each request so far: `GET /metadata/instance?… 503 fault=…`."""
        return [line for line in self.log.read_text().splitlines() if line.startswith("GET ")]

    @property
    def answers(self):
        """The status of each answer so far, None where none was given."""
        words = (line.split()[2] for line in self.requests)
        return [None if word == "-" else int(word) for word in words]
