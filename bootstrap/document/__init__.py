"""Text that a person wrote, read as data with the place of each value.

    tree         the result: data, and the place of every key and value
    paths        the path of a value inside a document: `files[0].mode`
    characters   control characters, and their names in messages
    reading      text -> Source: as JSON if it is JSON, else as YAML
    json_reader  JSON with places
    yaml_reader  YAML with places
    yaml_hints   the errors of YAML parsers in plain words
    scalars      how YAML 1.1 reads a plain scalar
    limits       the nodes that both readers build, within limits

Pure, and the only package that reads YAML.
"""

from __future__ import annotations

from bootstrap.document.paths import Path, format_path, parse_path
from bootstrap.document.tree import Reading, Source

__all__ = ["Path", "Reading", "Source", "dump", "format_path", "parse", "parse_path"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def parse(text: str, name: str) -> Source:
    """Return the data in `text`, YAML or JSON, and the place of each value in it.

    `name` is the name of the text in messages (`userData`, `image config.d/10-shop.yaml`). The data
    holds mappings with text keys, lists, text, numbers, booleans and None, nothing else.

    Raises InvalidDocument with every problem; a syntax error hides the problems after it.
    """
    from bootstrap.document.reading import parse as read  # PyYAML costs a boot 40 ms

    return read(text, name)


def dump(value: Any) -> str:
    """Return `value` as YAML: block style, keys in their own order, no anchors, a final newline."""
    from bootstrap.document.yaml_reader import dump as write

    return write(value)
