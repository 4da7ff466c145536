"""How YAML 1.1 reads a plain scalar, and which scalars a document may hold.

PyYAML reads YAML 1.1, and the users of cloud-init know it: 0644 is 420 and `no` is false. Readings
that may not be meant are recorded, so that a later problem can name them.
"""

from __future__ import annotations

import re
from math import isfinite

from bootstrap.document.tree import Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Scalar: TypeAlias = "str | int | float | bool | None"

YAML = "tag:yaml.org,2002:"
TEXT = {YAML + "str", YAML + "value", "!"}
OCTAL = re.compile(r"[-+]?0[0-7_]+")
BOOLEANS = {"yes": True, "on": True, "true": True, "no": False, "off": False, "false": False}
PLAIN_BOOLEANS = {"true", "false"}
BASES = {"0b": 2, "0x": 16}
MAX_DIGITS = 100
SECONDS = 60  # sexagesimal: 12:30 is 12 * 60 + 30

EXPLICIT = "explicit"  # any tag that was written out (!vault, !!binary)

UNSUPPORTED = {
    YAML + "timestamp": ("YAML reads this as a date", "quote it, and it stays text"),
    YAML + "merge": ("merge keys (<<) are not supported", "write the keys out"),
    EXPLICIT: ("tags are not supported", "leave the tag out"),
}


class Refused(Exception):
    """A scalar that a document may not hold; the message does not repeat it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def read(tag: str, raw: str) -> tuple[Scalar, Reading | None]:
    """Return the value of the scalar `raw` that YAML resolved to `tag`, and how it may be misread.

    The Reading is None if the scalar does not look misread. Raises Refused for a scalar that a
    document may not hold.
    """
    kind = tag.removeprefix(YAML)
    if tag in TEXT:
        return raw, None
    if kind == "null":
        return None, None
    if kind == "bool":
        return _boolean(raw)
    if kind in {"int", "float"}:
        return _number(raw, kind)
    raise Refused(*UNSUPPORTED.get(tag, UNSUPPORTED[EXPLICIT]))


def _boolean(raw: str) -> tuple[bool, Reading | None]:
    word = raw.casefold()
    value = BOOLEANS[word]
    return value, None if word in PLAIN_BOOLEANS else Reading(raw, "boolean-word", value)


def _number(raw: str, kind: str) -> tuple[int | float, Reading | None]:
    digits = raw.replace("_", "")
    if len(digits) > MAX_DIGITS:
        raise Refused("the number is too large", "quote it, and it stays text")
    if ":" in digits:
        value = _sexagesimal(digits, float if kind == "float" else int)
        return value, Reading(raw, "sexagesimal", value)
    try:
        value = _float(digits) if kind == "float" else _integer(digits)
    except ValueError:
        raise Refused("this looks like a number and is none", "quote it: it is text") from None
    octal = kind == "int" and OCTAL.fullmatch(raw)
    return value, Reading(raw, "octal", value) if octal else None


def _integer(digits: str) -> int:
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    base = BASES.get(digits[:2], 8 if digits.startswith("0") else 10)
    return sign * int(digits, base if digits != "0" else 10)


def _float(digits: str) -> float:
    if digits.casefold().lstrip("+-") in {".inf", ".nan"}:
        raise Refused("infinity and not-a-number have no place in a document", "quote it")
    value = float(digits)
    if not isfinite(value):
        raise Refused("the number is too large", "quote it, and it stays text")
    return value


def _sexagesimal(digits: str, number: type[int | float]) -> int | float:
    sign = -1 if digits.startswith("-") else 1
    value: int | float = 0
    for part in digits.lstrip("+-").split(":"):
        value = value * SECONDS + number(part)
    return sign * value
