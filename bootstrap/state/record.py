"""The record of one machine: what was done, in JSON that is plain to read and strictly read."""

from __future__ import annotations

import json
import os

from bootstrap.frozen import Frozen, field, fields_of
from bootstrap.fs.path import is_absolute
from bootstrap.state.manifest import Written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

SCHEMA = 1  # a record of another schema is not guessed at
MAX_ID = 2**32 - 1
MAX_MODE = 0o7777
SHA256_LENGTH = 64


class State(Frozen):
    """What is remembered of one machine.

    `fingerprint` stands for everything that went in: when it is the same and the files in
    `written` (by path) are as they were left, there is nothing to do. `pending_handlers` are due
    at the next run. `settings` belongs to the agent, which keeps there what an unchanged boot
    shall not have to parse again. `floating` says that a secret is wanted in its current version,
    so that a run has to ask for it whatever else is the same. `environment` is the one that was
    picked, empty where none was. `configured_at` is a time in ISO 8601, empty before the first
    success; `result` is the agent's word for how the last run ended. Holds no secret.
    """

    vm_id: str
    agent_version: str = ""
    fingerprint: str = ""
    written: Mapping[str, Written] = field(default_factory=dict)
    pending_handlers: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    floating: bool = False
    environment: str = ""
    configured_at: str = ""
    result: str = ""


class Damaged(ValueError):
    """The bytes are not a record that this version wrote."""


def encode(state: State) -> bytes:
    """The record as bytes, always the same for the same state."""
    return json.dumps(as_record(state), indent=1).encode("ascii") + b"\n"


def as_record(state: State) -> dict[str, Any]:
    """The record as JSON has it."""
    return {
        "schema": SCHEMA,
        "vm_id": state.vm_id,
        "agent_version": state.agent_version,
        "result": state.result,
        "configured_at": state.configured_at,
        "fingerprint": state.fingerprint,
        "floating": state.floating,
        "environment": state.environment,
        "pending_handlers": list(state.pending_handlers),
        "written": [_as_dict(written) for written in state.written.values()],
        "settings": dict(state.settings),
    }


def _as_dict(written: Written) -> dict[str, object]:
    record: dict[str, object] = {name: getattr(written, name) for name in fields_of(Written)}
    worn = written.attributes
    if worn is not None:
        record["attributes"] = {name: value.hex() for name, value in worn.items()}
    if not written.acl:
        del record["acl"]
    return record | {"mode": f"{written.mode:04o}"}


def decode(data: bytes) -> State:
    """The state that the bytes hold. Raises Damaged, and nothing else, when they hold none."""
    try:
        return from_record(json.loads(data))
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
        if isinstance(error, Damaged):
            raise
        raise Damaged(f"it is not JSON: {type(error).__name__}") from error


def from_record(fields: object) -> State:
    """The state that `as_record` made a record of. Raises Damaged for anything else."""
    record = _Record(fields)
    if record.take("schema", int) != SCHEMA:
        raise Damaged(f"its schema is not {SCHEMA}")
    written = [_written(_Record(entry)) for entry in record.take("written", list)]
    handlers = record.take("pending_handlers", list)
    if not all(type(name) is str for name in handlers):
        raise Damaged("pending_handlers holds something that is not a name")
    return State(
        vm_id=record.take("vm_id", str),
        agent_version=record.take("agent_version", str),
        fingerprint=record.take("fingerprint", str),
        floating=record.take("floating", bool),
        environment=record.take_later("environment", default=""),
        written={entry.path: entry for entry in written},
        pending_handlers=tuple(handlers),
        settings=record.take("settings", dict),
        configured_at=record.take("configured_at", str),
        result=record.take("result", str),
    )


class _Record:
    """A JSON object of which each field has to be there, with the right type."""

    __slots__ = ("_fields",)

    def __init__(self, fields: object) -> None:
        if not isinstance(fields, dict):
            raise Damaged("it holds something that is not an object")
        self._fields = fields

    def take(self, name: str, kind: type) -> Any:
        value = self._fields.get(name)
        if type(value) is not kind:  # a bool is an int, and is not meant
            raise Damaged(f"{name} is missing or is not {kind.__name__}")
        return value

    def take_later(self, name: str, default: Any) -> Any:
        """A field that older records lack."""
        return self.take(name, type(default)) if name in self._fields else default

    def take_attributes(self) -> dict[str, bytes] | None:
        if self._fields.get("attributes") is None:
            return None
        return {_name(name): _bytes(text) for name, text in self.take("attributes", dict).items()}

    def take_id(self, name: str) -> int:
        value = self.take(name, int)
        if not 0 <= value < MAX_ID:
            raise Damaged(f"{name} is out of range")
        return int(value)


def _written(record: _Record) -> Written:
    return Written(
        path=_path(record.take("path", str)),
        sha256=_digest(record.take("sha256", str)),
        mode=_mode(record.take("mode", str)),
        uid=record.take_id("uid"),
        gid=record.take_id("gid"),
        acl=record.take_later("acl", default=""),
        ours=record.take("ours", bool),
        once=record.take("once", bool),
        follow=record.take("follow", bool),
        secret=record.take("secret", bool),
        source=record.take("source", str),
        in_place=record.take_later("in_place", default=False),
        attributes=record.take_attributes(),
    )


def _name(text: str) -> str:
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        raise Damaged("a name is not text") from None
    if "\0" in text:
        raise Damaged("a name holds a zero")
    return text


def _path(text: str) -> str:
    if not is_absolute(text):
        raise Damaged("a path is not absolute")
    return _name(text)


def _bytes(text: object) -> bytes:
    try:
        return bytes.fromhex(text if isinstance(text, str) else "-")
    except ValueError:
        raise Damaged("an attribute is not hexadecimal") from None


def _digest(text: str) -> str:
    if len(text) != SHA256_LENGTH or not text.isalnum():
        raise Damaged("a digest is not SHA-256")
    return text


def _mode(text: str) -> int:
    try:
        mode = int(text, 8)
    except ValueError:
        raise Damaged("a mode is not octal") from None
    if not 0 <= mode <= MAX_MODE:
        raise Damaged("a mode is out of range")
    return mode
