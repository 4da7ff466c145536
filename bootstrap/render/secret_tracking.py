"""Where secrets are revealed to templates, and whether the rendering of a file looked at one."""

from __future__ import annotations

from collections.abc import Mapping

from bootstrap.secret import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any


class WatchedSecrets(Mapping[str, "Any"]):
    """The secrets as templates see them; `used` turns true when one is handed out.

    `reveal` gives what a template gets of one.
    """

    def __init__(self, secrets: Mapping[str, Any], reveal: Callable[[Any], Any]) -> None:
        self._secrets = secrets
        self._reveal = reveal
        self.used = False

    def __getitem__(self, name: str) -> Any:
        value = self._secrets[name]
        self.used = True
        return self._reveal(value)

    def __contains__(self, name: object) -> bool:
        return name in self._secrets  # a question for the name, not for the value

    def __iter__(self) -> Iterator[str]:
        return iter(self._secrets)

    def __len__(self) -> int:
        return len(self._secrets)

    def __repr__(self) -> str:
        return f"WatchedSecrets({', '.join(self._secrets)})"


def revealed(value: Any) -> Any:
    """The value with the text of every secret in it, shared with nothing that holds one."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, dict):
        return {key: revealed(member) for key, member in value.items()}
    return [revealed(member) for member in value] if isinstance(value, list) else value
