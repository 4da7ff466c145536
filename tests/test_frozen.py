"""Frozen values: what their authors and their users may rely on."""

from __future__ import annotations

import pytest

from bootstrap.frozen import Frozen, field, fields_of, replace


class Point(Frozen):
    """By name only."""

    x: int
    y: int = 0
    label: str = field(default="", repr=False)
    seen: list[str] = field(default_factory=list, metadata={"about": "who saw it"})


class Pair(Frozen, kw_only=False):
    """By position too."""

    left: int
    right: int = 2

    def __post_init__(self):
        if self.left > self.right:
            raise ValueError("the wrong way round")


def test_fields_defaults_and_fresh_defaults():
    """What is not given takes its default; a factory makes a new one each time."""
    one, other = Point(x=1), Point(x=1)
    assert (one.x, one.y, one.label, one.seen) == (1, 0, "", [])
    assert one.seen is not other.seen


def test_nothing_can_be_changed():
    """Neither set, nor added, nor deleted."""
    write_pointer = Point(x=1)
    for name in ("x", "z"):
        with pytest.raises(AttributeError):
            setattr(write_pointer, name, 2)
    with pytest.raises(AttributeError):
        del write_pointer.x
    assert not hasattr(write_pointer, "__dict__")


def test_equal_when_all_fields_are():
    """Equal to the same class with the same fields, hashable when they are, unequal otherwise."""
    assert Pair(1) == Pair(left=1, right=2)
    assert Pair(1) != Pair(1, 3)
    assert Pair(1) != (1, 2)
    assert {Pair(1), Pair(1, 2)} == {Pair(1)}
    assert Point(x=1) == Point(x=1, seen=[])
    with pytest.raises(TypeError):
        hash(Point(x=1))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Point(1), "by position"),
        (lambda: Point(y=1), "needs x"),
        (lambda: Point(x=1, z=2), "no field z"),
        (lambda: Pair(1, 2, 3), "by position"),
        (lambda: Pair(1, left=1), "twice"),
        (lambda: replace(Pair(1), middle=3), "no field middle"),
    ],
)
def test_a_mistake_is_a_type_error(make, says):
    """As with a dataclass, so that a damaged record is recognised as one."""
    with pytest.raises(TypeError, match=says):
        make()


def test_the_representation_hides_what_it_should():
    """A field that is not to be shown is not shown."""
    assert repr(Point(x=1, label="hidden")) == "Point(x=1, y=0, seen=[])"


def test_replacing_checks_again():
    """`replace` makes a new value, by the class's own rules."""
    assert replace(Pair(1), right=5) == Pair(1, 5)
    with pytest.raises(ValueError, match="wrong way"):
        replace(Pair(1), left=5)


def test_fields_are_told_in_order():
    """With the type as written and whatever the author said of them."""
    fields = fields_of(Point)
    assert list(fields) == ["x", "y", "label", "seen"]
    assert fields["x"].kind == "int"
    assert fields["seen"].metadata == {"about": "who saw it"}
