"""The secrets as templates see them, and a record of whether a file's rendering used one."""

from __future__ import annotations

from collections.abc import Mapping

from bootstrap.secret import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any


class TrackedSecrets(Mapping[str, "Any"]):
    """The secrets as templates see them; `used` becomes true when a template reads one.

    `reveal` returns what a template gets for a secret.
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
        return name in self._secrets  # this reads the name, not the value

    def __iter__(self) -> Iterator[str]:
        return iter(self._secrets)

    def __len__(self) -> int:
        return len(self._secrets)

    def __repr__(self) -> str:
        return f"WatchedSecrets({', '.join(self._secrets)})"


def reveal_values(value: Any) -> Any:
    """Return the value with every secret in it replaced by the secret's text.

    Mappings and lists are copied, so the text does not get into `value`.
    """
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, dict):
        return {key: reveal_values(member) for key, member in value.items()}
    return [reveal_values(member) for member in value] if isinstance(value, list) else value
