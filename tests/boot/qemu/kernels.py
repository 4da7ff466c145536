"""A kernel to boot: the distribution's own for cloud machines, and a small initrd that starts it.

Nothing is installed: two packages are downloaded by apt, as this machine's apt is set up, and
unpacked. ext4 is built into that kernel; the virtio drivers are modules, which the initrd loads.
"""

import gzip
import re
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

KERNEL_PACKAGE = "linux-image-cloud-amd64"  # depends on the one that holds the kernel
SHELL_PACKAGE = "busybox-static"

# In the order in which they need each other.
MODULES = (
    "virtio_ring",
    "virtio",
    "virtio_pci_legacy_dev",
    "virtio_pci_modern_dev",
    "virtio_pci",
    "virtio_blk",
    "failover",
    "net_failover",
    "virtio_net",
    "rng-core",
    "virtio-rng",
)

# A disk that allocates late, and commits nothing unasked while a test looks: what the program does
# not flush itself is lost when the power goes.
MOUNT_OPTIONS = "rw,noatime,noauto_da_alloc,commit=300"

INIT = """#!/bin/sh
/bin/busybox mount -t devtmpfs dev /dev
for module in {modules}; do /bin/busybox insmod /modules/$module; done
until [ -b /dev/vda ]; do /bin/busybox usleep 20000; done
/bin/busybox mount -t ext4 -o {options} /dev/vda /root || exec /bin/busybox poweroff -f
/bin/busybox mount --move /dev /root/dev
exec /bin/busybox switch_root /root /lib/systemd/systemd "$@"
"""


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """Two files that QEMU starts without a boot loader."""

    image: Path
    initrd: Path


def prepare_kernel(package: str, folder: Path) -> Kernel:
    """The kernel of a package and its initrd in `folder`, made there if they are not there yet."""
    kernel = Kernel(image=folder / "vmlinuz", initrd=folder / "initrd.gz")
    if not kernel.image.exists():
        subprocess.run(["rm", "-rf", folder], check=True)
        folder.mkdir(parents=True)
        tree = folder / "packages"
        for name in (package, SHELL_PACKAGE):
            _unpack(name, tree)
        kernel.initrd.write_bytes(gzip.compress(_initrd(tree), compresslevel=1, mtime=0))
        [image] = (tree / "boot").glob("vmlinuz-*")
        image.rename(kernel.image)  # the last thing: what is there is whole
        subprocess.run(["rm", "-rf", tree], check=True)
    return kernel


def package_of_the_kernel() -> str:
    """The package that holds the newest kernel that apt knows."""
    shown = _output("apt-cache", "depends", KERNEL_PACKAGE)
    found = re.search(r"^ *Depends: (\S+)", shown, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"apt knows no {KERNEL_PACKAGE}: apt-get update")
    return found[1]


def _unpack(package: str, tree: Path) -> None:
    tree.mkdir(exist_ok=True)
    # apt's own user cannot write where root can.
    _output("apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", package, cwd=tree)
    [archive] = tree.glob(f"{package}_*.deb")
    _output("dpkg-deb", "-x", str(archive), str(tree))
    archive.unlink()


def _output(*command: str, cwd: Path | None = None) -> str:
    ended = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)}: {ended.stderr.strip()}")
    return ended.stdout


def _initrd(tree: Path) -> bytes:
    modules = {}
    for name in MODULES:
        for path in (tree / "lib" / "modules").rglob(f"{name}.ko*"):
            modules[path.name] = path.read_bytes()
    init = INIT.format(modules=" ".join(modules), options=MOUNT_OPTIONS)
    folders = ("bin", "dev", "modules", "root")
    return _archive(
        {
            **dict.fromkeys(folders, (stat.S_IFDIR | 0o755, b"")),
            "bin/busybox": (stat.S_IFREG | 0o755, (tree / "bin" / "busybox").read_bytes()),
            "bin/sh": (stat.S_IFLNK | 0o777, b"busybox"),
            "init": (stat.S_IFREG | 0o755, init.encode()),
            **{f"modules/{name}": (stat.S_IFREG | 0o644, data) for name, data in modules.items()},
        }
    )


def _archive(entries: dict[str, tuple[int, bytes]]) -> bytes:
    """The entries as a cpio archive of the form that the kernel unpacks.

    https://docs.kernel.org/driver-api/early-userspace/buffer-format.html
    """
    made = b""
    for number, (name, (mode, data)) in enumerate([*entries.items(), ("TRAILER!!!", (0, b""))]):
        encoded = name.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
        header = b"070701" + b"".join(f"{field:08x}".encode() for field in fields)
        made += _padded(header + encoded) + _padded(data)
    return made


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
