"""The file system of a machine as JSON that is plain to read, and made anew from it.

git keeps no owners, no empty folders and only one bit of a mode, and tools that build packages
delete what looks like an editor's backup, as the agent's own temporary files do. So a machine is
one file: each path below its root with kind, `access` (mode, owner and group) and content, the
lines in a list. A file with two names, as the agent gives to some for a moment, says so.
"""

import json
import os
import stat
from pathlib import Path

VERSIONS = sorted(path.parent for path in Path(__file__).parent.glob("*/inputs.json"))
INPUTS = ("/etc/imds-bootstrap", "/etc/passwd", "/etc/group", "/sys")  # the agent reads these
OWN = ("/run", "/var")  # the agent keeps its own files here
TEMPORARY = ".imds-bootstrap-"  # in the name of a staged file, and of the original of a changed one
JOURNAL = "/var/lib/imds-bootstrap/journal.json"
LINK = "/var/lib/imds-bootstrap/instance"
LOCK = "/run/imds-bootstrap/lock"
STATUS = "/run/imds-bootstrap/status.json"


def take(root, *, inputs=False):
    """Return each path below `root`; only the inputs, or everything but them."""
    paths = sorted(path for path in Path(root).rglob("*"))
    names = {f"/{path.relative_to(root)}": path for path in paths}
    tree = {name: _entry(path) for name, path in names.items() if is_input(name) == inputs}
    first = {}  # inode: the first of its names
    for name, entry in tree.items():
        inode = names[name].lstat().st_ino
        if entry["kind"] == "file" and first.setdefault(inode, name) != name:
            tree[name] = {"kind": "second name", "of": first[inode]}
    return tree


def is_input(name):
    """Return whether the agent reads this path and does not write it."""
    return any(name == one or name.startswith(f"{one}/") for one in INPUTS)


def build(tree, root):
    """Make each path of `tree` below `root`, outermost first."""
    for name, entry in sorted(tree.items()):
        path = f"{root}{name}"
        if entry["kind"] == "second name":
            os.link(f"{root}{entry['of']}", path)
            continue
        if entry["kind"] == "link":
            os.symlink(entry["target"], path)
        else:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if entry["kind"] == "folder":
                os.makedirs(path, exist_ok=True)
            else:
                Path(path).write_text("\n".join(entry["lines"]), encoding="utf-8")
        mode, owner = entry["access"].split(" ")
        os.chown(path, *map(int, owner.split(":")), follow_symlinks=False)
        if entry["kind"] != "link":
            os.chmod(path, int(mode, 8))


def targets(tree):
    """Return what is not the agent's own: the files that it configures."""
    return {
        name: entry
        for name, entry in tree.items()
        if not name.startswith(OWN) and TEMPORARY not in name and not is_input(name)
    }


def temporary(tree):
    """Return the staged files and the originals that a run keeps until its end."""
    return [name for name in tree if TEMPORARY in name]


def text(tree, name):
    """Return the content of one file."""
    return "\n".join(tree[name]["lines"])


def state(tree):
    """Return the state of the machine that is the current one."""
    instance = tree[LINK]["target"]
    return json.loads(text(tree, f"/var/lib/imds-bootstrap/{instance}/state.json"))


def write_json(path, value):
    """Write the value in the form in which it is committed."""
    Path(path).write_text(f"{json.dumps(value, indent=1)}\n", encoding="utf-8")


def read_json(path):
    """Read one file of a recorded version."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def _entry(path):
    about = path.lstat()
    owner = f"{about.st_uid}:{about.st_gid}"
    if path.is_symlink():
        return {"kind": "link", "access": f"0777 {owner}", "target": str(path.readlink())}
    access = f"{stat.S_IMODE(about.st_mode):04o} {owner}"
    if path.is_dir():
        return {"kind": "folder", "access": access}
    lines = path.read_text(encoding="utf-8").split("\n")
    return {"kind": "file", "access": access, "lines": lines}
