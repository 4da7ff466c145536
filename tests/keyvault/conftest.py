"""Vaults for tests, and a machine that asks them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bootstrap.imds.clouds import cloud_of
from bootstrap.keyvault.fetch import fetch
from bootstrap.secret import Secret
from bootstrap.settings import VaultSettings

sys.path.insert(0, str(Path(__file__).parent))  # tests are no package
from scripted_vault import TOKEN, Authority, Vault, reference


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"), "ours")


@pytest.fixture(scope="session")
def stranger(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"), "stranger")


@pytest.fixture
def vault(authority):
    """A function that starts a vault with these steps."""
    started = []

    def start(*steps, paths=None, context=None, plain=False):
        one = Vault(paths or steps, None if plain else context or authority.context())
        started.append(one)
        return one

    yield start
    for one in started:
        one.stop()


class Identity:
    """Gives a new token after each that was forgotten."""

    def __init__(self):
        self.asked = []
        self.forgotten = []

    def token(self, audience, selector):
        """As `Identity.token`."""
        self.asked.append((audience, str(selector)))
        return Secret(f"{TOKEN}-{len(self.forgotten)}")

    def forget(self, audience, selector, refused):
        """As `Identity.forget`."""
        self.forgotten.append(refused.reveal())


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.now = 1000.0
        self.slept = []

    def __call__(self):
        """Seconds, from some moment on."""
        return self.now

    def sleep(self, seconds):
        """Move the time."""
        self.slept.append(seconds)
        self.now += seconds

    @property
    def waited(self):
        """Seconds since the clock was made."""
        return self.now - 1000.0


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def identity():
    return Identity()


@pytest.fixture
def get(authority, clock, identity):
    """A function that fetches from a vault, with the clock that sleeping moves."""

    def run(vault, *, references=None, cloud="AzurePublicCloud", deadline=100.0, real=None, **more):
        settings = {"endpoint": vault.endpoint, "ca_file": str(authority.file), "grace": 30.0}
        settings |= more.pop("settings", {})
        references = references or {"secrets.db": reference()}
        time = real or clock
        keys = {
            "token": identity.token,
            "forget": identity.forget,
            "now": lambda: 1_800_000_000.0,
            "uniform": lambda _, high: high,
            "clock": time,
            "sleep": clock.sleep,
            **more,
        }
        return fetch(
            references,
            cloud=cloud_of(cloud),
            settings=VaultSettings(**settings),
            deadline=time() + deadline,
            **keys,
        )

    return run
