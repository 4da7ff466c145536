"""What all tests share: nothing leaves loopback, and where things lie."""

import os
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
CHECKOUT = TESTS.parent
SHARED = CHECKOUT.parent / "shared"

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


@pytest.fixture(scope="session")
def shared():
    """The folder of real documents that may lie beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip(f"there is no {SHARED}: the real documents are looked at where they are")
    return SHARED
