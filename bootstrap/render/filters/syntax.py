r"""Filters that make a value fit for one place of one syntax, or refuse it.

Nothing that they give can end its line: what would is escaped where the syntax has an escape that
all of its readers know, and refused where it has none. What a program would read otherwise than it
is written (`%` in a unit, `$` in nginx) is treated alike.
"""

from __future__ import annotations

import re
import shlex

from bootstrap.document.characters import CONTROL, name
from bootstrap.render.errors import Refusal
from bootstrap.render.filters.text import string

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Linux's MAX_ARG_STRLEN, with its NUL: no program is given a longer variable. systemd itself reads
# lines of 1 MiB, which a variable of this length, every character of it escaped, does not reach.
VARIABLE = 128 * 1024 - 1  # bytes
# NGX_CONF_BUFFER is 4096: nginx reads no longer word, with its quotes and escapes.
NGINX_WORD = 4000  # bytes
NGINX_PLAIN = re.compile(r"[A-Za-z0-9/][A-Za-z0-9_./:@+-]*")
SYSTEMD_ESCAPED = re.compile('["\\\\\x00-\x1f\x7f-\x9f\u2028\u2029]')
SYSTEMD_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
ONE_BYTE = 0x7F
NONCHARACTER = 0xFFFE
NO_CHARACTERS = (("\ud800", "\udfff"), ("\ufdd0", "\ufdef"))
REMOVE_HINT = "remove it; imds-bootstrap show config --origin tells which layer set the value"


def one_line(value: Any) -> str:
    """The text, or an error if it holds a line break or a control character other than a tab."""
    text = string(value)
    if found := CONTROL.search(text.replace("\t", " ")):
        raise Refusal(
            f"this text has to stay on one line, and holds {name(found.group())}", hint=REMOVE_HINT
        )
    return text


def env_quote(value: Any) -> str:
    """A variable's value for systemd's EnvironmentFile= and a shell's `. file`; of one line."""
    return shlex.quote(_for_variable(one_line(value)))


def systemd_quote(value: Any) -> str:
    """One word of a systemd unit, as in Environment=; in ExecStart= double a `$` before."""
    text = _for_variable(string(value))
    if "\0" in text:
        raise Refusal("a unit cannot hold a NUL character")
    return f'"{SYSTEMD_ESCAPED.sub(_systemd_escape, text).replace("%", "%%")}"'


def nginx_quote(value: Any) -> str:
    """One word of nginx's configuration; an error if it holds a `$`, which has no escape there."""
    text = one_line(value)
    if "$" in text:
        hint = "write the value without it, or hold it to a `pattern` in the image's schema"
        raise Refusal("nginx cannot hold this text: it reads a `$` as a variable", hint=hint)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    word = text if NGINX_PLAIN.fullmatch(text) else f'"{escaped}"'
    if len(word.encode(errors="surrogatepass")) > NGINX_WORD:
        raise Refusal(f"a word of nginx's configuration has at most {NGINX_WORD} bytes")
    return word


def _systemd_escape(match: re.Match[str]) -> str:
    character = match.group()
    number = ord(character)
    byte = f"\\x{number:02x}"
    return SYSTEMD_SHORT.get(character) or (byte if number <= ONE_BYTE else f"\\u{number:04x}")


def _for_variable(text: str) -> str:
    """Return the text, if systemd and the kernel can hand it to a program."""
    if len(text.encode(errors="surrogatepass")) > VARIABLE:
        raise Refusal(f"a variable has at most {VARIABLE} bytes, its name and its value together")
    if not text.isascii() and any(map(_is_no_character, text)):
        raise Refusal("systemd ignores a variable with a code point that is no character")
    return text


def _is_no_character(character: str) -> bool:
    """Whether it is a surrogate or a noncharacter, which systemd's utf8_is_valid() refuses."""
    last_of_a_plane = ord(character) & NONCHARACTER == NONCHARACTER
    return last_of_a_plane or any(low <= character <= high for low, high in NO_CHARACTERS)
