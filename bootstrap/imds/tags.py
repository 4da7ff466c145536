"""Tags by name, case-insensitively.

Case is the case of single letters: `É` equals `é`. A character that only folds to other letters,
such as the ligature `ﬁ`, the Kelvin sign or `ß`, does not equal them. Otherwise a tag could match a
name of this agent although it looks like another name to a person.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def fold_case(name: str) -> str:
    """Return the name in lower case, letter by letter; equal results mean the same name."""
    if name.isascii():
        return name.lower()
    return "".join(map(_lower, name))


def _lower(letter: str) -> str:
    lower = letter.lower()
    return lower if lower.upper() == letter else letter


class TagNames(dict[str, str]):
    """The tags of a machine by name; names compare case-insensitively, as in Azure.

    The keys are the names as they are written in Azure.
    https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources
    """

    def __init__(self, tags: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(tags)
        self._written = {fold_case(name): name for name in self}

    def __missing__(self, name: str) -> str:
        written = self._written.get(fold_case(name))
        if written is None:
            raise KeyError(name)
        return self[written]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and fold_case(name) in self._written

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        """Return the value of the tag with that name, or `default` if there is none."""
        return self[self._written[fold_case(name)]] if name in self else default
