"""The paths of the agent's own files."""

from __future__ import annotations

from bootstrap.layout import LIBRARY, RUNTIME

INSTANCES = f"{LIBRARY}/instances"
# Not in an instance's folder, because it is read before the instance's id is known.
JOURNAL = f"{LIBRARY}/journal.json"
CURRENT = f"{LIBRARY}/instance"  # a link to the folder of this machine
LOCK = f"{RUNTIME}/lock"
STATUS = f"{RUNTIME}/status.json"
STATE_NAME = "state.json"
PRIVATE_FOLDER = 0o700
PUBLIC_FOLDER = 0o755  # everybody may read status.json
PRIVATE_FILE = 0o600

SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")


def folder_name(vm_id: str) -> str:
    """Return the name of a machine's folder: its id, with unsafe characters replaced by `_`."""
    return "".join(letter if letter in SAFE else "_" for letter in vm_id) or "_"


def instance_folder(vm_id: str) -> str:
    """Return the folder of one machine's state."""
    return f"{INSTANCES}/{folder_name(vm_id)}"


def state_file(vm_id: str) -> str:
    """Return the file of one machine's state."""
    return f"{instance_folder(vm_id)}/{STATE_NAME}"
