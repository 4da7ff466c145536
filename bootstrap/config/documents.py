"""One document, read and checked by its own schema; later checks may rely on that."""

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
FILE_KEY = 2  # the index of an entry's key in the path ("files", 0, "mode")
SEPARABLE = {("files",), ("handlers",), ("secrets",)}  # their entries do not depend on each other
DANGEROUS = {"octal": "octal", "sexagesimal": "base 60"}


class Document:
    """A document and its problems so far.

    A section (`values`), an entry of one (a handler) or a key of a file is `broken` if something in
    it is wrong, and `part` leaves it out. So later checks get only what they expect, and can still
    report problems in the rest.
    """

    def __init__(self, source: Source, trust: Trust, problems: Sequence[Problem] = ()) -> None:
        self.source = source
        self.trust = trust
        self.problems = list(problems)
        self.broken: set[Path] = set()

    def has_errors_in(self, sections: set[str]) -> bool:
        """Return whether anything in these sections is left out."""
        is_mapping = isinstance(self.source.data, dict)
        return not is_mapping or any(path[0] in sections for path in self.broken if path)

    def part(self, path: Path) -> Part | None:
        """Return the value at `path` with origins; None if it is missing or broken."""
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
        """Return each usable part of the mapping at `path`, by key; `()` is the whole document."""
        value = self.source.data
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        keys = value if isinstance(value, dict) else ()
        return {key: part for key in keys if (part := self.part((*path, key)))}

    def _sound(self, part: Part, path: Path) -> Part:
        """Return the part without what is broken in it."""
        if isinstance(part.value, list):
            members = [(at, item) for at, item in enumerate(part.value) if self._is_sound(path, at)]
            part.value = [self._sound(item, (*path, at)) for at, item in members]
        elif isinstance(part.value, dict):
            entries = {key: item for key, item in part.value.items() if self._is_sound(path, key)}
            part.value = {key: self._sound(item, (*path, key)) for key, item in entries.items()}
        return part

    def _is_sound(self, path: Path, step: str | int) -> bool:
        return (*path, step) not in self.broken

    def environments(self) -> list[str]:
        """Return the names of the environments that the document describes."""
        part = self.part(("environments",))
        return list(part.value) if part else []


def read(
    text: str, name: str, trust: Trust, *, rules: Mapping[str, Any], shape: Shape
) -> Document | list[Problem]:
    """Return the document in `text`, checked by the schema `rules`.

    If the text is unreadable, return its problems. The problems quote nothing that `shape` hides.
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
        document.broken |= {(section,) for section in source.data}  # what was not checked
    return document


def _broken(path: Path) -> Path:
    """Return the path of what a finding at `path` makes unusable."""
    if path[:1] == ("files",) and len(path) > FILE_KEY and path[FILE_KEY] != "path":
        return path[: FILE_KEY + 1]  # the rest of the entry can still be checked
    return path[: 2 if path[:1] in SEPARABLE else 1]


def _problem(source: Source, finding: Finding, shape: Shape) -> Problem:
    is_misplaced = finding.unknown_key or not finding.path  # so its line may hold anything
    return source.problem(
        finding.path,
        finding.message,
        hint=finding.hint,
        at_key=finding.at_key,
        hidden=_section(finding.path) == "secrets" or (is_misplaced and shape.hides),
    )


def misreadings(document: Document, known: Sequence[Problem]) -> Iterator[Problem]:
    """Yield a problem for each number that was probably not meant as one, but that YAML reads so.

    A place that has one of the `known` problems is left out.
    """
    reported = {problem.where for problem in known}
    source = document.source
    dangerous = (
        (path, reading)
        for path, reading in source.readings.items()
        if reading.kind in DANGEROUS and source.where(path) not in reported
    )
    for path, reading in islice(dangerous, validator.MAX_FINDINGS):
        yield _misread(source, path, reading)


def _misread(source: Source, path: Path, reading: Reading) -> Problem:
    kind = DANGEROUS[reading.kind]
    if not source.problem(path, "").text:  # its line is never shown
        return source.problem(path, f"YAML reads this as a number in {kind}", hint="quote it")
    message = f"YAML reads {reading.raw} as the number {reading.value} ({kind})"
    key = f"{path[-1]}: " if path and isinstance(path[-1], str) else ""
    hint = f'quote it: {key}"{reading.raw}"   (or write {reading.value}, if the number is meant)'
    return source.problem(path, message, hint=hint)


def _section(path: Path) -> str | int | None:
    """Return the section that a path is in, also inside an environment; None if it is in none."""
    at = 2 if path[:1] == ("environments",) else 0
    return path[at] if len(path) > at else None


def _is_guarded(path: Path, shape: Shape) -> bool:
    """Return whether messages must not repeat the value at `path`.

    A path in no section (None) is one that holds sections.
    """
    section = _section(path)
    return section == "secrets" or (section in {"values", None} and shape.hides)


def _hidden(data: Any, shape: Shape) -> Iterator[Path]:
    """Yield the paths that must not be shown, in a document and in its environments."""
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
    yield from ((*path, "values", *inner) for inner in shape.guarded(data.get("values")))
    secrets = data.get("secrets")
    for name, entry in secrets.items() if isinstance(secrets, dict) else ():
        if not isinstance(entry, dict):
            yield (*path, "secrets", name)  # may be a secret's value instead of a reference to it
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
