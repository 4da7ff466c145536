"""Characters that a path in a document must not hold, because a person would misread them.

A path may hold ASCII and the letters, marks and digits of any script. Every other character of
Unicode (punctuation, symbols, blanks, invisible and formatting characters) looks like part of the
syntax of a path, or is invisible. So does a letter that is only another form of ASCII, such as a
full-width letter: https://www.unicode.org/reports/tr36/
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

LETTERS, MARK, DIGITS = "L", "M", "N"  # the first letters of Unicode's general categories
BLANK = frozenset({"Zs", "Zl", "Zp"})
UNSEEN = frozenset({"Cc", "Cf"})
# Letters and marks that are invisible: the rest of Default_Ignorable_Code_Point in
# https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt
INVISIBLE = frozenset({
    0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0,
    *range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0),
})  # fmt: skip
DOTTED = frozenset({0xA78F, *range(0xA4F8, 0xA4FE)})  # letters of Lisu that look like `.` and `..`
OVERLAY = 1  # the combining class of marks that are drawn across a letter, such as a slash
HINT = "write the path with letters and digits; ASCII punctuation is the only one it may hold"


def misread(path: str) -> Iterator[tuple[str, str]]:
    """Yield each character that the path must not hold, by code and name, and what is wrong."""
    if path.isascii() and path.isprintable():
        return
    before = "/"
    for character in path:
        if wrong := _wrong(character, before):
            yield _named(character), wrong
        before = character


def _wrong(character: str, before: str) -> str:
    """Return what is wrong with a character that follows `before`; empty if nothing is."""
    if character.isascii():
        return "" if character.isprintable() else "it cannot be seen"
    from unicodedata import category, normalize  # most paths are ASCII and do not need the tables

    kind, form = category(character), normalize("NFKC", character)
    if kind in UNSEEN or ord(character) in INVISIBLE:
        return "it cannot be seen"
    if kind in BLANK:
        return "it looks like a blank"
    if ord(character) in DOTTED or any(letter.isascii() for letter in form):
        return "it looks like a dot" if ord(character) in DOTTED else f"it looks like {form!r}"
    if kind[0] == MARK:
        return _wrong_mark(character, before)
    return "" if kind[0] in {LETTERS, DIGITS} else "it is neither a letter nor a digit"


def _wrong_mark(mark: str, before: str) -> str:
    """Return what is wrong with a mark that follows `before`; empty if nothing is."""
    from unicodedata import category, combining

    is_carried = category(before)[0] in {LETTERS, MARK, DIGITS} and combining(mark) != OVERLAY
    return "" if is_carried else "it changes how the character before it looks"


def _named(character: str) -> str:
    from unicodedata import name

    return f"U+{ord(character):04X} {name(character, 'without a name')}"
