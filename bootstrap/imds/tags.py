"""Tags by name, in whatever case the name is written."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class TagNames(dict[str, str]):
    """The tags of a machine; Azure compares their names case-insensitively, and so does this.

    It shows the names as they are written in Azure.
    https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources
    """

    def __init__(self, tags: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(tags)
        self._written = {name.casefold(): name for name in self}

    def __missing__(self, name: str) -> str:
        written = self._written.get(name.casefold())
        if written is None:
            raise KeyError(name)
        return self[written]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.casefold() in self._written

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        """The tag of that name, or `default`."""
        return self[self._written[name.casefold()]] if name in self else default
