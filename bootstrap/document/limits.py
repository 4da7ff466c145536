"""The nodes that both readers build: data and places side by side, within limits."""

from __future__ import annotations

from bootstrap.document.tree import problem_at
from bootstrap.errors import InvalidDocument, Public

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from bootstrap.document.paths import Path
    from bootstrap.document.tree import Place, Span
    from bootstrap.errors import Problem

MAX_TEXT = 1024 * 1024  # characters; userData has at most 64 KB, but gzip may expand it
MAX_DEPTH = 64
MAX_NODES = 100_000  # values; those behind aliases are counted each time
MAX_PROBLEMS = 100
SIZE_HINT = "a configuration is much smaller: look for a list or an alias that was generated"


class Node:
    """One value, its place, and its size with every alias in it expanded."""

    __slots__ = ("characters", "nodes", "place", "value")

    def __init__(self, value: Any, place: Place) -> None:
        self.value = value
        self.place = place
        self.nodes = 1
        self.characters = len(value) if isinstance(value, str) else 0

    def put(self, part: str | int, child: Node) -> None:
        """Add `child` at `part`."""
        if isinstance(self.value, list):
            self.value.append(child.value)
        else:
            self.value[part] = child.value
        self.place.children[part] = child.place
        self.nodes += child.nodes
        self.characters += child.characters + (len(part) if isinstance(part, str) else 0)


class Findings:
    """The problems of one text, and the count of its values, while it is being read."""

    def __init__(self, name: str, lines: Sequence[str]) -> None:
        self.name = name
        self.lines = lines
        self.problems: list[Problem] = []
        self.nodes = 0

    def add(self, span: Span, message: str, *, path: Path = (), hint: str = "") -> None:
        """Add a problem; reading continues.

        Raises InvalidDocument if there are now MAX_PROBLEMS.
        """
        problem = problem_at(self.name, self.lines, span, message, path=path, hint=hint)
        self.problems.append(problem)
        if len(self.problems) >= MAX_PROBLEMS:
            raise self.error()

    def stop(self, span: Span, message: str, *, path: Path = (), hint: str = "") -> InvalidDocument:
        """Add a problem and return the error to raise, if nothing more can be read sensibly."""
        self.problems.append(problem_at(self.name, self.lines, span, message, path=path, hint=hint))
        return self.error()

    def error(self) -> InvalidDocument:
        """Return all problems so far as one error."""
        return InvalidDocument(Public(f"{self.name} is not valid"), problems=self.problems)

    def count(self, span: Span) -> None:
        """Count one more value; raises InvalidDocument if there are more than MAX_NODES.

        So a text with too many values is refused before all of it is in memory.
        """
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self.stop(span, f"more than {MAX_NODES} values", hint=SIZE_HINT)

    def enter(self, span: Span, path: Path) -> None:
        """Count a mapping or a list that begins at `path`.

        Raises InvalidDocument if it is nested more than MAX_DEPTH levels deep, or a value too many.
        """
        self.count(span)
        if len(path) >= MAX_DEPTH:
            message = f"nested more than {MAX_DEPTH} levels deep"
            raise self.stop(span, message, path=path[:3])

    def check_unfolded(self, node: Node) -> None:
        """Raise InvalidDocument if its aliases make a value too big."""
        if node.nodes > MAX_NODES or node.characters > MAX_TEXT:
            message = "the aliases in this value unfold to more than a document may hold"
            raise self.stop(node.place.span, message, hint=SIZE_HINT)
