"""The part of a wanted file that its owner and its access are read from: a type only."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class OwnedFile(Protocol):
        """A file as a document asks for it: its owner, and where the document says so."""

        @property
        def path(self) -> str:
            """The path, as errors name it."""

        @property
        def origin(self) -> str:
            """The line that asks for the file."""

        @property
        def owner(self) -> str | None:
            """A user by name or number; None keeps the present one."""

        @property
        def group(self) -> str | None:
            """A group by name or number; None keeps the present one. POSIX systems only."""

        @property
        def acl(self) -> tuple[str, ...] | None:
            """Accounts and their rights, as `account:F`; None keeps the present list. Windows only.

            The rights are F, M, RX and R, as icacls calls them.
            """
