"""One finding of an error, and which words of it are for everybody."""

from __future__ import annotations

MAX_NAME = 253  # characters, as of the longest host name
IN_NAMES = "_-.@/$"
LEFT_OUT = "…"
# A step of a path as `format_path` writes it: `.key`, `["a.key"]` or `[0]`.
STEP = r'(?s)(\.?)(?:([^.\[\]"]+)|\["((?:[^"\\]|\\.)*)"\]|(\[\d+\]))'


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


def is_name(text: str) -> bool:
    """Return whether a key can be told to everybody: it has the form of a name.

    In `{password:hunter2}`, without a blank after the colon, YAML reads all of it as a key.
    """
    return 0 < len(text) <= MAX_NAME and all(c.isalnum() or c in IN_NAMES for c in text)


def public_path(path: str) -> str:
    """Return a path of keys for everybody: each key that is no name is left out as `…`."""
    import re  # only a run that failed asks

    def told(step: re.Match[str]) -> str:
        dot, key, quoted, index = step.groups()
        if quoted is not None:
            return step[0] if is_name(quoted) else f'["{LEFT_OUT}"]'
        return step[0] if index or is_name(key) else f"{dot}{LEFT_OUT}"

    return path if isinstance(path, Public) else re.sub(STEP, told, path)


class Problem:
    """One finding, at one place in something that a person wrote.

    `where` is the place as a person writes it (`userData:4:11`), `path` the key
    (`files[0].mode`) or, marked as `Public`, a file's, `text` the line of the source without its
    newline (empty when it must not be shown), `column` where the finding starts in it (from 1) and
    `width` how many characters it takes. `public` is the finding for everybody, where it differs
    from the message.
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
        told = {"where": self.where, "path": public_path(self.path)}
        words = {"message": public(self.public or self.message), "hint": public(self.hint)}
        return told | {name: text for name, text in words.items() if text}
