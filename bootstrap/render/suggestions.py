"""Naming what is missing: the full path of a name, and the name that was probably meant."""

from __future__ import annotations

from collections.abc import Mapping

from bootstrap.document import format_path
from bootstrap.errors import nearest
from bootstrap.render.errors import kind
from bootstrap.render.sandbox import is_data
from bootstrap.render.undefined import ABSENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from bootstrap.document import Path

SHOWN_KEYS = 8  # more do not help whoever reads the message


class Names:
    """Every name that templates can use, by the mapping or list that holds it.

    Containers are told apart by identity, so that `site.prot` in a loop over `values.sites` is
    called `values.sites[1].prot`.
    """

    def __init__(self, context: Mapping[str, Any]) -> None:
        self._context = context
        self._found: dict[int, Path] = {}

    def describe(self, obj: Any, name: Any) -> tuple[str, str]:
        """The message and the hint for `name` that was looked for in `obj`."""
        if obj is ABSENT:
            return f"`{name}` is not defined", self._hint_for_root(str(name))
        if isinstance(obj, Mapping):
            path = self._path(obj)
            return f"`{_join(path, name)}` is not defined", _hint_for_key(path, name, obj)
        if isinstance(obj, list | tuple) and isinstance(name, int):
            path = self._path(obj)
            count = f"{len(obj)} item" + ("s" if len(obj) != 1 else "")
            return f"`{_join(path, name)}` is not defined", f"the list has {count}"
        reason = f": {kind(obj)} has no such key" if is_data(obj) else ""
        return f"`{name}` is not defined{reason}", ""

    def describe_computed(self, obj: Any) -> tuple[str, str]:
        """The message and the hint for a name that was worked out, perhaps from a secret."""
        path = self._path(obj)
        what = f"`{format_path(path)}`" if path else kind(obj)
        hint = _keys(obj) if isinstance(obj, Mapping) else ""
        return f"{what} has no key of the name that is worked out here", hint

    def _path(self, container: Any) -> Path:
        if not self._found:  # only a failing run looks
            for path, value in _containers((), self._context):
                self._found.setdefault(id(value), path)
        return self._found.get(id(container), ())

    def _hint_for_root(self, name: str) -> str:
        for outer, inner in self._context.items():
            if isinstance(inner, Mapping) and name in inner:
                return f"did you mean {_join((outer,), name)}?"
        meant = nearest(name, self._context)
        return f"did you mean {meant}?" if meant else f"templates see {', '.join(self._context)}"


def _containers(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict):
        yield path, value
        for key, item in value.items():
            yield from _containers((*path, key), item)
    elif isinstance(value, Mapping):
        yield path, value  # the secrets: to look at one is to use it
    elif isinstance(value, list | tuple):
        yield path, value
        for index, item in enumerate(value):
            yield from _containers((*path, index), item)


def _join(path: Path, name: Any) -> str:
    step = name if isinstance(name, str | int) else str(name)
    return format_path((*path, step))


def _hint_for_key(path: Path, name: Any, mapping: Mapping[Any, Any]) -> str:
    meant = nearest(str(name), map(str, mapping))
    return f"did you mean {_join(path, meant)}?" if meant else _keys(mapping)


def _keys(mapping: Mapping[Any, Any]) -> str:
    keys = list(map(str, mapping))
    if not keys:
        return "the mapping is empty"
    more = ", …" if len(keys) > SHOWN_KEYS else ""
    return f"there is {', '.join(keys[:SHOWN_KEYS])}{more}"
