"""What each key of a vault in a machine file may hold."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from bootstrap.emulator.kinds import COUNT, LIST, MAPPING, RATE, SECONDS, SWITCH, TEXT, UUID, Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates
VAULT_NAME = re.compile(r"[0-9A-Za-z-]{3,24}")
OBJECT_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")
_VERSION = re.compile(r"[0-9a-f]{32}")
_SUBJECT = re.compile(r"CN=[^,+=\\]+")
_VALUE = 25 * 1024  # bytes of a secret's value

# The refusals of a caller; SecretDisabled is the secret's own, by `enabled: false`.
FORBIDDEN = ("AccessDenied", "ForbiddenByRbac", "ForbiddenByFirewall", "ForbiddenByConnection")


def moment(value: Any) -> int | None:
    """Seconds since 1970 of an ISO 8601 time, in UTC unless it says otherwise, or of a number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        time = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return None
    return int((time if time.tzinfo else time.replace(tzinfo=timezone.utc)).timestamp())


def _is_value(value: Any) -> bool:
    return isinstance(value, str) and len(value.encode()) <= _VALUE


def _is_version(value: Any) -> bool:
    return isinstance(value, str) and bool(_VERSION.fullmatch(value))


def _is_subject(value: Any) -> bool:
    return isinstance(value, str) and bool(_SUBJECT.fullmatch(value))


def _one_of(*words: str) -> Kind:
    quoted = [f"`{word}`" for word in words]
    listed = f"{', '.join(quoted[:-1])} or {quoted[-1]}"
    return Kind(listed, lambda value: isinstance(value, str) and value in words)


def _list_of(kind: Kind, words: str) -> Kind:
    return Kind(words, lambda value: isinstance(value, list) and all(map(kind.accepts, value)))


_FORBIDDEN = _one_of(*FORBIDDEN)
_MOMENT = Kind("a time such as 2030-01-31T12:00:00Z", lambda value: moment(value) is not None)

VAULT: dict[str, Kind] = {
    "secrets": MAPPING,
    "certificates": MAPPING,
    "forbidden": _FORBIDDEN,
    "grantAfter": SECONDS,
    "allowed": _list_of(UUID, "a list of client ids"),
    "rate": RATE,
    "faults": LIST,
}

SECRET_VERSION: dict[str, Kind] = {
    "value": Kind("text of at most 25 KB", _is_value),
    "version": Kind("32 digits of lower-case hex", _is_version),
    "contentType": TEXT,
    "enabled": SWITCH,
    "notBefore": _MOMENT,
    "expires": _MOMENT,
}

SECRET: dict[str, Kind] = {**SECRET_VERSION, "versions": LIST, "forbidden": _FORBIDDEN}

CERTIFICATE: dict[str, Kind] = {
    "subject": Kind("a subject such as CN=shop", _is_subject),
    "names": _list_of(TEXT, "a list of DNS names"),
    "form": _one_of("pfx", "pem"),
    "key": _one_of("rsa", "ec"),
    "days": Kind("a number of days", SECONDS.accepts),
    "renewed": COUNT,
    "enabled": SWITCH,
    "forbidden": _FORBIDDEN,
}
