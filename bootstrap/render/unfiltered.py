"""Where a template prints what a tag or a userData may set to any text, and filters it by nothing.

The templates are read, not rendered. Names, keys, items, loops, `set` and `with` are followed, and
the filters that leave a text as free as it was. The arguments of macros are not; nor are
conditions, so that a text which an `if` has looked at still counts as free.
"""

from __future__ import annotations

from itertools import islice

from bootstrap.config.schema.lookup import ANY
from bootstrap.errors import Problem
from bootstrap.render.environment import TemplateSyntaxError, syntax_tree
from bootstrap.render.prints import ITEM, prints

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bootstrap.config.schema.lookup import Shape
    from bootstrap.render.prints import Source
    from bootstrap.render.rendered import Template

MAX_DOUBTS = 50
FILTER = "print it through a filter of the file's syntax: to_json, quote, env_quote, fullmatch …"
HINTS = {
    "values": f"let values.schema.json say its `pattern` or `enum`, or {FILTER}",
    "tags": f"let the tag set a value that the schema checks (tags.map), or {FILTER}",
    "environment": FILTER,
}


def unfiltered(templates: Iterable[Template], shape: Shape) -> Iterator[Problem]:
    """Yield each place once, the first MAX_DOUBTS of all; `shape` is that of the image's schema."""
    yield from islice(_unfiltered(templates, shape), MAX_DOUBTS)


def _unfiltered(templates: Iterable[Template], shape: Shape) -> Iterator[Problem]:
    for template in templates:
        try:
            tree = syntax_tree(template.text)
        except TemplateSyntaxError:
            continue  # a run tells it
        told = set()
        for line, source in prints(tree):
            name = _name(source)
            if (line, name) not in told and _is_free(source, shape):
                told.add((line, name))
                yield _problem(template, line, name, source)


def _is_free(source: Source, shape: Shape) -> bool:
    """Whether what is printed may be any text. Of tags and environments nothing else is known."""
    root, *below = source.path
    path = tuple(below)
    if root == "environment":
        return not path and not source.of_key
    if root == "tags":
        return bool(path) != source.of_key and path[-1:] != (ITEM,)
    if not source.of_key:
        is_mapping = path[-1:] == (ITEM,) and shape.types(path[:-1]) == {"object"}
        return not is_mapping and shape.takes_any_text(path)
    is_mapping = source.is_pair or shape.types(path) == {"object"}
    return is_mapping and shape.takes_any_key(path)


def _problem(template: Template, line: int, name: str, source: Source) -> Problem:
    lines = template.text.splitlines()
    text = lines[line - 1] if line <= len(lines) else ""
    word = next((str(step) for step in reversed(source.path) if step not in {ITEM, ANY}), "")
    return Problem(
        f"{name} is printed as it stands, and nothing says what text it may be",
        where=f"{template.origin}:{line}",
        text=text,
        column=text.find(word) + 1,
        width=len(word),
        hint=HINTS[str(source.path[0])],
    )


def _name(source: Source) -> str:
    """Return what a message calls it: `values.sites[].name`, `a key of values.env`."""
    path = str(source.path[0])
    for step in source.path[1:]:
        path += "[]" if step == ITEM else f".{'*' if step == ANY else step}"
    return f"a key of `{path}`" if source.of_key else f"`{path}`"
