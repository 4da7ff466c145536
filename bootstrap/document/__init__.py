"""Text that a person wrote, read as data that remembers where each value stood.

    tree         what was read: data, and the place of every key and value
    paths        where a value stands inside a document: `files[0].mode`
    characters   control characters, and what a message calls one
    reading      text -> Source: JSON where it is JSON, YAML otherwise
    json_reader  JSON with places
    yaml_reader  YAML with places
    yaml_hints   a YAML reader's complaints in plain words
    scalars      what YAML 1.1 makes of a plain word
    limits       what both readers build, within limits

Pure, and the only room that knows YAML.
"""

from __future__ import annotations

from bootstrap.document.paths import Path, format_path, parse_path
from bootstrap.document.tree import Reading, Source

__all__ = ["Path", "Reading", "Source", "dump", "format_path", "parse", "parse_path"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def parse(text: str, name: str) -> Source:
    """The data in `text`, YAML or JSON, and where each value stands in it.

    `name` is what messages call the text (`userData`, `image config.d/10-shop.yaml`). The data
    holds mappings with text keys, lists, text, numbers, booleans and None, nothing else.

    Raises InvalidDocument with every problem found; a mistake of syntax hides what follows it.
    """
    from bootstrap.document.reading import parse as read  # PyYAML costs a boot 40 ms

    return read(text, name)


def dump(value: Any) -> str:
    """`value` as YAML: block style, keys in their own order, no anchors, a newline at the end."""
    from bootstrap.document.yaml_reader import dump as write

    return write(value)
