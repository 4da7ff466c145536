"""What each key of a machine file may hold: a table for the machine, its identities, a fault."""

from __future__ import annotations

import re
import uuid
from threading import TIMEOUT_MAX

from bootstrap.frozen import Frozen
from bootstrap.imds.versions import KNOWN_VERSIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_STATUSES = range(200, 600)  # of final answers
_LINE = re.compile(r"[^\r\n]*")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 5.6.2: a header's name


class Kind(Frozen, kw_only=False):
    """One sort of value: `words` complete the sentence "… is not", `accepts` decides."""

    words: str
    accepts: Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return 0 <= value <= TIMEOUT_MAX  # neither .inf nor .nan: threads wait for such times


def _is_count(value: Any) -> bool:
    return _is_number(value) and isinstance(value, int)


def _is_times(value: Any) -> bool:
    return value == "forever" or (_is_count(value) and bool(value))


def _is_status(value: Any) -> bool:
    return isinstance(value, int) and value in _STATUSES


def _is_uuid(value: Any) -> bool:
    try:
        return isinstance(value, str) and str(uuid.UUID(value)) == value.lower()
    except ValueError:
        return False


def _is_url(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and bool(_LINE.fullmatch(value))


def _is_headers(value: Any) -> bool:
    return isinstance(value, dict) and all(
        _TOKEN.fullmatch(str(name)) and isinstance(said, (str, int)) and _LINE.fullmatch(str(said))
        for name, said in value.items()
    )


def _is_versions(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(v in KNOWN_VERSIONS for v in value)


TEXT = Kind("text", _is_text)
SECONDS = Kind("a number of seconds", _is_number)
RATE = Kind("a number of requests per second, 0 for no limit", _is_number)
COUNT = Kind("a count from 0", _is_count)
MAPPING = Kind("a mapping", lambda value: isinstance(value, dict))
LIST = Kind("a list", lambda value: isinstance(value, list))
SWITCH = Kind("`true` or `false`", lambda value: isinstance(value, bool))
UUID = Kind("a UUID", _is_uuid)
_FLAG = Kind("`true`", lambda value: value is True)

MACHINE: dict[str, Kind] = {
    "name": TEXT,
    "location": TEXT,
    "vmId": UUID,
    "environment": TEXT,
    "tags": MAPPING,
    "userData": TEXT,
    "userDataFile": TEXT,
    "userDataBase64": TEXT,
    "compute": MAPPING,
    "network": Kind("a mapping or null", lambda value: value is None or isinstance(value, dict)),
    "apiVersions": Kind("a list of api-versions of IMDS", _is_versions),
    "rate": RATE,
    "faults": LIST,
    "gone": SECONDS,
    "starts": SECONDS,
    "identities": MAPPING,
    "identityDelay": SECONDS,
    "identityRate": RATE,
    "identityFaults": LIST,
    "tokenLifetime": SECONDS,
    "arc": MAPPING,
    "vaults": MAPPING,
}

IDENTITIES: dict[str, Kind] = {"system": SWITCH, "user": LIST}

IDENTITY: dict[str, Kind] = {"clientId": UUID, "objectId": UUID, "resourceId": TEXT}

ARC: dict[str, Kind] = {"tokens": TEXT, "announced": TEXT, "oldAgent": SWITCH}

FAULT: dict[str, Kind] = {
    "times": Kind("a count from 1, or `forever`", _is_times),
    "status": Kind("a status from 200 to 599", _is_status),
    "headers": Kind("a mapping of header names to one-line text", _is_headers),
    "body": TEXT,
    "delay": SECONDS,
    "drip": Kind("a number of seconds between bytes", _is_number),
    "truncate": Kind("a number of bytes", _is_count),
    "reset": _FLAG,
    "silence": _FLAG,
    "html": _FLAG,
    "partial": Kind("`true` or `always`", lambda value: value is True or value == "always"),
    "redirect": Kind("a URL", _is_url),
}

# What any service may do wrong: IMDS alone answers in part.
SERVICE_FAULT = {key: kind for key, kind in FAULT.items() if key != "partial"}

# Faults that may stand alone, as `- reset`, for `- {reset: true}`.
FAULT_WORDS = ("reset", "silence", "html", "partial")

# What a fault cannot be combined with: each gives the client another answer, or none.
_ANSWERS = {"status", "headers", "body", "html", "partial", "redirect"}
FAULT_EXCLUDES: dict[str, set[str]] = {
    "silence": {"reset", "drip", "truncate", *_ANSWERS},
    "reset": {"silence", "drip", "truncate", *_ANSWERS},
    "partial": {"status", "body", "html", "redirect"},
    "html": {"body", "redirect"},
}
