"""The documents that make a configuration, and every problem found so far."""

from __future__ import annotations

from bootstrap.config import control_characters, files, layers
from bootstrap.config import documents as reading
from bootstrap.config.keyvault_references import references
from bootstrap.config.provenance import DocumentOrigin, Part
from bootstrap.config.schema import validator
from bootstrap.config.schema.lookup import Shape
from bootstrap.config.schema.messages import TYPES
from bootstrap.errors import InvalidDocument, Public

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from bootstrap.config.documents import Document, Trust
    from bootstrap.config.keyvault_references import VaultRules
    from bootstrap.config.layers import Merged
    from bootstrap.config.schema.values import ValuesSchema
    from bootstrap.config.tags import TagLayer
    from bootstrap.document import Path
    from bootstrap.errors import Problem
    from bootstrap.settings import UserDataSettings


class Collector:
    """The documents that were read, and the problems with them.

    A check is left out if it depends on something that cannot be used (an unreadable document, a
    broken section). So one mistake does not cause a dozen problems.
    """

    def __init__(
        self, rules: Mapping[str, Any], owner: ValuesSchema | None, vaults: VaultRules
    ) -> None:
        self.rules = rules
        self.vaults = vaults
        self.values_schema = owner
        self.shape = owner.shape if owner else Shape({})
        self.documents: list[Document] = []
        self.problems: list[Problem] = []
        self.names: list[str] = []
        self.has_sound_values = True
        self.is_readable = True

    def read(self, text: str, name: str, trust: Trust, settings: UserDataSettings) -> None:
        """Read one document and check it by itself; `settings` limit a userData."""
        document = reading.read(text, name, trust, rules=self.rules, shape=self.shape)
        if isinstance(document, list):
            self.add_unreadable(name, document)
            return
        self.names.append(name)
        self.documents.append(document)
        self.problems += document.problems
        self.problems += layers.check_layers(document, settings, self.vaults)
        self.problems += control_characters.in_document(document, self.shape)

    def add_unreadable(self, name: str, problems: Iterable[Problem]) -> None:
        """Record the problems of a document that cannot be read at all."""
        self.names.append(name)
        self.problems += problems
        self.is_readable = False

    def check_values(self, values: Part | None, *, is_partial: bool = False) -> None:
        """Check values by the image's schema; with `is_partial`, none has to be present."""
        if self.values_schema is None or self._has_errors_in(
            {"values", "environments", "environment"}
        ):
            return
        part = values or Part({}, DocumentOrigin(self.values_schema.source, ()))
        data = part.to_plain()
        hidden = frozenset(self.shape.guarded(data))
        secrets = dict(references(part))
        self._check_secret_types(secrets)
        for finding in validator.findings(
            self.values_schema.rules,
            data,
            reading=lambda path: part.find(path).origin.reading(),
            hidden=hidden.__contains__,
            unknown=secrets,
        ):
            if not (is_partial and finding.missing):
                problem = part.find(finding.path).origin.problem(
                    finding.message,
                    hint=finding.hint,
                    at_key=finding.at_key,
                    hidden=finding.path in hidden or (finding.unknown_key and self.shape.hides),
                )
                self.problems.append(problem)
                self.has_sound_values = False

    def _check_secret_types(self, secrets: Mapping[Path, Part]) -> None:
        """Check that the schema accepts a text wherever a value is a secret.

        The other rules of the schema can only be checked when the secret has been fetched.
        """
        for path, part in secrets.items():
            types = self.shape.types(path)
            if types and "string" not in types:
                wanted = " or ".join(TYPES[name] for name in sorted(types))
                message = f"a secret is a text, and the image's schema wants {wanted}"
                self.problems.append(part.origin.problem(message))
                self.has_sound_values = False

    def check_merged(self, merged: Merged, tags: TagLayer) -> None:
        """Check what can only be checked when the layers are merged."""
        self.problems += (*tags.problems, *merged.beyond)
        if merged.problem or tags.problems:
            self.has_sound_values = False
        if merged.problem and not self._has_errors_in({"environments"}):
            self.problems.append(merged.problem)
        if not self._has_errors_in({"files", "handlers", "environments", "environment"}):
            handlers = merged.sections.get("handlers")
            self.problems += files.incomplete(merged.files, handlers.value if handlers else ())

    def error(self) -> InvalidDocument | None:
        """Return all problems as one error; None if there are none."""
        problems = self.sorted_problems()
        if not problems:
            return None
        subjects = {self._subject(problem) for problem in problems}
        subject = subjects.pop() if len(subjects) == 1 else "the configuration"
        return InvalidDocument(Public(f"{subject} is not valid"), problems=problems)

    def sorted_problems(self) -> list[Problem]:
        """Return all problems in the order of the layers, and in each from top to bottom."""
        for document in self.documents:
            self.problems += reading.misreadings(document, self.problems)
        return sorted(self.problems, key=self._place)

    def lacks_values(self) -> bool:
        """Return whether the merged values are not what the layers meant, and cannot be used."""
        return not self.has_sound_values or self._has_errors_in(
            {"values", "environments", "environment"}
        )

    def _has_errors_in(self, sections: set[str]) -> bool:
        """Return whether something in these sections could not be understood."""
        return not self.is_readable or any(
            document.has_errors_in(sections) for document in self.documents
        )

    def _subject(self, problem: Problem) -> str:
        """Return the name of the document or of the tag that a problem is in.

        It is "the configuration" if the problem is in no single layer.
        """
        if problem.where.startswith("tag "):
            return problem.where
        return next((name for name in self.names if _is_in(problem, name)), "the configuration")

    def _place(self, problem: Problem) -> tuple[int, list[int]]:
        """Return the sort key of a problem: the rank of its document, then line and column."""
        for rank, name in enumerate(self.names):
            if _is_in(problem, name):
                return rank, [int(number) for number in problem.where[len(name) :].split(":")[1:]]
        return len(self.names), []


def _is_in(problem: Problem, name: str) -> bool:
    return problem.where == name or problem.where.startswith(f"{name}:")
