"""A machine that has everything to lose: one file for each kind of change, and who hears of it.

`Machine` lies at one path for its whole life and is put back to its first state for each point:
a document that names that path then never differs. What it is expected to be is not computed but
seen: the tree that an undisturbed run leaves is the tree that every disturbed one has to reach.
"""

import json
import os
import re
import shutil
import stat
import subprocess
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

MARK = "imds-bootstrap-"
NOTE = "user.note"
VM = "02aab8a4-74ef-476e-8182-f6d2ba4166a6"
INSTANCE = {
    "compute": {
        "vmId": VM,
        "name": "shop-01",
        "location": "westeurope",
        "azEnvironment": "AzurePublicCloud",
        "tagsList": [],
        "userData": "",
    },
    "network": {"interface": []},
}
OWN = ("/run/", "/var/lib/imds-bootstrap/")  # what lies here is the agent's, and no target
TOKEN = re.compile(r"\b[0-9a-f]{12}\b")  # a name part that nothing else in a folder has
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.-]+Z?")
LONG = "a line of the first content, which is the longer one\n"


@dataclass(frozen=True, slots=True)
class Entry:
    """One name below the root: `data` is a file's content, or where a link points.

    `note` is an extended attribute of a file, empty when it has none.
    """

    kind: str
    mode: int
    data: bytes = b""
    note: bytes = b""

    def __repr__(self):
        return f"{self.kind} {self.mode:04o} {self.data[:60]!r} {self.note!r}"


# Path: what the first and the second document say of it (None: it is not named).
FILES = {
    "/etc/app/alike": ("content: alike, mode: '0644'", "content: alike, mode: '0644'"),
    "/etc/app/changed.conf": (
        "content: first, mode: '0644', notify: [app]",
        "content: second, mode: '0640', notify: [app], check: [grep, -q, second, '{path}']",
    ),
    "/etc/app/mode-only": (
        "content: same, mode: '0644', notify: [never]",
        "content: same, mode: '0600', notify: [never]",
    ),
    "/etc/app/noted": (
        "content: same, mode: '0644', notify: [never]",
        "content: same, mode: '0644', notify: [never]",
    ),
    "/etc/app/wider": (
        "content: first, mode: '0600'",
        "content: second, mode: '0644'",
    ),
    "/etc/app/gone": ("content: first, mode: '0644'", None),
    "/etc/app/backed-up": (
        "content: first, mode: '0644', backup: true",
        "content: second, mode: '0644', backup: true",
    ),
    "/etc/app/in-place": (
        f"content: '{LONG}', mode: '0644', in_place: true",
        "content: second, mode: '0640', in_place: true, notify: [in_place]",
    ),
    "/etc/app/link": (None, "content: second, mode: '0644', symlink: replace"),
    "/etc/new/deep/file": (None, "content: second, mode: '0600', notify: [new]"),
    "/opt/app/other": (
        "content: first, mode: '0644', notify: [app]",
        "content: second, mode: '0644', notify: [app], check: [grep, -q, second, OTHER]",
    ),
}
CHECKS = sum("check:" in (says or "") for _, says in FILES.values())
IN_PLACE = "/etc/app/in-place"
NOTED = "/etc/app/noted"
# Handler: the files it reads. One that is named for a change of mode or of a note must never run.
HANDLERS = {
    "app": ("/etc/app/changed.conf", "/opt/app/other"),
    "never": ("/etc/app/mode-only", "/etc/app/noted"),
    "in_place": (IN_PLACE,),
    "new": ("/etc/new/deep/file",),
}
END = "--- end of one run of the handler\n"


class Machine:
    """The machine below `folder`, before its second configuration."""

    def __init__(self, folder, program):
        self.folder = Path(folder) / "machine"
        self.root = self.folder / "root"
        self.log = self.folder / "log"
        self.fails = self.folder / "handlers-refuse-what-is-new"  # while it is there
        self.program = program
        self._first = Path(folder) / "first"
        self._configure_first()
        self._targets = [*FILES]
        self.before = self.targets()

    def run_argv(self, verb="run"):
        """The arguments of a run on this machine."""
        saved = str(self.folder / "instance.json")
        return ("--format", "json", "--root", str(self.root), verb, "--offline", saved)

    def run(self):
        """One run of its own accord."""
        return self.program.run(*self.run_argv())

    def plan(self):
        """What a run would do, by the program's own word."""
        return self.program.run(*self.run_argv("plan"))

    def _configure_first(self):
        self.log.mkdir(parents=True)
        (self.folder / "instance.json").write_text(json.dumps(INSTANCE))
        image = self.root / "etc/imds-bootstrap"
        (image / "config.d").mkdir(parents=True)
        (image / "agent.yaml").write_text("prune: true\n")
        (self.root / "etc/app").mkdir()
        (self.root / "etc/app/link").symlink_to("alike")
        noted = self.root / NOTED.lstrip("/")
        noted.write_text("first")
        write_note(noted, b"as it was left")
        self.write_document(0)
        ended = self.run()
        assert ended.code == 0, ended.err
        for log in self.log.iterdir():
            log.unlink()
        write_note(noted, b"somebody else's")
        self.write_document(1)
        self.save(self._first)

    def write_document(self, which):
        """Let the image ask for the first files (0) or for the second ones (1)."""
        lines = ["version: 1", "files:"]
        lines += [
            f"  - {{path: {path}, {says[which]}}}".replace("OTHER", f"{self.root}/opt/app/other")
            for path, says in FILES.items()
            if says[which]
        ]
        lines += ["handlers:"]
        for name, paths in HANDLERS.items():
            read = " ".join(f"{self.root}{path}" for path in paths)
            fails = f"[ ! -e {self.fails} ] || ! grep -q second {read}"
            script = (
                f"(cat {read} 2>/dev/null; echo '{END.strip()}') >>{self.log}/{name} && ({fails})"
            )
            lines += [f"  {name}: [sh, -c, {json.dumps(script)}]"]
        document = self.root / "etc/imds-bootstrap/config.d/10-app.yaml"
        document.write_text("\n".join(lines) + "\n")

    def save(self, where):
        """Keep the machine as it now is, hard links and times included."""
        shutil.rmtree(where, ignore_errors=True)
        subprocess.run(["cp", "-a", self.folder, where], check=True)

    def restore(self, where=None):
        """Put the machine back to its first state, or to one that was saved."""
        shutil.rmtree(self.folder)
        subprocess.run(["cp", "-a", where or self._first, self.folder], check=True)

    def targets(self):
        """What stands at each target, by path; a path at which nothing stands is left out."""
        tree = lstat(self.root)
        return {path: tree[path] for path in self._targets if path in tree}

    def tree(self):
        """Everything below the root, the agent's own files without what differs in each run."""
        return {
            path: replace(entry, data=_told(path, entry.data))
            for path, entry in lstat(self.root).items()
        }

    def digest(self):
        """The machine as the next run will find it, with what is random taken out."""
        tree = {
            TOKEN.sub("TOKEN", path): (
                entry.kind,
                entry.mode,
                TOKEN.sub("TOKEN", TIME.sub("TIME", entry.data.decode())),
                entry.note.decode(),
            )
            for path, entry in lstat(self.root).items()
            if not path.startswith("/run/")
        }
        return json.dumps([sorted(tree.items()), self.heard()])

    def heard(self):
        """What each handler has read, run by run."""
        return {log.name: log.read_text().split(END)[:-1] for log in sorted(self.log.iterdir())}

    def stamps(self):
        """When everything outside /run was last written, to see that nothing was."""
        found = {}
        for top in (self.root, self.log):
            for path in [top, *top.rglob("*")]:
                name = f"/{path.relative_to(self.root)}" if top == self.root else path.name
                if not f"{name}/".startswith("/run/"):
                    status = path.lstat()
                    found[name] = (status.st_mtime_ns, status.st_mode, status.st_size)
        return found


def write_note(path, note):
    """Attach a note to a file, where its file system knows such things."""
    with suppress(OSError):
        os.setxattr(path, NOTE, note)


def read_note(path):
    """The note that is attached to a file, empty where none is."""
    with suppress(OSError):
        return os.getxattr(path, NOTE)
    return b""


def lstat(root):
    """Every name below `root`."""
    found = {}
    for path in Path(root).rglob("*"):
        status = path.lstat()
        mode = stat.S_IMODE(status.st_mode)
        name = f"/{path.relative_to(root)}"
        if path.is_symlink():
            found[name] = Entry("link", mode, os.readlink(path).encode())
        elif path.is_dir():
            found[name] = Entry("folder", mode)
        else:
            found[name] = Entry("file", mode, path.read_bytes(), read_note(path))
    return found


def _told(path, data):
    """The agent's own files, without what differs from run to run."""
    if path.endswith("/state.json"):
        return TIME.sub("TIME", data.decode()).encode()
    return b"" if path.startswith(OWN) else data


def kind_of(path):
    """What a name is for: a target, a staged file, a kept one, a folder, or the agent's own."""
    name = path.rpartition("/")[2]
    if path.startswith(OWN):
        return TIME.sub("", TOKEN.sub("", name)).replace(VM, "VM")
    if MARK in name:
        return "kept" if name.endswith("~") else "staged"
    return "target" if path in FILES else "folder" if "." not in name else "other"
