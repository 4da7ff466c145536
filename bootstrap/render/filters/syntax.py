r"""Filters that quote a value for one place of one syntax, or refuse it.

No result can end its line. A character that would end the line is escaped if the syntax has an
escape that all of its readers know, and refused if it has none. The rule is the same for a
character to which the program gives another meaning (`%` in a unit, `$` in nginx).
"""

from __future__ import annotations

import re
import shlex

from bootstrap.document.characters import CONTROL, name
from bootstrap.render.errors import FilterError
from bootstrap.render.filters.text import string

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Linux's MAX_ARG_STRLEN, which includes the NUL: the kernel passes no longer variable to a program.
# systemd itself reads lines of up to 1 MiB. A variable of this length is shorter than that, even if
# every character of it is escaped.
VARIABLE = 128 * 1024 - 1  # bytes
# NGX_CONF_BUFFER is 4096: nginx reads no longer word, including its quotes and escapes.
NGINX_WORD = 4000  # bytes
NGINX_PLAIN = re.compile(r"[A-Za-z0-9/][A-Za-z0-9_./:@+-]*")
SYSTEMD_ESCAPED = re.compile('["\\\\\x00-\x1f\x7f-\x9f\u2028\u2029]')
SYSTEMD_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
ONE_BYTE = 0x7F
NONCHARACTER = 0xFFFE
NO_CHARACTERS = (("\ud800", "\udfff"), ("\ufdd0", "\ufdef"))
REMOVE_HINT = "remove it; imds-bootstrap show config --origin tells which layer set the value"


def one_line(value: Any) -> str:
    """Return the text; fail if it holds a line break or a control character other than a tab."""
    text = string(value)
    if match := CONTROL.search(text.replace("\t", " ")):
        raise FilterError(
            f"this text has to stay on one line, and holds {name(match.group())}", hint=REMOVE_HINT
        )
    return text


def env_quote(value: Any) -> str:
    """Quote one line as a variable's value for systemd's EnvironmentFile= or a shell's `. file`."""
    return shlex.quote(_for_variable(one_line(value)))


def systemd_quote(value: Any) -> str:
    """Quote one word of a systemd unit, as in Environment=; for ExecStart=, first double a `$`."""
    text = _for_variable(string(value))
    if "\0" in text:
        raise FilterError("a unit cannot hold a NUL character")
    return f'"{SYSTEMD_ESCAPED.sub(_systemd_escape, text).replace("%", "%%")}"'


def nginx_quote(value: Any) -> str:
    """Quote one word of nginx's configuration; fail if it holds a `$`, which has no escape."""
    text = one_line(value)
    if "$" in text:
        hint = "write the value without it, or hold it to a `pattern` in the image's schema"
        raise FilterError("nginx cannot hold this text: it reads a `$` as a variable", hint=hint)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    word = text if NGINX_PLAIN.fullmatch(text) else f'"{escaped}"'
    if len(word.encode(errors="surrogatepass")) > NGINX_WORD:
        raise FilterError(f"a word of nginx's configuration has at most {NGINX_WORD} bytes")
    return word


def _systemd_escape(match: re.Match[str]) -> str:
    character = match.group()
    number = ord(character)
    byte = f"\\x{number:02x}"
    return SYSTEMD_SHORT.get(character) or (byte if number <= ONE_BYTE else f"\\u{number:04x}")


def _for_variable(text: str) -> str:
    """Return the text; raise FilterError if systemd or the kernel cannot pass it to a program."""
    if len(text.encode(errors="surrogatepass")) > VARIABLE:
        raise FilterError(
            f"a variable has at most {VARIABLE} bytes, its name and its value together"
        )
    if not text.isascii() and any(map(_is_no_character, text)):
        raise FilterError("systemd ignores a variable with a code point that is no character")
    return text


def _is_no_character(character: str) -> bool:
    """Return whether systemd's utf8_is_valid() refuses it: a surrogate or a noncharacter."""
    last_of_a_plane = ord(character) & NONCHARACTER == NONCHARACTER
    return last_of_a_plane or any(low <= character <= high for low, high in NO_CHARACTERS)
