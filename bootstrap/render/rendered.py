"""The input and the output of the rendering.

This module imports little, because other packages only pass these values on.
"""

from __future__ import annotations

from bootstrap.frozen import Frozen, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.config.model import FileSpec

PLAIN_MODE, SECRET_MODE = 0o644, 0o600


class Template(Frozen, kw_only=False):
    """One template: its name in messages (such as a path), and its text."""

    origin: str
    text: str


class Rendered(Frozen):
    """The content that one file should get.

    `secret` is true if the rendering used a secret, whether or not it was printed. `source` names
    the secret from which an encrypted credential was made.
    """

    spec: FileSpec
    content: bytes = field(repr=False)
    secret: bool
    source: str = ""

    @property
    def mode(self) -> int:
        """The permission bits that the file should get: the document's, or else the default."""
        if self.spec.mode is not None:
            return self.spec.mode
        return SECRET_MODE if self.secret else PLAIN_MODE
