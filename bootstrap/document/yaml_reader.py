"""YAML with places; the only module that imports PyYAML.

The text is read as a stream of events, not loaded. So limits are checked while it is read, aliases
are never expanded, duplicate keys and every scalar as written are seen, and libyaml's C parser can
be used if PyYAML was built with it.
"""

from __future__ import annotations

from typing import Any

import yaml

from bootstrap.document import scalars
from bootstrap.document.limits import Node
from bootstrap.document.tree import Place, Span
from bootstrap.document.yaml_hints import explain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bootstrap.document.limits import Findings
    from bootstrap.document.paths import Path

PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
RESOLVER: Any = yaml.resolver.Resolver()
KEY_HINT = "quote the key"
TEMPLATE_HINT = 'quote it: "{{ … }}"   (an unquoted brace begins a mapping)'


def read(text: str, findings: Findings) -> Node:
    """Return the node of a YAML text; the value of an empty text is None.

    Raises InvalidDocument with all problems up to the first syntax error.
    """
    try:
        node = _Reader(text, findings).document()
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, findings) from error
    if findings.problems:
        raise findings.error()
    return node


def dump(value: Any) -> str:
    """Return `value` as YAML: see `bootstrap.document.dump`."""
    text: str = yaml.dump(
        value, Dumper=_Plain, sort_keys=False, allow_unicode=True, default_flow_style=False
    )
    return text.removesuffix("...\n")


class _Plain(DUMPER):  # type: ignore[misc]
    """A dumper for people: repeated values are written out, text with line breaks as a block."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _text(dumper: Any, value: str) -> Any:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Plain.add_representer(str, _text)


def _syntax(error: yaml.MarkedYAMLError, findings: Findings) -> Exception:
    mark = error.problem_mark or error.context_mark
    span = Span(mark.line + 1, mark.column + 1) if mark else Span(1, 1)
    line = findings.lines[span.line - 1] if span.line <= len(findings.lines) else ""
    opened = error.context_mark.line + 1 if error.context_mark else None
    message, hint = explain(error.problem or "", error.context or "", line, span.column, opened)
    return findings.stop(span, message, hint=hint)


class _Reader:
    """One pass over the events of one text."""

    def __init__(self, text: str, findings: Findings) -> None:
        self.events: Iterator[Any] = yaml.parse(text, Loader=PARSER)
        self.findings = findings
        self.anchors: dict[str, Node | None] = {}  # None while the value is being read

    def document(self) -> Node:
        next(self.events)  # the start of the stream
        event = next(self.events)
        if isinstance(event, yaml.StreamEndEvent):
            return Node(None, Place(Span(1, 1)))
        node = self.node(next(self.events), ())
        next(self.events)  # the end of the document
        event = next(self.events)
        if isinstance(event, yaml.DocumentStartEvent):
            message = "a second document begins here; one text is one document"
            self.findings.add(_span(event), message, hint="remove the line ---")
        return node

    def node(self, event: Any, path: Path) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, path)
        if event.anchor:
            self.anchors[event.anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            node = self.scalar(event, path)
        else:
            node = self.collection(event, path)
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def alias(self, event: Any, path: Path) -> Node:
        known = event.anchor in self.anchors
        node = self.anchors.get(event.anchor)
        if node:
            return node
        if known:
            message, hint = "an alias inside the very value that it stands for", ""
        else:
            message = "an alias (*) to an anchor (&) that is not there"
            hint = "quote it if it is text that begins with *"
        self.findings.add(_span(event), message, path=path, hint=hint)
        return Node(None, Place(_span(event)))

    def scalar(self, event: Any, path: Path) -> Node:
        span = _span(event)
        self.findings.count(span)
        try:
            value, reading = scalars.read(_tag(event), event.value)
        except scalars.Refused as error:
            self.findings.add(span, error.message, path=path, hint=error.hint)
            value, reading = None, None
        return Node(value, Place(span, reading))

    def collection(self, event: Any, path: Path) -> Node:
        self.findings.enter(_span(event), path)
        if event.tag and not event.implicit:
            message = "tags are not supported"
            self.findings.add(_span(event), message, path=path, hint="leave the tag out")
        if isinstance(event, yaml.MappingStartEvent):
            return self.mapping(event, path)
        return self.sequence(event, path)

    def sequence(self, event: Any, path: Path) -> Node:
        node = Node([], Place(_span(event)))
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            index = len(node.value)
            node.put(index, self.node(event, (*path, index)))
            self.findings.check_unfolded(node)
        _close(node, event)
        return node

    def mapping(self, event: Any, path: Path) -> Node:
        node = Node({}, Place(_span(event)))
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.key(event, path)
            child = self.node(next(self.events), path if key is None else (*path, key))
            if key is None:
                continue
            if key in node.value:
                message = f"the key is here twice; first in line {node.place.key[key].line}"
                self.findings.add(_span(event), message, path=(*path, key))
            node.put(key, child)
            node.place.key[key] = _span(event)
            self.findings.check_unfolded(node)
        _close(node, event)
        return node

    def key(self, event: Any, path: Path) -> str | None:
        """Return the text of a key; if a key is not text, add a problem and return None."""
        if not isinstance(event, yaml.ScalarEvent):
            self.node(event, path)
            hint = TEMPLATE_HINT if _begins_like_a_template(event, self.findings) else KEY_HINT
            message = "a key must be text, not a mapping, a list or an alias"
            self.findings.add(_span(event), message, path=path, hint=hint)
            return None
        tag = _tag(event)
        if tag not in scalars.TEXT:
            message, hint = _wrong_key(tag, event.value)
            self.findings.add(_span(event), message, path=path, hint=hint)
            return None
        return str(event.value)


def _wrong_key(tag: str, raw: str) -> tuple[str, str]:
    if tag in scalars.UNSUPPORTED:
        return scalars.UNSUPPORTED[tag]
    kind = {"bool": "boolean", "int": "number", "float": "number"}.get(
        tag.removeprefix(scalars.YAML), "null"
    )
    return f"a key must be text; YAML reads this one as a {kind}", f'quote it: "{raw}":'


def _tag(event: Any) -> str:
    if event.tag:
        return str(event.tag) if event.tag in scalars.TEXT else scalars.EXPLICIT
    return str(RESOLVER.resolve(yaml.ScalarNode, event.value, event.implicit))


def _begins_like_a_template(event: Any, findings: Findings) -> bool:
    line, column = event.start_mark.line, event.start_mark.column
    return bool(findings.lines[line][: column + 1].endswith("{{"))


def _span(event: Any) -> Span:
    start, end = event.start_mark, event.end_mark
    inline = start.line == end.line
    last = end.line + 1 if end.column else max(start.line + 1, end.line)
    width = end.column - start.column if inline else 1
    return Span(start.line + 1, start.column + 1, width, last)


def _close(node: Node, event: Any) -> None:
    """Extend the span of a mapping or list to its end."""
    span, end = node.place.span, event.end_mark
    last = end.line + 1 if end.column else end.line
    width = end.column - span.column + 1 if end.line + 1 == span.line else 1
    node.place.span = Span(span.line, span.column, width, last)
