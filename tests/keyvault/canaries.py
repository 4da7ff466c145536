"""Values that are nowhere else in the world, and a search for any trace of them."""

from __future__ import annotations

import base64
import gzip
import io
import json
import random
import re
import string
import zipfile
from urllib.parse import quote, quote_plus

PIECE = 8  # characters: less is met by chance, more lets half of a password through
HEX_PIECE = 2 * PIECE
ODD = '"\\' + "\n%" + "+/é"  # each encoding writes some of these in its own way


class Canaries:
    """Every value that must not be told, by a name that may be."""

    def __init__(self, seed: int = 1) -> None:
        self._chance = random.Random(seed)
        self._pieces: dict[bytes, str] = {}
        self._hex_pieces: dict[bytes, str] = {}

    def plain(self, name: str) -> str:
        """A new value of letters and digits."""
        return self.add(name, self._letters(32))

    def odd(self, name: str) -> str:
        """A new value that no encoding leaves as it is."""
        return self.add(name, self._letters(16) + ODD + self._letters(16))

    def add(self, name: str, text: str) -> str:
        """Search for this value, too; gives it back."""
        for form in encodings(text).values():
            self._pieces |= dict.fromkeys(_pieces(form, PIECE), name)
        digits = text.encode().hex().encode()
        self._hex_pieces |= dict.fromkeys(_pieces(digits, HEX_PIECE)[::2], name)
        return text

    def found_in(self, content: bytes) -> set[str]:
        """The names of the values of which there is a trace, however it is wrapped or packed."""
        found = set()
        for text in unpacked(content):
            for layout in (text, b"".join(text.split())):
                found |= {self._pieces[one] for one in self._pieces.keys() & _windows(layout)}
                found |= self._in_hex(layout.lower())
        return found

    def _in_hex(self, text: bytes) -> set[str]:
        runs = re.findall(rb"[0-9a-f]{%d,}" % HEX_PIECE, text)
        seen = {one for run in runs for one in _pieces(run, HEX_PIECE)}
        return {self._hex_pieces[one] for one in self._hex_pieces.keys() & seen}

    def _letters(self, count: int) -> str:
        return "".join(self._chance.choices(string.ascii_letters + string.digits, k=count))


def encodings(text: str) -> dict[str, bytes]:
    """The text in every form in which it must not be found, hex aside."""
    raw = text.encode()
    forms = {
        "plain": raw,
        "JSON": json.dumps(text)[1:-1].encode(),
        "JSON with letters": json.dumps(text, ensure_ascii=False)[1:-1].encode(),
        "repr": repr(text)[1:-1].encode(),
        "repr of bytes": repr(raw)[2:-1].encode(),
        "URL": quote(text, safe="").encode(),
        "URL path": quote(text).encode(),
        "form": quote_plus(text).encode(),
    }
    for shift in range(3):  # where it may begin within a longer text
        for name, encode in (("", base64.b64encode), ("URL-safe ", base64.urlsafe_b64encode)):
            forms[f"{name}base64, shifted by {shift}"] = _middle(encode, raw, shift)
    return forms


def _middle(encode, raw, shift):
    """The characters of a longer text's base64 that hold nothing but `raw`."""
    first = (8 * shift + 5) // 6
    last = 8 * (shift + len(raw)) // 6
    return encode(bytes(shift) + raw)[first:last]


def _pieces(text, size):
    return [text[at : at + size] for at in range(len(text) - size + 1)]


def _windows(text):
    return set(_pieces(text, PIECE))


def unpacked(content: bytes) -> list[bytes]:
    """The content, and what is packed in it."""
    if content.startswith(b"\x1f\x8b"):
        return [content, *unpacked(gzip.decompress(content))]
    if content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [unpacked(archive.read(name)) for name in archive.namelist()]
        return [content, *(text for member in members for text in member)]
    return [content]
