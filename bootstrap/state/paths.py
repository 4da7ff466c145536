"""Where the agent keeps what it remembers."""

from __future__ import annotations

from bootstrap.layout import LIBRARY, RUNTIME

INSTANCES = f"{LIBRARY}/instances"
JOURNAL = f"{LIBRARY}/journal.json"  # not in an instance's folder: it is found before the id is
CURRENT = f"{LIBRARY}/instance"  # a link to the folder of the machine that this is
LOCK = f"{RUNTIME}/lock"
STATUS = f"{RUNTIME}/status.json"
STATE_NAME = "state.json"
PRIVATE_FOLDER = 0o700
PUBLIC_FOLDER = 0o755  # status.json is for everybody
PRIVATE_FILE = 0o600

SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")


def folder_name(vm_id: str) -> str:
    """The name of a machine's folder: its id, with whatever could lead elsewhere replaced."""
    return "".join(letter if letter in SAFE else "_" for letter in vm_id) or "_"


def instance_folder(vm_id: str) -> str:
    """The folder in which one machine's state lies."""
    return f"{INSTANCES}/{folder_name(vm_id)}"


def state_file(vm_id: str) -> str:
    """The file that holds one machine's state."""
    return f"{instance_folder(vm_id)}/{STATE_NAME}"
