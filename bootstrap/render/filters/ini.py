"""A value as an INI file, in the part of the format on which its many readers agree.

No escape is known to all of them. So a text that needs one is refused, never changed.
"""

from __future__ import annotations

from bootstrap.render.errors import FilterError, kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_KEY_STARTS = "[#;"
_KEY_ENDS = "=:"


def write(value: Any, separator: str = " = ") -> str:
    """Return the INI text of a mapping of scalars and of sections (mappings of scalars).

    The scalars come first.
    """
    if not isinstance(value, dict):
        raise FilterError(f"an INI file is a mapping, and this is {kind(value)}")
    if separator.strip(" ") not in {"=", ":"}:
        raise FilterError("INI's separator is = or :, with or without spaces")
    sections = {key: item for key, item in value.items() if isinstance(item, dict)}
    own = {key: item for key, item in value.items() if key not in sections}
    blocks = ["".join(_pairs("", own, separator))] if own else []
    for name, pairs in sections.items():
        blocks.append(f"[{_section(name)}]\n" + "".join(_pairs(f"{name}.", pairs, separator)))
    return "\n".join(blocks)


def _section(name: str) -> str:
    if not name or not _is_one_line(name) or "]" in name:
        raise FilterError("the name of an INI section is one line of text without ]")
    return name


def _pairs(prefix: str, pairs: dict[str, Any], separator: str) -> Iterator[str]:
    for key, value in pairs.items():
        yield f"{_key(key)}{separator}{_value(prefix + key, value)}".rstrip(" ") + "\n"


def _key(key: str) -> str:
    wrong = not key or key[0] in _KEY_STARTS or any(sign in key for sign in _KEY_ENDS)
    if wrong or not _is_one_line(key):
        raise FilterError(
            "an INI key is one line of text without = and :, and begins with no [ # ;"
        )
    return key


def _value(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str):
        hint = "join it to one text first" if isinstance(value, list) else "leave the key out"
        raise FilterError(f"INI holds text and numbers, and `{name}` is {kind(value)}", hint=hint)
    if not _is_one_line(value):
        raise FilterError(f"INI cannot hold `{name}`: it has line breaks or spaces at its ends")
    return value


def _is_one_line(text: str) -> bool:
    return text == text.strip() and all(sign.isprintable() or sign == "\t" for sign in text)
