"""Print one value as it is, for a shell script.

    location=$(imds-bootstrap get instance.compute.location)
    role=$(imds-bootstrap get tags.Role) || role=web

PATH begins with instance, tags, values or environment. Tag names compare case-insensitively, as
everywhere in Azure; a name with dots or colons is written as it is (tags.config:web.port). A text
is printed raw, a mapping or a list as JSON.

Exit code: 0; 1 when there is no such value.
"""

from __future__ import annotations

import json
import sys

from bootstrap.cli.options import add_offline, add_patience, context_of, print_json
from bootstrap.errors import NoSuchValue, UsageError, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import Any

    from bootstrap.config.model import Configuration
    from bootstrap.document import Path
    from bootstrap.imds.tags import TagNames

ROOTS = ("instance", "tags", "values", "environment")
NAMES_SHOWN = 12  # names in a hint, when no name is similar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `get`."""
    parser.add_argument("path", metavar="PATH")
    add_patience(parser)
    add_offline(parser)


def run(options: argparse.Namespace) -> int:
    """Print the value and nothing else."""
    root, _, rest = options.path.partition(".")
    if root.partition("[")[0] not in ROOTS:
        hint = f"a path begins with {', '.join(ROOTS)}"
        raise UsageError(f"there is nothing called {options.path!r}", hint=hint)
    value = _value(options, root, rest)
    if options.format == "json":
        print_json(value)
    else:
        sys.stdout.write(f"{_raw(value)}\n")
    return 0


def _value(options: argparse.Namespace, root: str, rest: str) -> Any:
    from bootstrap.imds.tags import TagNames
    from bootstrap.stages import config
    from bootstrap.stages.imds import observe

    context = context_of(options)
    settings, instance = observe(context, offline=options.offline, deadline=options.deadline)
    if root == "tags":
        tags = TagNames(instance.tags or ())
        return _tag(tags, rest) if rest else tags
    path = _parse(options.path)
    if path[0] == "instance":
        return _walk(instance.raw, path, options.path)
    image = context.read_image(settings)
    configuration = config.resolve(instance, image, settings).require_valid()
    return _configured(configuration, path, options.path)


def _parse(text: str) -> Path:
    from bootstrap.document import parse_path

    try:
        return parse_path(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is not a path: {error}") from None


def _tag(tags: TagNames, name: str) -> str:
    if name not in tags:
        raise _missing(f"this machine has no tag {name!r}", name, list(tags))
    return tags[name]


def _configured(configuration: Configuration, path: Path, text: str) -> Any:
    from bootstrap.config.masking import mask_values
    from bootstrap.secret import MASK

    seen = mask_values(configuration)
    tree = {"values": seen.values, "environment": seen.environment or ""}
    value = _walk(tree[str(path[0])], path, text)
    if value == MASK and path in configuration.hidden:
        raise NoSuchValue(f"{text} is a secret and is not shown")
    return value


def _walk(tree: Any, path: Path, text: str) -> Any:
    """Return the value below `tree`, whose own name is the first part of `path`."""
    for part in path[1:]:
        known = range(len(tree)) if isinstance(tree, list) else tree
        if isinstance(tree, (dict, list)) and part in known:
            tree = tree[part]  # type: ignore[index]  # a list holds only whole numbers
        else:
            raise _missing(f"there is no {text}", str(part), _names(tree))
    return tree


def _names(tree: Any) -> Sequence[str]:
    if isinstance(tree, list):
        return [f"[{index}]" for index in range(len(tree))]
    return list(tree) if isinstance(tree, dict) else ()


def _missing(message: str, name: str, known: Sequence[str]) -> NoSuchValue:
    close = nearest(name, known)
    if close:
        return NoSuchValue(message, hint=f"did you mean {close}?")
    names = ", ".join([*known[:NAMES_SHOWN], *(["…"] if len(known) > NAMES_SHOWN else [])])
    return NoSuchValue(message, hint=f"there is {names}" if names else "")


def _raw(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
