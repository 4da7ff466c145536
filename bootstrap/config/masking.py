"""A configuration whose sensitive values are replaced, by a mask or by a secret."""

from __future__ import annotations

from bootstrap.frozen import replace
from bootstrap.secret import MASK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bootstrap.config.model import Configuration
    from bootstrap.document import Path


def mask_values(configuration: Configuration, *, also_empty: bool = True) -> Configuration:
    """Return the configuration with every sensitive value replaced by `***`.

    An empty text is masked only with `also_empty`.
    """
    values: Any = configuration.values
    for path in sorted(configuration.hidden, key=len, reverse=True):
        if also_empty or _value_at(configuration.values, path[1:]) != "":
            values = replace_at(values, path[1:], MASK)
    return replace(configuration, values=values)


def replace_at(tree: Any, path: Path, value: Any) -> Any:
    """Return the tree with `value` at `path`: the way to it is copied, the rest is shared."""
    if not path:
        return value
    step, *rest = path
    below = replace_at(tree[step], tuple(rest), value)
    if isinstance(tree, list):
        return [below if index == step else member for index, member in enumerate(tree)]
    return {**tree, step: below}


def _value_at(tree: Any, path: Path) -> Any:
    for step in path:
        tree = tree[step]
    return tree
