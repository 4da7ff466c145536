"""Control characters, and their names in messages, which do not print them."""

from __future__ import annotations

import re

# C0, DEL and C1 (Unicode's category Cc), and the two separators that many programs read as the
# end of a line. https://www.unicode.org/versions/Unicode15.0.0/ch23.pdf, section 23.1
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# The same, without tab and line breaks, which every text file has.
CONTROL_IN_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
NAMES = {"\t": "a tab", "\n": "a line break", "\r": "a line break"}
SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
BYTE = 0xFF


def escape(character: str) -> str:
    r"""Return the character as YAML and JSON write it in double quotes: `\n`, `\x1b`, `\u2028`."""
    number = ord(character)
    return SHORT.get(character) or (f"\\x{number:02x}" if number <= BYTE else f"\\u{number:04x}")


def name(character: str) -> str:
    r"""Return the name of a control character: `a line break (\n)`, `U+001B (\x1b)`."""
    return f"{NAMES.get(character, f'U+{ord(character):04X}')} ({escape(character)})"


def escaped(text: str) -> str:
    """Return the text with every control character escaped, so that it fits on one line."""
    return CONTROL.sub(lambda match: escape(match.group()), text)
