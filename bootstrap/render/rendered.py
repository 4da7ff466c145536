"""What goes into the rendering and what comes out of it; light, for rooms that only hand it on."""

from __future__ import annotations

from bootstrap.frozen import Frozen, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.config.model import FileSpec

PLAIN_MODE, SECRET_MODE = 0o644, 0o600


class Template(Frozen, kw_only=False):
    """One template: what a person calls it (a path, for messages), and its text."""

    origin: str
    text: str


class Rendered(Frozen):
    """The content that one file shall have.

    `secret` is true when the rendering looked at a secret, whether or not it was printed;
    `source` says of which secret a sealed credential was made.
    """

    spec: FileSpec
    content: bytes = field(repr=False)
    secret: bool
    source: str = ""

    @property
    def mode(self) -> int:
        """The permission bits that the file shall have: the document's word, or the usual ones."""
        if self.spec.mode is not None:
            return self.spec.mode
        return SECRET_MODE if self.secret else PLAIN_MODE
