"""What five secrets cost: the agent's fetch, and a whole first run, against Microsoft's clients.

    make bench                      # or: python tests/sdk_cost.py [--rounds N]

Three processes take turns, and ask the same emulator in a fourth one: the shortest program with
azure-identity and azure-keyvault-secrets that gets five secrets and writes them to files; the same
with the agent's own rooms; and a whole first run, which also reads and validates its documents,
renders, compares, writes durably and remembers. Counted is the CPU time (user + system) of each
process. The rounds take turns, so that a machine that slows down slows all; the minimum is the
figure to go by, for noise only ever adds.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from statistics import median

GOAL = 0.5  # of the CPU time that the clients take, for the same fetch
ROUNDS = 15
NAMES = tuple(f"secret{number}" for number in range(5))
NEEDED = ("azure.identity", "azure.keyvault.secrets", "cryptography")
SERVICE = ("HOME", "LANG", "PATH", "USER")  # variables that systemd.exec(5) sets
PROGRAM = [sys.executable, "-m", "bootstrap"]
IMAGE = {
    "version": 1,
    "secrets": {name: {"vault": "contoso-prod", "name": name} for name in NAMES},
    "files": [
        {"path": f"/etc/app/{name}", "content": f"{{{{ secrets.{name} }}}}\n"} for name in NAMES
    ],
}
MACHINE = {
    "rate": 0,
    "identityRate": 0,
    "vaults": {
        "contoso-prod": {"rate": 0, "secrets": {name: f"value of {name}" for name in NAMES}}
    },
}
CLIENT = """
import os, sys
from azure.identity import ManagedIdentityCredential
from azure.keyvault.secrets import SecretClient

folder, vault, ca_file, *names = sys.argv[1:]
with SecretClient(
    vault, ManagedIdentityCredential(), verify_challenge_resource=False, connection_verify=ca_file
) as client:
    for name in names:
        path = os.open(os.path.join(folder, name), os.O_WRONLY | os.O_CREAT, 0o600)
        with open(path, "w") as file:
            file.write(client.get_secret(name).value + "\\n")
"""

# What the program does about garbage, in `bootstrap.cli.main`, is done here too.
AGENT = """
import gc, os, sys, time
gc.set_threshold(50_000)
from bootstrap.config.model import SecretReference
from bootstrap.imds.clouds import cloud_of
from bootstrap.identity.managed_identity import Identity
from bootstrap.keyvault.fetch import fetch
from bootstrap.settings import VaultSettings

folder, imds, vaults, ca_file, *names = sys.argv[1:]
deadline = time.monotonic() + 60
identity = Identity(imds, deadline=deadline)
secrets = fetch(
    {name: SecretReference(vault="contoso-prod", name=name) for name in names},
    token=identity.token,
    forget=identity.forget,
    cloud=cloud_of("AzurePublicCloud"),
    settings=VaultSettings(endpoint=vaults, ca_file=ca_file),
    deadline=deadline,
)
for name, fetched in secrets.items():
    path = os.open(os.path.join(folder, name), os.O_WRONLY | os.O_CREAT, 0o600)
    with open(path, "w") as file:
        file.write(fetched.secret.reveal() + "\\n")
gc.freeze()
"""


def is_installed(name: str) -> bool:
    """Whether there is such a module, without importing it."""
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


@contextmanager
def emulator(folder: Path):
    """An emulator in a process of its own: its endpoint, its vaults', and their authority."""
    machine = folder / "machine.yaml"
    machine.write_text(json.dumps(MACHINE), encoding="utf-8")
    words = [*PROGRAM, "emulate", str(machine), "--listen", "127.0.0.1:0"]
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(words, **pipe) as process:
        try:
            yield [process.stdout.readline().strip() for _ in range(3)]
        finally:
            process.terminate()


def cpu_of(words: list[str], environment: dict[str, str]) -> float:
    """Seconds of CPU time that a command takes; one that fails ends the whole."""
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(words[:4])} … ended with {process.returncode}")
    return used.ru_utime + used.ru_stime


def first_run(folder: Path, answers: list[str], environment: dict[str, str]) -> float:
    """Seconds of CPU time of a first run on a fresh machine."""
    documents = folder / "etc" / "imds-bootstrap" / "config.d"
    documents.mkdir(parents=True)
    (documents / "10-app.yaml").write_text(json.dumps(IMAGE), encoding="utf-8")
    names = ("IMDS_ENDPOINT", "VAULTS_ENDPOINT", "VAULTS_CA_FILE")
    settings = {f"IMDS_BOOTSTRAP_{name}": one for name, one in zip(names, answers, strict=True)}
    words = [*PROGRAM, "--root", str(folder), "-q", "run"]
    seconds = cpu_of(words, {**environment, **settings})
    check(folder / "etc" / "app")
    return seconds


def own_fetch(folder: Path, answers: list[str], environment: dict[str, str]) -> float:
    """Seconds of CPU time of the fetch alone, by the agent's rooms."""
    folder.mkdir()
    words = [sys.executable, "-c", AGENT, str(folder), *answers, *NAMES]
    seconds = cpu_of(words, environment)
    check(folder)
    return seconds


def sdk_fetch(folder: Path, answers: list[str], environment: dict[str, str]) -> float:
    """Seconds of CPU time of the same fetch with Microsoft's clients."""
    folder.mkdir()
    imds, vaults, ca_file = answers
    words = [sys.executable, "-c", CLIENT, str(folder), vaults, ca_file, *NAMES]
    seconds = cpu_of(words, {**environment, "AZURE_POD_IDENTITY_AUTHORITY_HOST": imds})
    check(folder)
    return seconds


def check(folder: Path) -> None:
    """Both have done what they are timed for."""
    for name in NAMES:
        if (folder / name).read_text(encoding="utf-8") != f"value of {name}\n":
            raise SystemExit(f"{folder / name} is not what the vault holds")


def environment_of(folder: Path) -> dict[str, str]:
    """What a service gets, and a place for compiled modules: every side loads its own."""
    inherited = {name: os.environ[name] for name in SERVICE if name in os.environ}
    return {**inherited, "PYTHONPYCACHEPREFIX": str(folder / "compiled")}


MEASURED = {
    "the fetch with the SDK": sdk_fetch,
    "the agent's own fetch": own_fetch,
    "a whole first run": first_run,
}


def measure(rounds: int) -> dict[str, list[float]]:
    """Seconds of each round, for all that is measured."""
    times: dict[str, list[float]] = {name: [] for name in MEASURED}
    with tempfile.TemporaryDirectory() as name, emulator(Path(name)) as answers:
        environment = environment_of(Path(name))
        for number in range(rounds + 1):
            for what, once in MEASURED.items():
                folder = Path(name, f"{number}-{once.__name__}")
                seconds = once(folder, answers, environment)
                if number:  # the first has compiled the modules
                    times[what].append(seconds)
    return times


def main() -> int:
    """Print each figure and its share of the SDK's; 1 when the fetch is above the goal."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    missing = [name for name in NEEDED if not is_installed(name)]
    print(f"\nFive secrets, CPU time of {options.rounds} rounds (min / median)")
    if missing:
        print(f"  not measured: {', '.join(missing)} cannot be imported")
        return 0
    times = measure(options.rounds)
    sdk, own, _ = MEASURED
    for name, one in times.items():
        ratio = min(one) / min(times[sdk])
        goal = f"  (goal ≤ {GOAL:g})" if name == own else ""
        figures = f"{min(one) * 1000:5.0f} / {median(one) * 1000:5.0f} ms"
        print(f"  {name:24} {figures}   {ratio:4.2f} × the SDK{goal}")
    return int(min(times[own]) > GOAL * min(times[sdk]))


if __name__ == "__main__":
    sys.exit(main())
