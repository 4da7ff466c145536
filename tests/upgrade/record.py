"""Record what a version leaves on a machine, for the tests of every later version.

    git archive f940767 | tar x -C /tmp/old
    python3 -m venv /tmp/old/.venv
    /tmp/old/.venv/bin/pip install '/tmp/old[emulator]'
    python3 tests/upgrade/record.py /tmp/old/.venv/bin/python tests/upgrade/0.1.0-f940767

Needs root, for files with several owners, and takes two minutes. It runs the version that is
installed for that Python, in folders of its own, against that version's emulator on loopback. A
release adds a folder, named by its version; a folder that is there is never recorded anew. The
folder then holds:

    inputs.json        what the image's owner wrote, and the firmware's tables
    first.json, second.json, broken.json    the instance documents: two that are valid, one not
    settings.json      the settings, as that version reads them
    configured.json    the machine after a run with the first document
    kept.json          … after one more, to which IMDS did not answer
    reconfigured.json  … after one with the second document
    failed.json        … after one with the second document, in which a handler failed
    staging.json       the same run, killed with its files staged and none in place
    publishing.json    … killed with some of its files in place
    notifying.json     … killed while its handlers ran
    undoing.json       … killed while it put files back, for a handler had failed
    finishing.json     … killed with all done and the new state not saved
    releasing.json     … killed with the state saved and some of the old files still kept

A machine file has the tree (see recorded.py), what `status` says of it, and for a run that was
killed how that version settles it: whether the targets become those of configured.json or of
reconfigured.json, and the state that it leaves. Times are fixed; process ids, inode numbers,
durations and the random parts of names are replaced.
"""

import argparse
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from recorded import (
    JOURNAL,
    LOCK,
    STATUS,
    build,
    read_json,
    state,
    take,
    targets,
    temporary,
    text,
    write_json,
)

VM = "02aab8a4-74ef-476e-8182-f6d2ba4166a6"
PORT = 18169  # fixed, for the settings name it and a digest of them is in the state
ENDPOINT = f"http://127.0.0.1:{PORT}"
DAYS = {"first": 1767225600, "second": 1767312000}  # 2026-01-01 and the day after
NO_PROCESS = (1 << 22) + 1  # a process id that Linux never gives: proc_pid_max(5)
SECONDS = 60  # a run that takes longer hangs

HANDLER = 'echo {} >>"$HOME/handlers"; [ ! -e "$HOME/refuse" ]'
IMAGE = {
    "etc/imds-bootstrap/agent.yaml": f"""\
deadline: 120
prune: true
imds: {{endpoint: "{ENDPOINT}", timeout: 2}}
user_data: {{allow: [content], paths: [/etc, /srv]}}
tags: {{paths: ["web.*"], map: {{CostCenter: web.cost_center}}}}
vaults: {{allow: [contoso-prod], expired: warn}}
commands: {{timeout: 30}}
""",
    "etc/imds-bootstrap/templates/app/web.conf.j2": """\
# for {{ instance.compute.name }}
port {{ values.web.port }}
cost {{ values.web.cost_center }}
""",
    "etc/imds-bootstrap/config.d/10-app.yaml": f"""\
version: 1
values: {{web: {{port: 80, cost_center: none}}}}
handlers:
  web: [sh, -c, '{HANDLER.format("web")}']
  logs: [sh, -c, '{HANDLER.format("logs")}']
  never: [sh, -c, '{HANDLER.format("never")}']
environments:
  first:
    files:
      - {{path: /etc/app/web.conf, template: app/web.conf.j2, mode: "0640", group: app,
         notify: [web]}}
      - {{path: /etc/app/alike, content: "alike\\n", mode: "0644", notify: [never]}}
      - {{path: /etc/app/mode, content: "mode\\n", mode: "0644", notify: [never]}}
      - {{path: /etc/app/gone, content: "gone\\n", mode: "0600", owner: app}}
      - {{path: /etc/app/touched, content: "touched\\n", mode: "0644"}}
      - {{path: /etc/app/found, content: "found\\n", mode: "0644"}}
      - {{path: /etc/app/once, content: "once\\n", mode: "0644", when: once}}
      - {{path: /etc/app/saved, content: "first\\n", mode: "0644", backup: true}}
      - {{path: /etc/app/in-place, content: "the first content, longer\\n", mode: "0644",
         in_place: true}}
      - {{path: /etc/app/link, content: "first\\n", mode: "0644", symlink: follow, notify: [logs]}}
  second:
    values: {{web: {{port: 8080}}}}
    files:
      - {{path: /etc/app/web.conf, template: app/web.conf.j2, mode: "0644", group: app,
         notify: [web]}}
      - {{path: /etc/app/alike, content: "alike\\n", mode: "0644", notify: [never]}}
      - {{path: /etc/app/mode, content: "mode\\n", mode: "0600", notify: [never]}}
      - {{path: /etc/app/once, content: "once more\\n", mode: "0644", when: once}}
      - {{path: /etc/app/saved, content: "second\\n", mode: "0644", backup: true}}
      - {{path: /etc/app/in-place, content: "second\\n", mode: "0640", in_place: true}}
      - {{path: /etc/app/link, content: "second\\n", mode: "0644", symlink: follow, notify: [logs]}}
      - {{path: /etc/new/deep/file, content: "new\\n", mode: "0600", owner: app, notify: [logs]}}
""",
    "etc/passwd": "root:x:0:0::/root:/bin/sh\napp:x:2501:2502::/srv/app:/bin/sh\n",
    "etc/group": "root:x:0:\napp:x:2502:\n",
    "sys/class/dmi/id/chassis_asset_tag": "7783-7084-3265-9085-8269-3286-77\n",
    "sys/class/dmi/id/product_uuid": f"{VM}\n",
    "sys/firmware/efi/fw_platform_size": "64\n",
}
FOUND = "etc/app/found"  # it is as it is wanted before the agent comes, so it is not the agent's

# Loaded by the old version's Python before anything else: it fixes the time, and kills the process
# before its DIE_AT-th change of the file system or start of a command.
HOOK = """\
import os, signal, sys, time

if "NOW" in os.environ:
    time.time = lambda: float(os.environ["NOW"])
if "DIE_AT" in os.environ:
    CHANGES = ("os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir",
               "os.symlink", "os.truncate", "subprocess.Popen")
    WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
    seen = 0

    def count(event, arguments):
        global seen
        if event in CHANGES or (event == "open" and arguments[2] & WRITING):
            seen += 1
            if seen == int(os.environ["DIE_AT"]):
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
"""


class Recorder:
    """The old version below one temporary folder, and the folder for what it leaves."""

    def __init__(self, python, folder, scratch):
        self.python = python
        self.folder = folder
        self.scratch = scratch
        self.root = scratch / "root"
        self.home = scratch / "home"
        self.configured = {}
        self.reconfigured = {}

    def record(self):
        """Record everything."""
        (self.scratch / "hook").mkdir()
        (self.scratch / "hook/sitecustomize.py").write_text(HOOK)
        self._write_inputs()
        with self._emulator():
            self._save_instances()
            self._start({})
            self._write(self.root / FOUND, "found\n")
            (self.root / FOUND).chmod(0o644)
            self._write(self.root / "etc/app/real", "as it was\n")
            (self.root / "etc/app/link").symlink_to("real")
            self._agent("run", day="first")
            self.configured = self._save("configured")
        self._agent("run", "--deadline", "1", day="second")
        self._save("kept")
        self._agent_on(self.configured, *self._with("second"))
        self.reconfigured = self._save("reconfigured")
        self._agent_on(self.configured, *self._with("second"), code=1, refuse=True)
        self._save("failed")
        self._save_killed(refuse=False)
        self._save_killed(refuse=True)

    def _write_inputs(self):
        for name, content in IMAGE.items():
            self._write(self.root / name, content)
        write_json(self.folder / "inputs.json", take(self.root, inputs=True))
        told = self._agent("--format", "json", "show", "settings", day="first")
        write_json(self.folder / "settings.json", json.loads(told.stdout))

    @staticmethod
    def _write(path, content):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def _emulator(self):
        machine = {"vmId": VM, "name": "shop-01", "tags": {"environment": "first"}}
        machine["tags"] |= {"CostCenter": "4711"}
        self._write(self.scratch / "machine.yaml", json.dumps(machine))
        command = [self.python, "-m", "bootstrap", "emulate", str(self.scratch / "machine.yaml")]
        return _Emulator([*command, "--listen", f"127.0.0.1:{PORT}"], self.scratch)

    def _save_instances(self):
        """Save the document of the first run as IMDS gives it, and two that differ by one tag."""
        request = urllib.request.Request(
            f"{ENDPOINT}/metadata/instance?api-version=2023-07-01", headers={"Metadata": "true"}
        )
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            document = json.load(answer)
        for name in ("first", "second", "broken"):
            for tag in document["compute"]["tagsList"]:
                if tag["name"] == "environment":
                    tag["value"] = name
            document["compute"]["tags"] = f"CostCenter:4711;environment:{name}"
            write_json(self.folder / f"{name}.json", document)

    def _with(self, document):
        return ("run", "--offline", str(self.folder / f"{document}.json"))

    def _start(self, tree):
        """Let the root be this machine, and nothing be left of another."""
        for path in (self.root, self.home):
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir()
        build(read_json(self.folder / "inputs.json") | tree, self.root)

    def _agent_on(self, tree, *words, code=0, refuse=False, **environment):
        """Run the old version on this machine; with `refuse` its handlers fail."""
        self._start(tree)
        if refuse:
            (self.home / "refuse").touch()
        return self._agent(*words, day="second", code=code, **environment)

    def _agent(self, *words, day, code=0, **environment):
        ended = subprocess.run(
            [self.python, "-m", "bootstrap", "--root", str(self.root), *words],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.home),
                "NOW": str(DAYS[day]),
                "PYTHONPATH": str(self.scratch / "hook"),
                "PYTHONDONTWRITEBYTECODE": "1",
                **environment,
            },
            cwd=self.scratch,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if code is not None and ended.returncode != code:
            sys.exit(f"{' '.join(words)}: exit code {ended.returncode}, not {code}\n{ended.stderr}")
        return ended

    def _save(self, name, tree=None, **more):
        """Save the machine below the root, or this one, with what `status` says of it."""
        tree = tree or _fixed(take(self.root))
        self._start(tree)
        told = self._agent("--format", "json", "status", day="second", code=None)
        status = {"exit_code": told.returncode, "record": json.loads(told.stdout)}
        write_json(self.folder / f"{name}.json", {"status": status, **more, "tree": tree})
        print(name)
        return tree

    def _save_killed(self, *, refuse):
        """Kill the second run before each of its changes, and save one machine for each phase."""
        found = {}
        for number in itertools.count(1):
            ended = self._agent_on(
                self.configured, *self._with("second"), code=None, refuse=refuse, DIE_AT=str(number)
            )
            if ended.returncode != -signal.SIGKILL:
                break
            tree = _fixed(take(self.root))
            if phase := self._phase(tree, refuse=refuse):
                found.setdefault(phase, []).append(tree)
        for phase, trees in found.items():
            middle = phase in {"publishing", "undoing", "releasing"}
            self._save_settled(phase, trees[len(trees) // 2 if middle else -1])

    def _phase(self, tree, *, refuse):
        """Return which phase a killed run was in, by what it has left; empty for none of ours."""
        lines = tree[JOURNAL]["lines"][:-1] if JOURNAL in tree else []
        is_old = targets(tree) == targets(self.configured)
        was_told = (self.home / "handlers").exists()
        if refuse:
            return "undoing" if len(lines) == 2 and was_told and not is_old else ""
        if len(lines) == 1 and temporary(tree):
            return "staging"
        if len(lines) == 2 and not is_old:
            return "notifying" if was_told else "publishing"
        if len(lines) == 3 and state(tree) == state(self.configured):
            return "finishing"
        return "releasing" if len(lines) == 3 and temporary(tree) else ""

    def _save_settled(self, phase, tree):
        """Save how a run settles it that then ends for its document is not valid."""
        self._agent_on(tree, *self._with("broken"), code=65)
        after = _fixed(take(self.root))
        ends = {"undone": self.configured, "finished": self.reconfigured}
        verdicts = [name for name, end in ends.items() if targets(after) == targets(end)]
        if len(verdicts) != 1 or JOURNAL in after or temporary(after):
            differ = {
                name: sorted(
                    path
                    for path in {*targets(end), *targets(after)}
                    if targets(end).get(path) != targets(after).get(path)
                )
                for name, end in ends.items()
            }
            sys.exit(f"{phase}: this version settles it as neither: {differ} {temporary(after)}")
        self._save(phase, tree, settled={"verdict": verdicts[0], "state": state(after)})


class _Emulator:
    """The old version's emulator, for the time of a `with`."""

    def __init__(self, command, folder):
        self._command = command
        self._folder = folder

    def __enter__(self):
        self._process = subprocess.Popen(
            self._command, cwd=self._folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        if not self._process.stdout.readline():
            sys.exit(f"the emulator does not start; is the port {PORT} taken?")

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(SECONDS)
        self._process.stdout.close()
        time.sleep(0.1)


def _fixed(tree):
    """Return the tree with fixed names, process ids, inode numbers and durations."""
    found = json.dumps(tree)
    tokens = dict.fromkeys(re.findall(r"\.imds-bootstrap-([0-9a-f]{12})", found))
    for number, token in enumerate(tokens, 1):
        found = found.replace(token, f"{number:012x}")
    tree = json.loads(found)
    if JOURNAL in tree:
        lines = tree[JOURNAL]["lines"]
        for index, line in enumerate(lines):
            if line.startswith('{"prepared"'):
                inodes = json.loads(line)["prepared"]
                lines[index] = json.dumps({"prepared": list(range(1, len(inodes) + 1))})
    if LOCK in tree:
        tree[LOCK]["lines"] = [str(NO_PROCESS), ""]
    if STATUS in tree:
        told = re.sub(r'("[a-z_]+": |over )\d+\.\d+', r"\g<1>0.5", text(tree, STATUS))
        told = re.sub(r'"pid": \d+', f'"pid": {NO_PROCESS}', told)
        tree[STATUS]["lines"] = told.split("\n")
    return tree


def main():
    """Record the version that one Python has."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("python", help="the Python for which that version is installed")
    parser.add_argument("folder", type=Path, help="a new folder beside this file")
    options = parser.parse_args()
    if os.geteuid() != 0:
        parser.error("it needs root")
    options.folder.mkdir()
    with tempfile.TemporaryDirectory() as scratch:
        Recorder(options.python, options.folder.resolve(), Path(scratch)).record()


if __name__ == "__main__":
    main()
