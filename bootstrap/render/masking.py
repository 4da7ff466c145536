"""The mask that replaces a value that must not be shown, whatever a template does with the value.

A template may parse a secret: `(secrets.db | from_json).user`. When a template is tried without
its secrets, or its output is shown to a person, it gets the mask instead. The mask is not JSON and
has no user, but that is not a mistake of the template. So every filter and operator accepts a mask,
and if it fails with one, its result is a mask again.
"""

from __future__ import annotations

from bootstrap.render.errors import LimitExceeded
from bootstrap.render.limits import bounded
from bootstrap.secret import MASK, Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any


class MaskedText(str):
    """`***`, or a text that contains it."""

    __slots__ = ()

    def __str__(self) -> MaskedText:
        return self  # Jinja converts all that is printed to text

    def __iter__(self) -> Iterator[str]:
        return iter((self,))  # a list of unknown length is shown as one item

    def _itself(self, _: object = None) -> MaskedText:
        return self

    def _false(self, _: object) -> bool:
        return False

    __sub__ = __rsub__ = __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = _itself
    __neg__ = __pos__ = _itself
    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = _false


def mask_all(value: Any) -> Any:
    """Return the value with every `***` and every secret in it replaced by a mask."""
    if isinstance(value, Secret) or value == MASK:
        return MaskedText(MASK)
    if isinstance(value, dict):
        return {key: mask_all(member) for key, member in value.items()}
    return [mask_all(member) for member in value] if isinstance(value, list) else value


def join_masked(parts: Iterable[str]) -> str:
    """Return the parts as one text, which is masked if one of them is."""
    pieces = list(parts)
    text = "".join(pieces)
    return MaskedText(text) if is_masked(*pieces) else text


def is_masked(*values: object) -> bool:
    """Return whether one of the values is masked."""
    return any(isinstance(value, MaskedText) for value in values)


def through(function: Any, *args: Any, **kwargs: Any) -> Any:
    """Return the result of the function for its masked arguments.

    A boolean is returned as it is, and a text as a masked text. Any other result or error becomes
    a mask. Only LimitExceeded is raised.
    """
    try:
        result = bounded(function(*args, **kwargs))
    except LimitExceeded:
        raise
    except Exception:  # noqa: BLE001 - whatever it is, the real value would not raise it
        return MaskedText(MASK)
    if isinstance(result, bool):
        return result
    return MaskedText(result) if isinstance(result, str) else MaskedText(MASK)
