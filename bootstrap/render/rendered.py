"""What goes into the rendering and what comes out of it; light, for rooms that only hand it on."""

from __future__ import annotations

from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.config.configuration import FileSpec


@dataclass(frozen=True, slots=True)
class Template:
    """One template: what a person calls it (a path, for messages), and its text."""

    origin: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """The content that one file shall have.

    `secret` is true when the rendering looked at a secret, whether or not it was printed.
    """

    spec: FileSpec
    content: bytes
    secret: bool
