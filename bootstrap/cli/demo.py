"""Tell the whole story on a laptop: an emulated IMDS, a run, a changed tag, a secret, mistakes.

Everything happens below one folder, by the same commands that a machine runs. Nothing outside it
is read or written, and nothing is asked but the emulator on loopback.
"""

from __future__ import annotations

import os
import sys

from bootstrap import resources
from bootstrap.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from bootstrap.emulator import Emulator

FOLDER = ".demo"
MARK = ".imds-bootstrap-demo"  # a folder with this file in it may be replaced by the next demo

MACHINE = """\
# What the emulated IMDS says of this machine. Edit it while `emulate` runs, and run again.
name: shop-01
location: westeurope
rate: 0                           # the real one answers 5 requests a second; a demo asks faster
tags:
  environment: test
  config:web.port: "8080"
userData: |
  #imds-bootstrap
  version: 1
  values:
    web: {server_name: shop.contoso.com}
    app: {api_key: demo-key-5f0c}
faults:                           # a machine boots before its IMDS is ready
  - {status: 503, times: 2}
"""

VAULTS = """\
vaults:                           # over TLS, with a certificate authority made on the spot
  contoso-prod:
    secrets: {shop-db-password: first-2f6a}
"""

ARRIVAL = """\
#imds-bootstrap
version: 1
secrets:
  db_password: {vault: contoso-prod, name: shop-db-password}
files:
  - {path: /etc/shop/db.env, content: "DB_PASSWORD={{ secrets.db_password }}\\n", notify: [shopd]}
"""

LAPTOP = """\
#imds-bootstrap
# A laptop has no nginx and no shopd: their checks and handlers only say that they were called.
version: 1
files:
  - {path: /etc/nginx/conf.d/shop.conf, check: ["true"]}
  - {path: /etc/shop/shop.toml, check: [test, -s, "{path}"]}
handlers:
  reload-units: ["true"]
  shopd: ["true"]
  nginx: ["true"]
"""

MISTAKES = """\
    log: {levle: debug}
  files:
    - path: /etc/shop/shop.toml
      mode: 0644
    - path: /root/.profile
      template: env/app.env.j3
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `demo`."""
    parser.add_argument(
        "--folder", default=FOLDER, metavar="DIR", help="where it happens (default: %(default)s)"
    )


def run(options: argparse.Namespace) -> int:
    """Run the demo; raise an error if a chapter does not end as it says."""
    from bootstrap.emulator import Emulator

    folder = os.path.abspath(options.folder)
    _prepare(folder)
    with Emulator.serve(os.path.join(folder, "machine.yaml")) as emulator:
        _Story(options.folder, emulator).tell()
    return 0


class _Story:
    """The chapters of the demo, in order; `folder` is as typed, so that paths are short."""

    def __init__(self, folder: str, emulator: Emulator) -> None:
        self.folder = folder
        self.root = os.path.join(folder, "root")
        self.machine = os.path.join(folder, "machine.yaml")
        self.endpoints = {"imds.endpoint": emulator.endpoint}
        if emulator.vaults_endpoint:
            self.endpoints["vaults.endpoint"] = emulator.vaults_endpoint
            self.endpoints["vaults.ca_file"] = emulator.ca_file

    def tell(self) -> None:
        """Run all chapters."""
        self._say(
            f"1. An image, below {self.root}, and an IMDS at {self.endpoints['imds.endpoint']}"
        )
        self._listing(f"{self.root}/etc/imds-bootstrap")
        self._say("2. The first boot: IMDS is not ready at once, then the files are written")
        self._expect(0, "run")
        self._show(f"{self.root}/etc/shop/shop.env")
        self._say("3. The second boot: nothing has changed, nothing is written")
        before = _times(self.root)
        self._expect(0, "run")
        self._require(_times(self.root) == before, "the second run wrote a file")
        self._say(f"4. A tag is changed in {self.machine}: config:web.port is now 9443")
        self._edit('"8080"', '"9443"')
        self._expect(0, "plan", "--diff")
        self._expect(0, "run")
        self._say("5. Where does each value come from?")
        self._expect(0, "show", "config", "--origin")
        self._secret()
        self._mistakes()
        self._say(f"Everything is still below {self.folder}: look around, and go on with")
        program = _as_typed(sys.argv[0])
        print(f"  {program} emulate --print-env {self.machine}")
        print("and in another terminal, where the lines that it prints have been evaluated,")
        print(f"  {program} --root {self.root} run")

    def _secret(self) -> None:
        self._say("6. A secret comes from Key Vault, with the machine's identity, and rotates")
        if "vaults.endpoint" not in self.endpoints:
            print("  This chapter needs cryptography, 41 or later: python3-cryptography of the")
            print("  distribution, or pip install 'imds-bootstrap[emulator]'")
            return
        _write(os.path.join(self.root, "etc/imds-bootstrap/config.d/50-secret.yaml"), ARRIVAL)
        self._expect(0, "run")
        path = f"{self.root}/etc/shop/db.env"
        self._show(path)
        mode = os.stat(path).st_mode & 0o777
        self._require(not mode & 0o077, "others can read the secret")
        print(f"  (its mode is {mode:04o}: only its owner can read it)")
        self._edit("first-2f6a", "second-9c1e")
        self._expect(0, "plan", "--diff")
        self._expect(0, "run")
        self._show(path)

    def _mistakes(self) -> None:
        self._say("7. A userData with mistakes: all are told, no file is touched")
        before = _times(self.root)
        self._edit("faults:", f"{MISTAKES}faults:")
        self._expect(65, "run")
        self._require(_times(self.root) == before, "a failed run wrote a file")
        self._expect(1, "status")
        self._edit(MISTAKES, "")

    def _say(self, text: str) -> None:
        print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)

    def _expect(self, code: int, *words: str) -> None:
        """Run a command as a user would, and check that it ends with the expected exit code."""
        from bootstrap.cli import main

        print(f"$ imds-bootstrap {' '.join(words)}", flush=True)
        where = [part for pair in self.endpoints.items() for part in ("--set", "=".join(pair))]
        given = main(["--root", self.root, *where, *words])
        sys.stdout.flush()
        if code or given:
            print(f"(exit code {given})", flush=True)
        self._require(given == code, f"the exit code should have been {code}")

    def _require(self, met: bool, otherwise: str) -> None:  # noqa: FBT001
        if not met:
            raise RuntimeError(otherwise)

    def _edit(self, old: str, new: str) -> None:
        with open(self.machine, encoding="utf-8") as file:
            text = file.read()
        _write(self.machine, text.replace(old, new))

    def _listing(self, top: str) -> None:
        for folder, _, names in sorted(os.walk(top)):
            for name in sorted(names):
                print(f"  {os.path.join(folder, name)}")

    def _show(self, path: str) -> None:
        print(f"$ cat {path}")
        with open(path, encoding="utf-8") as file:
            print("".join(f"  {line}" for line in file), end="")


def _prepare(folder: str) -> None:
    """Write the sample image and a machine file beside it, in a folder of its own."""
    if os.path.exists(folder) and not os.path.exists(os.path.join(folder, MARK)):
        raise UsageError(
            f"{folder} is there already and is not a demo's", hint="name another one with --folder"
        )
    from shutil import rmtree

    if os.path.exists(folder):
        rmtree(folder)
    _write(os.path.join(folder, MARK), "")
    _write(os.path.join(folder, "machine.yaml"), MACHINE + (VAULTS if _has_vaults() else ""))
    image = os.path.join(folder, "root/etc/imds-bootstrap")
    for name in _sample_image():
        _write(os.path.join(image, name), resources.read(f"templates/image/{name}"))
    _write(os.path.join(image, "config.d/90-laptop.yaml"), LAPTOP)


def _has_vaults() -> bool:
    """Return whether the library for the emulated vaults is installed; the demo runs without it."""
    from importlib.util import find_spec

    return find_spec("cryptography") is not None


def _sample_image() -> Sequence[str]:
    names = resources.names("templates")
    prefix = "templates/image/"
    return [name.removeprefix(prefix) for name in names if name.startswith(prefix)]


def _write(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _times(root: str) -> dict[str, int]:
    """Return the modification time of each file below `root`, in ns, without the status."""
    found = [os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names]
    return {path: os.stat(path).st_mtime_ns for path in found if "/run/" not in path}


def _as_typed(path: str) -> str:
    """Return the program as a user can call it: by its name alone if the shell finds it."""
    from shutil import which

    name = os.path.basename(path)
    found = which(name)
    if not os.path.isfile(path) or (found and os.path.samefile(found, path)):
        return name if found else "imds-bootstrap"
    return os.path.relpath(path)
