"""Disks for QEMU: made of a root folder without a loop device, layered, read after a power cut.

with changed(root, folder) as tree:         # the root folder, and what a test changes in it
    (tree / "etc/hostname").write_text("shop")
    disk = make_disk(tree, folder / "disk.img")
layer = make_layer(disk, folder / "state.qcow2")    # what a machine writes
seen = Examined(layer)                              # as the next boot would find it
"""

import re
import subprocess
from contextlib import contextmanager

SIZE = "900M"  # sparse: a Debian root folder of 300 MB, its journal, and room
LIMIT = 120  # seconds for any of these tools


@contextmanager
def changed(root, folder):
    """`root` with a layer of its own on top of it, to be changed; gone afterwards."""
    top, work, merged = (folder / name for name in ("top", "work", "merged"))
    for made in (top, work, merged):
        made.mkdir(parents=True)
    layers = f"lowerdir={root},upperdir={top},workdir={work}"
    _run("mount", "-t", "overlay", "overlay", "-o", layers, merged)
    try:
        yield merged
    finally:
        _run("umount", merged)


def make_disk(tree, path):
    """A raw ext4 disk with a journal that holds the tree."""
    with path.open("wb"):
        pass
    _run("truncate", "-s", SIZE, path)
    # Checksums: a block of the journal that was written by half is told from a whole one.
    features = "has_journal,metadata_csum"
    _run(
        "mkfs.ext4",
        "-q",
        "-F",
        "-O",
        features,
        "-E",
        "lazy_itable_init=1",
        "-m",
        "0",
        "-d",
        tree,
        path,
    )
    return path


def make_layer(disk, path):
    """A layer that takes what is written; the disk below it stays as it is."""
    _run("qemu-img", "create", "-q", "-f", "qcow2", "-b", disk.resolve(), "-F", "raw", path)
    return path


class Examined:
    """A disk as the next boot finds it: copied, its journal replayed; `check` is fsck's word."""

    def __init__(self, layer):
        self.copy = layer.with_suffix(".raw")
        _run("qemu-img", "convert", "-O", "raw", layer, self.copy)
        # What the kernel does when it mounts, and no more; then nothing may be left to mend.
        _run("e2fsck", "-p", self.copy, fine=(0, 1))
        said = _run("e2fsck", "-f", "-n", self.copy, fine=(0, 4))
        self.check = "clean" if "WARNING" not in said else said

    def names(self, folder):
        """The names in a folder, without its own and its parent's."""
        listed = _run("debugfs", "-R", f"ls -p {folder}", self.copy)
        found = re.findall(r"^/\d+/\d+/\d+/\d+/([^/]+)/", listed, re.MULTILINE)
        return sorted(set(found) - {".", ".."})

    def read(self, path):
        """A file's text."""
        return _run("debugfs", "-R", f"cat {path}", self.copy)

    def close(self):
        """Remove the copy."""
        self.copy.unlink()


def _run(*command, fine=(0,)):
    ended = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=LIMIT, check=False
    )
    if ended.returncode not in fine:
        words = " ".join(map(str, command))
        said = (ended.stderr + ended.stdout).strip()
        raise RuntimeError(f"{words} ended with {ended.returncode}: {said}")
    return ended.stdout
