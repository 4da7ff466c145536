"""A machine whose secrets are canaries, and everything that its runs leave behind."""

from __future__ import annotations

import base64
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
PROGRAM = [sys.executable, "-m", "bootstrap"]
FAULTY = [sys.executable, str(HERE / "faulty_program.py")]
TARGETS = ("etc/app", "run/credstore", "etc/credstore.encrypted")  # where secrets are meant to be
WIDE = "wide"  # in the name of the one target whose document asks for another mode
SECONDS = 60

DOCUMENT = {
    "version": 1,
    "values": {"db": {"password": "@Microsoft.KeyVault(VaultName=contoso-prod;SecretName=db)"}},
    "secrets": {
        "api": {"vault": "contoso-prod", "name": "api-key", "credential": "plain"},
        "token": {"vault": "contoso-prod", "name": "token"},
        "mapping": {"vault": "contoso-prod", "name": "mapping"},
        "blob": {"vault": "contoso-prod", "name": "blob", "encoding": "base64"},
    },
    "files": [
        {"path": "/etc/app/api", "content": "key={{ secrets.api }}\n", "backup": True},
        {"path": "/etc/app/db", "content": "password={{ values.db.password }}\n"},
        {"path": "/etc/app/wide", "content": "{{ secrets.token }}\n", "mode": "0640"},
        {"path": "/etc/app/user", "content": "{{ (secrets.mapping | from_json).user }}\n"},
        {"path": "/etc/app/blob", "content": "{{ secrets.blob }}"},
        {"path": "/etc/app/plain", "content": "nothing to hide\n"},
    ],
}


def vault_of(canaries, generation="first"):
    """The secrets of a vault, each a canary; another generation is a rotation."""
    user = canaries.odd(f"{generation} user")
    pem = canaries.plain(f"{generation} pem")
    return {
        "api-key": canaries.odd(f"{generation} api-key"),
        "db": canaries.plain(f"{generation} db"),
        "token": canaries.plain(f"{generation} token"),
        "mapping": json.dumps({"user": user, "port": 5432}),
        "blob": base64.b64encode(canaries.plain(f"{generation} blob").encode()).decode(),
        "disabled": {"value": canaries.plain(f"{generation} disabled"), "enabled": False},
        "expired": {"value": canaries.plain(f"{generation} expired"), "expires": "2020-01-31"},
        "broken-pem": {
            "value": f"-----BEGIN PRIVATE KEY-----\n{pem}\n-----END PRIVATE KEY-----\n",
            "contentType": "application/x-pem-file",
        },
    }


class CommandResult(NamedTuple):
    """How a run of the program ended; `said` is both streams."""

    code: int
    said: str


class CanaryMachine:
    """A root folder, an emulator, and a folder for all that the program could write elsewhere."""

    def __init__(self, folder: Path, canaries, emulator) -> None:
        self.root = folder / "root"
        self.around = folder / "around"  # home, temporary files, working directory, streams
        self.emulator = emulator
        self._canaries = canaries
        self._runs = 0
        for name in ("home", "tmp", "cwd", "streams"):
            (self.around / name).mkdir(parents=True)

    def image(self, document, name: str = "config.d/10-app.yaml") -> None:
        """Put a document, or text, into the image."""
        path = self.root / "etc" / "imds-bootstrap" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = document if isinstance(document, str) else json.dumps(document)
        path.write_text(text, encoding="utf-8")

    def start(self, *words: str, program=PROGRAM, before=(), **environ: str) -> subprocess.Popen:
        """Start the program on this machine; its streams are kept and searched."""
        self._runs += 1
        streams = self.around / "streams" / f"{self._runs:03}"
        with open(f"{streams}.out", "wb") as out, open(f"{streams}.err", "wb") as err:
            return subprocess.Popen(
                [*before, *program, "--root", str(self.root), *words],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=self.around / "cwd",
                env=self._environment(environ),
            )

    def agent(self, *words: str, **options) -> CommandResult:
        """Run the program to its end."""
        process = self.start(*words, **options)
        return self.end(process)

    def end(self, process: subprocess.Popen) -> CommandResult:
        """Wait for a program that was started."""
        try:
            code = process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        return CommandResult(code, self.heard())

    def heard(self) -> str:
        """What the last program has said so far."""
        streams = self.around / "streams"
        kinds = (streams / f"{self._runs:03}.{kind}" for kind in ("out", "err"))
        return "".join(path.read_text(encoding="utf-8", errors="replace") for path in kinds)

    def interrupt(self, process: subprocess.Popen) -> CommandResult:
        """What Ctrl-C does."""
        process.send_signal(signal.SIGINT)
        return self.end(process)

    def leaks(self) -> dict[str, set[str]]:
        """Each place outside the targets where there is a trace of a canary: there is none."""
        return {
            str(path): names
            for path in self._files()
            if not self._is_target(path) and (names := self._traces(path))
        }

    def exposed(self) -> dict[str, str]:
        """Each file or folder among the targets that shows a canary to more than it may."""
        return {
            str(path): oct(mode)
            for path in self._files()
            if self._is_target(path) and self._canaries.found_in(path.read_bytes())
            if (mode := stat.S_IMODE(path.stat().st_mode)) & ~_allowed(path)
        }

    def holding(self) -> list[str]:
        """The names of the files below the root that hold a canary: the search sees them."""
        found = (path for path in self._files() if path.is_relative_to(self.root))
        return sorted(path.name for path in found if self._canaries.found_in(path.read_bytes()))

    def _traces(self, path):
        return self._canaries.found_in(os.fsencode(path) + b"\n" + path.read_bytes())

    def _files(self):
        for folder in (self.root, self.around):
            for parent, _, names in os.walk(folder):
                paths = (Path(parent, name) for name in names)
                yield from (path for path in paths if path.is_file() and not path.is_symlink())

    def _is_target(self, path):
        return any(path.is_relative_to(self.root / target) for target in TARGETS)

    def _environment(self, more):
        return {
            **os.environ,
            "HOME": str(self.around / "home"),
            "TMPDIR": str(self.around / "tmp"),
            "PYTHONPATH": f"{HERE.parents[1]}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "IMDS_BOOTSTRAP_IMDS_ENDPOINT": self.emulator.endpoint,
            "IMDS_BOOTSTRAP_VAULTS_ENDPOINT": self.emulator.vaults_endpoint,
            "IMDS_BOOTSTRAP_VAULTS_CA_FILE": self.emulator.ca_file,
            **more,
        }


def _allowed(path):
    return 0o640 if WIDE in path.name else 0o600
