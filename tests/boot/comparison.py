"""The same job done by the agent's unit and by cloud-init's stages: what each costs a boot.

    python tests/boot/comparison.py [ROUNDS]

Both find the same multi-part userData at the same address, and place the same five files from the
Jinja templates in their part of it. They boot in turns, in the same root folder, in containers on
this machine: a first boot, and a second one that has nothing to do. cloud-init is measured as
Debian sets it up, and with nothing left to do but this job.

Of all rounds the least is shown: whatever else the machine does only adds.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(CHECKOUT)]

import machines  # noqa: E402
import roots  # noqa: E402
from network import IMDS, Network  # noqa: E402

ROUNDS = 5
TOOLS = ("systemd-nspawn", "ip", "nsenter", "setpriv")
FILES = tuple(f"/etc/shop/{number}.conf" for number in range(5))
SEED_PORT = 8000
LIMIT = 120  # seconds a boot may take, with everything; cloud-init takes two to five
SEED_LIMIT = 30  # seconds until the seed is served
POLL_INTERVAL = 0.05  # seconds between two looks
NAME = "shop-01"

# cloud-init trims what follows a block's tag, so the text has no line that ends in one.
TEMPLATE = """\
# for {name}
{{% for number in range(20) %}}key{{{{ number }}}}={{{{ number * 3 }}}}; {{% endfor %}}# end
workers = {{{{ [2, 4] | max }}}}
"""


def indented(text, width):
    return "".join(f"{' ' * width}{line}\n" for line in text.splitlines())


def their_part():
    files = "".join(
        f"  - path: {path}\n    permissions: '0640'\n    content: |\n"
        + indented(TEMPLATE.format(name="{{ v1.local_hostname }}"), 6)
        for path in FILES
    )
    return f"## template: jinja\n#cloud-config\nwrite_files:\n{files}"


def our_part():
    files = "".join(
        f'  - path: {path}\n    mode: "0640"\n    content: |\n'
        + indented(TEMPLATE.format(name="{{ instance.compute.name }}"), 6)
        for path in FILES
    )
    return f"#imds-bootstrap\nversion: 1\nfiles:\n{files}"


USER_DATA = f"""\
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=="

--==
Content-Type: text/jinja2

{their_part()}
--==
Content-Type: text/x-imds-bootstrap

{our_part()}
--==--
"""

SETTINGS = {
    "deadline": 60,
    "imds": {"endpoint": f"http://{IMDS}"},
    "user_data": {"allow": ["content"]},
}
SEEDED = {
    "datasource_list": ["NoCloud"],
    "datasource": {"NoCloud": {"seedfrom": f"http://{IMDS}:{SEED_PORT}/"}},
    "network": {"config": "disabled"},
    # The root folder has neither: the modules would only fail.
    "locale": False,
    "ssh_deletekeys": False,
    "ssh_genkeytypes": [],
    "apt": {"preserve_sources_list": True},
}
ALONE = {
    "cloud_init_modules": ["write-files"],
    "cloud_config_modules": [],
    "cloud_final_modules": [],
}
STAGES = ("cloud-init-local", "cloud-init", "cloud-config", "cloud-final")


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """Who does the job: its units, and what is laid on the disk for it."""

    name: str
    units: tuple
    files: dict
    masked: tuple = ()


def seeded(**more):
    return {
        "etc/cloud/ds-identify.cfg": "policy: enabled\n",
        "etc/cloud/cloud.cfg.d/90_seed.cfg": json.dumps(SEEDED | more),
    }


AGENT = Contestant(
    name="imds-bootstrap",
    units=("imds-bootstrap.service",),
    files={
        "etc/cloud/cloud-init.disabled": "",
        "etc/imds-bootstrap/agent.yaml": json.dumps(SETTINGS),
        "etc/imds-bootstrap/config.d/10-shop.yaml": "version: 1\n",
    },
)
CLOUD_INIT = Contestant(
    name="cloud-init",
    units=tuple(f"{stage}.service" for stage in STAGES),
    files=seeded(),
    masked=("imds-bootstrap.service", "imds-bootstrap.target"),
)
WRITE_FILES = Contestant(
    name="cloud-init, write-files only",
    units=CLOUD_INIT.units,
    files=seeded(**ALONE),
    masked=CLOUD_INIT.masked,
)
CONTESTANTS = (AGENT, CLOUD_INIT, WRITE_FILES)
BOOTS = ("first", "unchanged")


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one boot paid, in milliseconds: processor, and from the first start to the last end."""

    cpu: float
    wall: float


@contextmanager
def seed(network, folder):
    """Serve the userData where cloud-init looks for it, in the network that the emulator is in."""
    (folder / "user-data").write_text(USER_DATA)
    (folder / "meta-data").write_text(f"instance-id: {NAME}\nlocal-hostname: {NAME}\n")
    (folder / "vendor-data").write_text("")
    serve = ("-m", "http.server", "--bind", IMDS, "--directory", folder, str(SEED_PORT))
    inside = ("setpriv", "--pdeathsig", "KILL", "ip", "netns", "exec", network.outside)
    with (folder / "seed.log").open("w") as log:
        process = subprocess.Popen(
            [*inside, sys.executable, "-u", *serve], stdout=log, stderr=subprocess.STDOUT
        )
    try:
        end = time.monotonic() + SEED_LIMIT
        while "Serving" not in (folder / "seed.log").read_text():
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"no seed: {(folder / 'seed.log').read_text()}")
            time.sleep(POLL_INTERVAL)
        yield
    finally:
        process.kill()
        process.wait()


def compete(contestant, root, network, folder):
    """The cost of a new machine's first boot and of its second, and the files it then has."""
    machine = machines.Machine(folder, root)
    machine.lay(contestant.files)
    machine.link({f"etc/systemd/system/{unit}": "/dev/null" for unit in contestant.masked})
    machine.link({"etc/systemd/system/shopd.service": "/dev/null"})
    costs = {}
    for boot in BOOTS:
        with machine.boot(network, limit=LIMIT) as running:
            running.wait_until_started()
            told = [running.cost(unit) for unit in contestant.units]
        failed = [one["unit"] for one in told if one["result"] != "success"]
        if failed:
            raise RuntimeError(f"{', '.join(failed)} failed:\n{running.said()}")
        began, ended = min(one["began"] for one in told), max(one["ended"] for one in told)
        costs[boot] = Cost(cpu=sum(one["cpu"] for one in told), wall=ended - began)
    return costs, {path: machine.read(path.lstrip("/")) for path in FILES}


def compare(root, folder, *, rounds=ROUNDS, contestants=CONTESTANTS):
    """The costs of all rounds, {name: {boot: [Cost]}}, and the files of each, {name: {path: text}}.

    Raises RuntimeError when a unit fails.
    """
    costs = {one.name: {boot: [] for boot in BOOTS} for one in contestants}
    told = len(machines.BOOTS)
    files = {}
    described = {"name": NAME, "rate": 0, "userData": USER_DATA}
    folder.mkdir(exist_ok=True)
    with Network(folder / "network", described) as network, seed(network, folder):
        for number in range(rounds):
            for index, one in enumerate(contestants):
                disk = folder / f"machine-{number}-{index}"
                paid, files[one.name] = compete(one, root, network, disk)
                for boot, cost in paid.items():
                    costs[one.name][boot].append(cost)
    del machines.BOOTS[told:]  # these have a table of their own
    return costs, files


def least(costs, measure):
    return min(getattr(cost, measure) for cost in costs)


def table(costs):
    """The least costs of each in Markdown, and how many times the agent's they are."""
    yield "| boot | who | CPU | times ours | wall clock | times ours |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for boot in BOOTS:
        for name, paid in costs.items():
            cells = [boot, name]
            for measure in ("cpu", "wall"):
                mine, ours = least(paid[boot], measure), least(costs[AGENT.name][boot], measure)
                cells += [f"{mine:.0f} ms", f"{mine / ours:.1f}"]
            yield f"| {' | '.join(cells)} |"


def main(rounds=ROUNDS):
    """Compare, and print the table."""
    gone = [tool for tool in TOOLS if shutil.which(tool) is None]
    if gone:
        sys.exit(f"nothing is compared: booting containers needs {', '.join(gone)}")
    try:
        root = roots.build("bookworm", packages=("cloud-init",))
    except roots.Missing as reason:
        sys.exit(f"nothing is compared: {reason}")
    with tempfile.TemporaryDirectory(prefix="comparison-") as folder:
        costs, files = compare(root, Path(folder), rounds=rounds)
    if len({tuple(one.values()) for one in files.values()}) != 1:
        sys.exit("they did not write the same files")
    print(f"Five Jinja files from userData; the least of {rounds} rounds:\n")
    print("\n".join(table(costs)))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
