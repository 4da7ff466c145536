"""Immutable values, which the stages of a run pass to each other.

`dataclasses` does the same, but slowly: it compiles the methods of every class at each start, and
imports `inspect` for that, which took a third of an unchanged boot. Here all classes share the same
methods. For a type checker the classes are the same as dataclasses (PEP 681).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, ClassVar, TypeVar

    from typing_extensions import dataclass_transform

    Value = TypeVar("Value", bound="Frozen")
else:

    def dataclass_transform(**_: object) -> Callable[[type], type]:
        """Return PEP 681's decorator, which has a meaning only for type checkers."""
        return lambda decorated: decorated


_MISSING: Any = object()


class Field:
    """One field of a `Frozen`: its type as written, its default, and whether `repr` shows it.

    `metadata` holds further facts about the field, as its class states them.
    """

    __slots__ = ("default", "default_factory", "kind", "metadata", "repr")

    def __init__(
        self,
        default: Any = _MISSING,
        default_factory: Callable[[], Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        repr: bool = True,  # noqa: A002 - PEP 681 takes the names from `dataclasses`
    ) -> None:
        self.kind = ""
        self.default = default
        self.default_factory = default_factory
        self.metadata = metadata or {}
        self.repr = repr

    def missing(self) -> Any:
        """Return the default of a field that was not given; raises `TypeError` without one."""
        if self.default_factory:
            return self.default_factory()
        if self.default is _MISSING:
            raise TypeError("not given")
        return self.default


def field(
    *,
    default: Any = _MISSING,
    default_factory: Callable[[], Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    repr: bool = True,  # noqa: A002 - as in `Field`
) -> Any:
    """Return a field with more than a default, as an annotation's value in a class."""
    return Field(default, default_factory, metadata, repr=repr)


class _FrozenType(type):
    """The metaclass that makes a class's annotations its fields.

    It removes the defaults from the class, because a slot and a class attribute cannot have the
    same name.
    """

    def __new__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], *, kw_only: bool = True
    ) -> _FrozenType:
        fields: dict[str, Field] = {}
        if bases:
            for key, kind in namespace.get("__annotations__", {}).items():
                given = namespace.pop(key, _MISSING)
                fields[key] = given if isinstance(given, Field) else Field(given)
                fields[key].kind = kind
            namespace |= {"__slots__": tuple(fields), "_fields": fields, "_kw_only": kw_only}
        return super().__new__(cls, name, bases, namespace)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Frozen(metaclass=_FrozenType):
    """An immutable value, equal to another of the same class with equal fields.

    The class's annotations are its fields; its module needs `from __future__ import annotations`.
    Fields are given by name, unless the class is defined with `kw_only=False`.
    """

    __slots__ = ()
    _fields: ClassVar[dict[str, Field]] = {}
    _kw_only: ClassVar[bool] = True

    def __init__(self, *args: Any, **given: Any) -> None:
        fields = self._fields
        if args:
            if self._kw_only or len(args) > len(fields):
                raise TypeError(f"{type(self).__name__}() was given too much by position")
            by_position = dict(zip(fields, args, strict=False))
            if twice := by_position.keys() & given.keys():
                raise TypeError(f"{type(self).__name__}() was given {', '.join(twice)} twice")
            given |= by_position
        if unknown := given.keys() - fields.keys():
            raise TypeError(f"{type(self).__name__}() has no field {', '.join(sorted(unknown))}")
        for name, declared in fields.items():
            try:
                value = given[name] if name in given else declared.missing()
            except TypeError as error:
                raise TypeError(f"{type(self).__name__}() needs {name}") from error
            object.__setattr__(self, name, value)
        self.__post_init__()

    def __post_init__(self) -> None:
        """Check the fields; a subclass overrides this method if it has something to check."""

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be set: the value is frozen")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self._fields)

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, name) for name in self._fields))

    def __repr__(self) -> str:
        shown = (
            f"{name}={getattr(self, name)!r}"
            for name, declared in self._fields.items()
            if declared.repr
        )
        return f"{type(self).__qualname__}({', '.join(shown)})"


def fields_of(kind: type[Frozen]) -> Mapping[str, Field]:
    """Return the fields of a class, by name, in the order in which they are written."""
    return kind._fields


def replace(value: Value, **changes: Any) -> Value:
    """Return a copy of the value with some fields changed."""
    present = {name: getattr(value, name) for name in fields_of(type(value))}
    return type(value)(**present | changes)
