"""One finding of an error, and which words of it are for everybody."""

from __future__ import annotations


class Public(str):
    """A text that every user of the machine may read.

    It may name keys, paths, templates, handlers, secrets, vaults, tags, accounts and programs. It
    never quotes a value, a content, a line of a source, an argument of a command, or the words of
    a server or a command. An f-string, a sum or a join of such texts is a plain `str` again, so
    that a text is public only where somebody said so.
    """

    __slots__ = ()


def public(text: str) -> str:
    """Return the text if it is marked as `Public`, else nothing."""
    return text if isinstance(text, Public) else ""


class Problem:
    """One finding, at one place in something that a person wrote.

    `where` is the place as a person writes it (`userData:4:11`), `path` the key
    (`files[0].mode`), `text` the line of the source without its newline (empty when it must not
    be shown), `column` where the finding starts in it (from 1) and `width` how many characters
    it takes. `public` is the finding for everybody, where it differs from the message.
    """

    __slots__ = ("column", "hint", "message", "path", "public", "text", "where", "width")

    def __init__(
        self,
        message: str,
        *,
        where: str = "",
        path: str = "",
        text: str = "",
        column: int = 0,
        width: int = 1,
        hint: str = "",
        public: Public | None = None,
    ) -> None:
        self.message = message
        self.public = public
        self.where = where
        self.path = path
        self.text = text
        self.column = column
        self.width = width
        self.hint = hint

    def __repr__(self) -> str:
        return f"Problem({self.where} {self.path}: {self.message})"

    def as_dict(self) -> dict[str, object]:
        """The finding for a program: only the fields that say something."""
        fields = ("message", "where", "path", "hint")
        return {name: getattr(self, name) for name in fields if getattr(self, name)}

    def as_public(self) -> dict[str, str]:
        """Return the finding for everybody: its place, and its words where they are `Public`."""
        told = {"where": self.where, "path": self.path}
        words = {"message": public(self.public or self.message), "hint": public(self.hint)}
        return told | {name: text for name, text in words.items() if text}
