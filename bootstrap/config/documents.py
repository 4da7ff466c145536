"""One document, read and checked by its own schema: what the later stages may rely on."""

from __future__ import annotations

from itertools import islice

from bootstrap.config.provenance import DocumentOrigin, annotate
from bootstrap.config.schema import validator
from bootstrap.document import parse
from bootstrap.errors import InvalidDocument, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any, Literal, TypeAlias

    from bootstrap.config.provenance import Part
    from bootstrap.config.schema.lookup import Shape
    from bootstrap.config.schema.messages import Finding
    from bootstrap.document import Path, Reading, Source

    Trust: TypeAlias = 'Literal["image", "userData"]'

EXAMPLE = "a document begins with `#imds-bootstrap` and `version: 1`"
MAX_SHOWN = 40
REFERENCE_KEYS = {"vault", "name", "version", "certificate", "as", "encoding", "credential"}
FILE_KEY = 2  # where the key of an entry stands in ("files", 0, "mode")
SEPARABLE = {("files",), ("handlers",), ("secrets",)}  # one entry says nothing about another
DANGEROUS = {"octal": "octal", "sexagesimal": "base 60"}


class Document:
    """A document and its problems so far.

    A section (`values`), an entry of one (a handler) or a key of a file in which something is wrong
    is `broken`: `part` leaves it out, so that the stages after this one meet only what they expect
    and can still report what they find.
    """

    def __init__(self, source: Source, trust: Trust, problems: Sequence[Problem] = ()) -> None:
        self.source = source
        self.trust = trust
        self.problems = list(problems)
        self.broken: set[Path] = set()

    def has_errors_in(self, sections: set[str]) -> bool:
        """Whether anything of these sections is left out."""
        is_mapping = isinstance(self.source.data, dict)
        return not is_mapping or any(path[0] in sections for path in self.broken if path)

    def part(self, path: Path) -> Part | None:
        """What stands at `path`, with origins; None when nothing usable does."""
        value = self.source.data
        for step in path:
            if not isinstance(value, dict) or step not in value:
                return None
            value = value[step]
        if path[:1] in self.broken:
            return None
        part = annotate(value, DocumentOrigin(self.source, path, self.trust))
        return self._sound(part, path) if self.broken else part

    def parts(self, path: Path) -> dict[str, Part]:
        """Each usable part of the mapping at `path`, the whole document's included."""
        value = self.source.data
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        keys = value if isinstance(value, dict) else ()
        return {key: part for key in keys if (part := self.part((*path, key)))}

    def _sound(self, part: Part, path: Path) -> Part:
        """The part without what is broken in it."""
        if isinstance(part.value, list):
            members = [(at, one) for at, one in enumerate(part.value) if self._is_sound(path, at)]
            part.value = [self._sound(one, (*path, at)) for at, one in members]
        elif isinstance(part.value, dict):
            entries = {key: one for key, one in part.value.items() if self._is_sound(path, key)}
            part.value = {key: self._sound(one, (*path, key)) for key, one in entries.items()}
        return part

    def _is_sound(self, path: Path, step: str | int) -> bool:
        return (*path, step) not in self.broken

    def environments(self) -> list[str]:
        """The names of the environments that it describes."""
        part = self.part(("environments",))
        return list(part.value) if part else []


def read(
    text: str, name: str, trust: Trust, *, rules: Mapping[str, Any], shape: Shape
) -> Document | list[Problem]:
    """The document in `text`, checked by the schema `rules`; of unreadable text, the problems.

    Nothing of what `shape` calls hidden stands in the problems.
    """
    try:
        source = parse(text, name)
    except InvalidDocument as error:
        return [without_text(problem) if shape.hides else problem for problem in error.problems]
    source = source.concealing(_hidden(source.data, shape))
    document = Document(source, trust)
    if not isinstance(source.data, dict):
        document.problems.append(_no_mapping(source, shown=not shape.hides))
        return document
    for finding in validator.findings(
        rules, source.data, reading=source.reading, hidden=lambda path: _is_guarded(path, shape)
    ):
        document.broken.add(_broken(finding.path))
        document.problems.append(_problem(source, finding, shape))
    if len(document.problems) >= validator.MAX_FINDINGS:
        document.broken |= {(section,) for section in source.data}  # what was not looked at
    return document


def _broken(path: Path) -> Path:
    """How much of a document a finding at `path` makes unusable."""
    if path[:1] == ("files",) and len(path) > FILE_KEY and path[FILE_KEY] != "path":
        return path[: FILE_KEY + 1]  # the rest of the entry can still be looked at
    return path[: 2 if path[:1] in SEPARABLE else 1]


def _problem(source: Source, finding: Finding, shape: Shape) -> Problem:
    is_misplaced = finding.unknown_key or not finding.path  # so anything may stand on its line
    return source.problem(
        finding.path,
        finding.message,
        hint=finding.hint,
        at_key=finding.at_key,
        hidden=_section(finding.path) == "secrets" or (is_misplaced and shape.hides),
    )


def misreadings(document: Document, known: Sequence[Problem]) -> Iterator[Problem]:
    """What YAML read as a number that hardly was meant as one, unless something complained."""
    complained = {problem.where for problem in known}
    source = document.source
    dangerous = (
        (path, reading)
        for path, reading in source.readings.items()
        if reading.kind in DANGEROUS and source.where(path) not in complained
    )
    for path, reading in islice(dangerous, validator.MAX_FINDINGS):
        yield _misread(source, path, reading)


def _misread(source: Source, path: Path, reading: Reading) -> Problem:
    kind = DANGEROUS[reading.kind]
    if not source.problem(path, "").text:  # on a line that is never shown
        return source.problem(path, f"YAML reads this as a number in {kind}", hint="quote it")
    message = f"YAML reads {reading.raw} as the number {reading.value} ({kind})"
    key = f"{path[-1]}: " if path and isinstance(path[-1], str) else ""
    hint = f'quote it: {key}"{reading.raw}"   (or write {reading.value}, if the number is meant)'
    return source.problem(path, message, hint=hint)


def _section(path: Path) -> str | int | None:
    """The section in which a path lies, also inside an environment."""
    at = 2 if path[:1] == ("environments",) else 0
    return path[at] if len(path) > at else None


def _is_guarded(path: Path, shape: Shape) -> bool:
    """Whether no value from `path` is to be repeated; None stands for a place of sections."""
    section = _section(path)
    return section == "secrets" or (section in {"values", None} and shape.hides)


def _hidden(data: Any, shape: Shape) -> Iterator[Path]:
    """Where a document holds what must not be shown, in it and in its environments."""
    yield from _hidden_in_sections(data, (), shape)
    environments = data.get("environments", {}) if isinstance(data, dict) else {}
    if isinstance(environments, dict):
        for name, entry in environments.items():
            yield from _hidden_in_sections(entry, ("environments", name), shape)
    elif shape.hides:
        yield ("environments",)


def _hidden_in_sections(data: Any, path: Path, shape: Shape) -> Iterator[Path]:
    if not isinstance(data, dict):
        if shape.hides:
            yield path
        return
    yield from ((*path, "values", *found) for found in shape.guarded(data.get("values")))
    secrets = data.get("secrets")
    for name, entry in secrets.items() if isinstance(secrets, dict) else ():
        if not isinstance(entry, dict):
            yield (*path, "secrets", name)  # a secret's value, where only its name belongs
            continue
        for key in entry:
            if key not in REFERENCE_KEYS:
                yield (*path, "secrets", name, key)


def without_text(problem: Problem) -> Problem:
    """Return the problem without the line of the source."""
    return Problem(
        problem.message, where=problem.where, path=problem.path, width=1, hint=problem.hint
    )


def _no_mapping(source: Source, *, shown: bool) -> Problem:
    data = source.data
    if data is None:
        return source.problem((), "there is nothing in this document", hint=EXAMPLE)
    if isinstance(data, list):
        return source.problem((), "this is a list, not a document", hint=EXAMPLE)
    text = f": {str(data)[:MAX_SHOWN]!r}" if shown else ""
    return source.problem((), f"this is a piece of text, not a document{text}", hint=EXAMPLE)
