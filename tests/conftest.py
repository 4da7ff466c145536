"""What all tests share: nothing leaves loopback, and where things lie."""

import itertools
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

TESTS = Path(__file__).parent
CHECKOUT = TESTS.parent
SHARED = CHECKOUT.parent / "shared"
NAMESPACES = itertools.count()

# Before any test: this process and every Python it starts refuse to connect beyond loopback.
os.environ["TESTS_HOST_NAMESPACE"] = os.readlink("/proc/self/ns/net")
os.environ["PYTHONPATH"] = str(TESTS / "guard")
sys.path.insert(0, str(TESTS / "guard"))
import sitecustomize as guard  # noqa: E402

if guard.__file__ != str(TESTS / "guard" / "sitecustomize.py"):  # the system's own came first
    sys.modules.pop("sitecustomize")
    import sitecustomize as guard

# A run that forgets to say where IMDS is finds nobody there, instead of the real address.
os.environ["IMDS_BOOTSTRAP_IMDS_ENDPOINT"] = "http://127.0.0.1:9"
for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_COLOR"):
    os.environ.pop(name, None)

# A shell's background job, `nohup` and some CI systems start this process with these ignored, which
# everything it starts would inherit: the programs under test would not end as a test asks.
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(number) == signal.SIG_IGN:
        interrupts = number == signal.SIGINT
        signal.signal(number, signal.default_int_handler if interrupts else signal.SIG_DFL)

# A change lands or not by the same examples each time; `make fuzz` looks for new ones, and what it
# finds becomes an @example in the file. No deadline: other work on the machine is no fault of ours.
settings.register_profile("gate", derandomize=True, deadline=None, database=None)
settings.register_profile("fuzz", max_examples=3000, deadline=None, print_blob=True)
settings.load_profile("gate")


@pytest.fixture(scope="session")
def shared():
    """The folder of real documents that may lie beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip(f"there is no {SHARED}: the real documents are looked at where they are")
    return SHARED


@pytest.fixture
def namespace():
    """The name of a network namespace in which only the loopback device is up.

    Nothing can leave it, so that the platform's own address may be served and asked there. Where
    none can be made the test is skipped; in CI that is a failure, or nobody would notice.
    """
    name = f"imds-test-{os.getpid()}-{next(NAMESPACES)}"
    without = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("ip") is None:
        without("a network namespace needs Linux, root and the ip command of iproute2")
    ip = ["ip", "netns"]
    made = subprocess.run([*ip, "add", name], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        without(f"no network namespace here: {made.stderr.strip()}")
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        yield name
    finally:
        subprocess.run([*ip, "del", name], check=True)
