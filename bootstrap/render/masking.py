"""What stands in the place of a value that must not be shown, whatever a template does with it.

A template may take a secret apart: `(secrets.db | from_json).user`. Tried without its secrets, or
shown to a person, it gets the mask instead, which is no JSON and has no user; that is no mistake
of the template. So a veil goes through every filter and operator, and what they cannot make of it
is a veil again.
"""

from __future__ import annotations

from bootstrap.render.errors import Exhausted
from bootstrap.render.limits import bounded
from bootstrap.secret import MASK, Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any


class Veil(str):
    """`***`, or a text in which it stands."""

    __slots__ = ()

    def __str__(self) -> Veil:
        return self  # Jinja makes a text of all that is printed

    def __iter__(self) -> Iterator[str]:
        return iter((self,))  # a list of unknown length is shown as one of its items

    def _itself(self, _: object = None) -> Veil:
        return self

    def _false(self, _: object) -> bool:
        return False

    __sub__ = __rsub__ = __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = _itself
    __neg__ = __pos__ = _itself
    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = _false


def veiled(value: Any) -> Any:
    """The value with a veil in the place of every mask and every secret."""
    if isinstance(value, Secret) or value == MASK:
        return Veil(MASK)
    if isinstance(value, dict):
        return {key: veiled(member) for key, member in value.items()}
    return [veiled(member) for member in value] if isinstance(value, list) else value


def joined(parts: Iterable[str]) -> str:
    """The text that the parts make; a veil when one of them is."""
    pieces = list(parts)
    text = "".join(pieces)
    return Veil(text) if is_veiled(*pieces) else text


def is_veiled(*values: object) -> bool:
    """Whether one of the values is a veil."""
    return any(isinstance(value, Veil) for value in values)


def through(function: Any, *args: Any, **kwargs: Any) -> Any:
    """What the function makes of its veiled arguments: a text or a truth, else a veil."""
    try:
        result = bounded(function(*args, **kwargs))
    except Exhausted:
        raise
    except Exception:  # noqa: BLE001 - whatever it is, it would not be so of the value itself
        return Veil(MASK)
    if isinstance(result, bool):
        return result
    return Veil(result) if isinstance(result, str) else Veil(MASK)
