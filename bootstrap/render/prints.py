"""What a template prints, as paths into what it sees: `{{ values.web.name }}` at line 3."""

from __future__ import annotations

from typing import Any

from bootstrap.config.schema.lookup import ANY
from bootstrap.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import TypeAlias

    Scope: TypeAlias = "dict[str, list[Source]]"

ROOTS = frozenset(["values", "tags", "environment"])
ITEM = 0  # in a path: every item of a list
# Filters and methods that leave a text as free as it was.
TRANSPARENT = frozenset(
    [
        *("b64decode", "capitalize", "indent", "lower", "lstrip", "mandatory", "nindent", "rstrip"),
        *("removeprefix", "removesuffix", "replace", "string", "strip", "swapcase", "title"),
        *("trim", "truncate", "upper"),
    ]
)
OF_LISTS = frozenset(
    ["list", "reject", "rejectattr", "reverse", "select", "selectattr", "sort", "unique"]
)
ONE_OF = frozenset(["first", "join", "last", "max", "min"])


class Source(Frozen):
    """Where a printed text comes from: the value at `path`, or with `of_key` a key of it.

    Of a loop over a mapping or a list alike nobody knows yet which it is; `is_pair` says that it is
    a mapping, because its keys and values were asked for.
    """

    path: tuple[str | int, ...]
    of_key: bool = False
    is_pair: bool = False

    def below(self, step: str | int) -> Source:
        """The source one step further down."""
        return Source(path=(*self.path, step))


def prints(tree: Any) -> Iterator[tuple[int, Source]]:
    """Yield the line and the source of everything in a syntax tree that is printed unfiltered."""
    yield from _body(tree.body, {})


def _body(body: Iterable[Any], scope: Scope) -> Iterator[tuple[int, Source]]:
    for node in body:
        statement = _STATEMENTS.get(type(node).__name__, _others)
        yield from statement(node, scope)


def _output(node: Any, scope: Scope) -> Iterator[tuple[int, Source]]:
    for expression in node.nodes:
        for source in _sources(expression, scope):
            yield expression.lineno, source


def _for(node: Any, scope: Scope) -> Iterator[tuple[int, Source]]:
    inner = {**scope, "loop": [], **_bound(node.target, _items(node.iter, scope))}
    yield from _body(node.body, inner)
    yield from _body(node.else_, dict(scope))


def _assign(node: Any, scope: Scope) -> Iterator[tuple[int, Source]]:
    scope.update(_bound(node.target, _sources(node.node, scope)))
    yield from ()


def _with(node: Any, scope: Scope) -> Iterator[tuple[int, Source]]:
    inner = dict(scope)
    for target, value in zip(node.targets, node.values, strict=True):
        inner.update(_bound(target, _sources(value, scope)))
    yield from _body(node.body, inner)


def _macro(node: Any, scope: Scope) -> Iterator[tuple[int, Source]]:
    yield from _body(node.body, scope | {argument.name: [] for argument in node.args})


def _filter_block(node: Any, scope: Scope) -> Iterator[tuple[int, Source]]:
    if node.filter is None or node.filter.name in TRANSPARENT:
        yield from _body(node.body, dict(scope))


def _others(node: Any, scope: Scope) -> Iterator[tuple[int, Source]]:
    yield from _body(node.iter_child_nodes(), scope)


_STATEMENTS: Mapping[str, Callable[[Any, Scope], Iterator[tuple[int, Source]]]] = {
    "Assign": _assign,
    "AssignBlock": _filter_block,
    "CallBlock": _macro,
    "FilterBlock": _filter_block,
    "For": _for,
    "Macro": _macro,
    "Output": _output,
    "With": _with,
}


def _bound(target: Any, sources: list[Source]) -> Scope:
    """What the names of a loop or a `set` stand for; of a pair, the key and the value."""
    names = [one.name for one in getattr(target, "items", [target]) if hasattr(one, "name")]
    if len(names) == 1:
        return {names[0]: sources}
    if any(source.is_pair for source in sources):
        keys = [source for source in sources if source.of_key]
        return dict(zip(names, (keys, [one for one in sources if not one.of_key]), strict=False))
    return {name: [source.below(ITEM) for source in sources if not source.of_key] for name in names}


def _sources(node: Any, scope: Scope) -> list[Source]:
    """Where the text of an expression comes from, as far as nothing filters it."""
    expression = _EXPRESSIONS.get(type(node).__name__)
    return expression(node, scope) if expression else []


def _name(node: Any, scope: Scope) -> list[Source]:
    known = [Source(path=(node.name,))] if node.name in ROOTS else []
    return scope.get(node.name, known)


def _attribute(node: Any, scope: Scope) -> list[Source]:
    return [one.below(node.attr) for one in _sources(node.node, scope) if not one.of_key]


def _subscript(node: Any, scope: Scope) -> list[Source]:
    inner = _sources(node.node, scope)
    if type(node.arg).__name__ == "Slice":
        return inner
    step = getattr(node.arg, "value", ANY)
    step = ITEM if isinstance(step, int) else step
    return [one.below(step) for one in inner if not one.of_key]


def _filter(node: Any, scope: Scope) -> list[Source]:
    if node.name in ONE_OF:
        return _items(node.node, scope)
    if node.name in {"d", "default", "format"}:
        return [*_sources(node.node, scope), *_all(node.args, scope)]
    if node.name == "ternary":
        return _all(node.args, scope)
    return _sources(node.node, scope) if node.name in TRANSPARENT else []


def _call(node: Any, scope: Scope) -> list[Source]:
    """`values.a.get('b', …)`, `values.a.strip()`, `', '.join(values.a)`."""
    method = getattr(node.node, "attr", "")
    if not method:
        return []
    if method == "join":
        return [source for argument in node.args for source in _items(argument, scope)]
    inner = _sources(node.node.node, scope)
    if method == "get" and node.args:
        step = getattr(node.args[0], "value", ANY)
        return [*(one.below(step) for one in inner), *_all(node.args[1:], scope)]
    return inner if method in TRANSPARENT else []


def _all(nodes: Iterable[Any], scope: Scope) -> list[Source]:
    return [source for node in nodes for source in _sources(node, scope)]


def _parts(node: Any, scope: Scope) -> list[Source]:
    """What each part of `a ~ b`, `a + b`, `a or b`, `a if b else c` brings."""
    if type(node).__name__ == "CondExpr":
        return _all([one for one in (node.expr1, node.expr2) if one is not None], scope)
    return _all(node.iter_child_nodes(), scope)


_EXPRESSIONS: Mapping[str, Callable[[Any, Scope], list[Source]]] = {
    "Add": _parts,
    "And": _parts,
    "Call": _call,
    "Concat": _parts,
    "CondExpr": _parts,
    "Filter": _filter,
    "Getattr": _attribute,
    "Getitem": _subscript,
    "List": _parts,
    "Mod": _parts,
    "Mul": _parts,
    "Name": _name,
    "Or": _parts,
    "Tuple": _parts,
}


def _items(node: Any, scope: Scope) -> list[Source]:
    """What a loop over an expression, or a `join` of it, takes one by one."""
    kind = type(node).__name__
    asked = node.name if kind == "Filter" else getattr(getattr(node, "node", None), "attr", "")
    if kind in {"Filter", "Call"}:
        holder = node.node if kind == "Filter" else getattr(node.node, "node", None)
        if asked in {"items", "dictsort", "keys", "values"}:
            return _pairs(asked, _sources(holder, scope))
        if asked in OF_LISTS:
            return _items(holder, scope)
        if asked == "map":
            return _mapped(node, scope)
    if kind in {"List", "Tuple"}:
        return _sources(node, scope)
    either = [
        [one.below(ITEM), Source(path=one.path, of_key=True)] for one in _sources(node, scope)
    ]
    return [source for both in either for source in both if source.path]


def _pairs(asked: str, sources: list[Source]) -> list[Source]:
    keys = [Source(path=one.path, of_key=True, is_pair=True) for one in sources]
    values = [Source(path=(*one.path, ANY), is_pair=True) for one in sources]
    return {"keys": keys, "values": values}.get(asked, [*keys, *values])


def _mapped(node: Any, scope: Scope) -> list[Source]:
    """`map(attribute='name')`, `map('upper')`."""
    items = _items(node.node, scope)
    attribute = next((one.value.value for one in node.kwargs if one.key == "attribute"), None)
    if attribute is not None:
        return [one.below(attribute) for one in items if not one.of_key]
    name = getattr(node.args[0], "value", "") if node.args else ""
    return items if name in TRANSPARENT else []
