"""The state of one machine as JSON that people can read and that is read strictly."""

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

SCHEMA = 1  # a record with another schema number is treated as damaged
MAX_ID = 2**32 - 1
MAX_MODE = 0o7777
SHA256_LENGTH = 64
MAX_DEPTH = 100  # of an unknown field: what can be read must be possible to write


class State(Frozen):
    """The state that is saved for one machine.

    `fingerprint` is a digest of all input: if it is equal and the files in `written` (by path) are
    as they were left, there is nothing to do. `pending_handlers` are due at the next run.
    `settings` belongs to the agent, which saves there what an unchanged boot should not parse
    again. `floating` says that a secret is wanted in its current version, so that a run must ask
    for it even if everything else is equal. `environment` is the selected one, empty if there is
    none. `configured_at` is a time in ISO 8601, empty before the first success; `result` is the
    agent's name for how the last run ended. `unknown` are the fields that this version does not
    know, because a later one wrote them: they are written again unchanged.
    Holds no secret.
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
    unknown: Mapping[str, Any] = field(default_factory=dict)


class Damaged(ValueError):
    """The bytes are not a record that this version wrote."""


def encode(state: State) -> bytes:
    """Return the record as bytes, always the same for the same state."""
    return json.dumps(as_record(state), indent=1).encode("ascii") + b"\n"


def as_record(state: State) -> dict[str, Any]:
    """Return the record as a JSON object."""
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
        **state.unknown,
    }


def _as_dict(written: Written) -> dict[str, object]:
    record: dict[str, object] = {name: getattr(written, name) for name in fields_of(Written)}
    del record["unknown"]
    attributes = written.attributes
    if attributes is not None:
        record["attributes"] = {name: value.hex() for name, value in attributes.items()}
    if not written.acl:
        del record["acl"]
    return record | {"mode": f"{written.mode:04o}", **written.unknown}


def decode(data: bytes) -> State:
    """Return the state that the bytes hold. Raises only Damaged, if they hold none."""
    try:
        return from_record(json.loads(data))
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
        if isinstance(error, Damaged):
            raise
        raise Damaged(f"it is not JSON: {type(error).__name__}") from error


def from_record(fields: object) -> State:
    """Return the state from a record of `as_record`. Raises Damaged for anything else."""
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
        unknown=record.others(State),
    )


class _Record:
    """A JSON object in which every field is required, with the right type."""

    __slots__ = ("_fields",)

    def __init__(self, fields: object) -> None:
        if not isinstance(fields, dict):
            raise Damaged("it holds something that is not an object")
        self._fields = fields

    def take(self, name: str, kind: type) -> Any:
        value = self._fields.get(name)
        if type(value) is not kind:  # a bool is an int, but is not accepted as one
            raise Damaged(f"{name} is missing or is not {kind.__name__}")
        return value

    def take_later(self, name: str, default: Any) -> Any:
        """Return a field that older records lack."""
        return self.take(name, type(default)) if name in self._fields else default

    def others(self, kind: type[Frozen]) -> dict[str, Any]:
        """Return the fields of a later version: those that are not fields of this class."""
        known = {"schema", *fields_of(kind)} - {"unknown"}
        others = {name: value for name, value in self._fields.items() if name not in known}
        if not _is_flat(others, MAX_DEPTH):
            raise Damaged("a field is nested too deeply")
        return others

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
        unknown=record.others(Written),
    )


def _is_flat(value: object, depth: int) -> bool:
    """Return whether at most `depth` objects and lists are nested in each other."""
    if not isinstance(value, (dict, list)):
        return True
    members = value.values() if isinstance(value, dict) else value
    return depth > 0 and all(_is_flat(member, depth - 1) for member in members)


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
