"""Tags as the topmost layer: each sets one value, of the type that the image's schema gives."""

from __future__ import annotations

from fnmatch import fnmatchcase

from bootstrap.config import control_characters
from bootstrap.config.keyvault_references import mentions_reference
from bootstrap.config.provenance import Part, TagOrigin, annotate, merge_parts
from bootstrap.config.tag_values import ConversionError, convert
from bootstrap.document import format_path, parse_path
from bootstrap.document.limits import MAX_DEPTH
from bootstrap.imds.tags import fold_case

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

    from bootstrap.config.schema.lookup import Shape
    from bootstrap.document import Path
    from bootstrap.errors import Problem
    from bootstrap.settings import TagSettings

    Tag: TypeAlias = tuple[str, str]

VALUES: Path = ("values",)


class TagLayer:
    """The tags that set something, and the problems with them.

    Names are compared without regard to case, as in Azure. The prefix and the mapping of the
    settings say which tags set a value. One more tag chooses the environment. The others are not
    ours.
    """

    def __init__(self, tags: Iterable[Tag], rules: TagSettings, shape: Shape) -> None:
        self.rules = rules
        self.shape = shape
        self.problems: list[Problem] = []
        self.setters: list[tuple[Tag, str]] = []
        self.environment: Tag | None = None
        self.others: list[str] = []  # names of tags that are not ours
        self._sort(tags)

    def _sort(self, tags: Iterable[Tag]) -> None:
        mapped = {fold_case(name): path for name, path in self.rules.map.items()}
        prefix = fold_case(self.rules.prefix)
        seen: set[str] = set()
        for name, text in tags:
            folded = fold_case(name)
            if folded in mapped:
                self.setters.append(((name, text), mapped[folded]))
            elif prefix and folded.startswith(prefix):
                self.setters.append(((name, text), name[len(prefix) :].strip()))
            elif folded != fold_case(self.rules.environment):
                self.others.append(name)
                continue
            if folded == fold_case(self.rules.environment):
                self._pick(name, text.strip())
            if folded in seen:
                origin = TagOrigin(name, "", ())
                self.problems.append(origin.problem("this tag is there twice"))
            seen.add(folded)

    def _pick(self, name: str, environment: str) -> None:
        origin = TagOrigin(name, environment, ("environment",))
        if problem := control_characters.in_tag_name(origin, name, environment):
            self.problems.append(problem)
        else:
            self.environment = (name, environment)

    def over(self, values: Part | None) -> Part | None:
        """Return the values with the tags' over them; add a problem for what cannot be set."""
        for (name, text), dotted in self.setters:
            origin = TagOrigin(name, text, VALUES)
            if problem := control_characters.in_tag_name(origin, name):
                self.problems.append(problem)
                continue
            try:
                path = _path(dotted)
            except ValueError as error:
                self.problems.append(
                    origin.problem(str(error), hint=self._path_hint(name), hidden=self.shape.hides)
                )
                continue
            path = self._as_written_elsewhere(path, values)
            layer = self._layer(name, text, path, values)
            if layer:
                values = merge_parts(values, layer)
        return values

    def _path_hint(self, name: str) -> str:
        if fold_case(name).startswith(fold_case(self.rules.prefix)):
            return f"write it as {self.rules.prefix}web.port"
        return "correct its path in the setting tags.map in the image's agent.yaml"

    def _as_written_elsewhere(self, path: Path, values: Part | None) -> Path:
        """Return the path as the values and the schema spell it, because tag names have no case."""
        spelled: list[str | int] = []
        for part in path:
            below = values.find(tuple(spelled)) if values else None
            exists = values and below and _reaches(values, tuple(spelled))
            known = (
                set(below.value) if exists and below and isinstance(below.value, dict) else set()
            )
            known |= self.shape.names(tuple(spelled))
            folded = {fold_case(name): name for name in sorted(known)}
            spelled.append(part if part in known else folded.get(fold_case(str(part)), part))
        return tuple(spelled)

    def _layer(self, name: str, text: str, path: Path, values: Part | None) -> Part | None:
        """Return values that hold only this tag's.

        If it may not be set, add a problem and return None.
        """
        is_guarded = self._is_guarded(path)
        origin = TagOrigin(name, "" if is_guarded else text, (*VALUES, *path))
        problem = self._forbidden(origin, path) or self._blocked(origin, path, values)
        if not problem:
            try:
                part = annotate(convert(text, self.shape, path), origin)
            except ConversionError as error:
                problem = origin.problem(error.without_value if is_guarded else str(error))
            else:
                problem = _secret(part) or self._replaces_mapping(part, path, values)
                self.problems += control_characters.in_tag(part, path, self.shape)
        if problem:
            self.problems.append(problem)
            return None
        for step in reversed(path):
            part = Part({step: part}, origin)
        return part

    def _is_guarded(self, path: Path) -> bool:
        """Return whether messages must not repeat what a tag sets at `path`."""
        skeleton: object = "text"
        for step in reversed(path):
            skeleton = {step: skeleton}
        return path in set(self.shape.guarded(skeleton))

    def _forbidden(self, origin: TagOrigin, path: Path) -> Problem | None:
        """Return a problem if the settings do not let tags set the path, else None.

        `*` in a pattern also matches dots.
        """
        dotted = format_path(path)
        if any(fnmatchcase(dotted, pattern) for pattern in self.rules.paths):
            return None
        allowed = ", ".join(self.rules.paths) or "nothing"
        return origin.problem(
            f"tags may not set {dotted}; they may set {allowed}",
            hint="add the path to the setting tags.paths in the image's agent.yaml",
        )

    def _blocked(self, origin: TagOrigin, path: Path, values: Part | None) -> Problem | None:
        """Return a problem if a step of the path above its end holds a value, else None."""
        for depth in range(1, len(path)):
            on_the_way = path[:depth]
            if values is None or not _reaches(values, on_the_way):
                return None
            part = values.find(on_the_way)
            if not isinstance(part.value, dict):
                message = f"{format_path(on_the_way)} holds a value; nothing can be set below it"
                return origin.problem(message, hint=f"it was set by {part.origin}")
        return None

    def _replaces_mapping(self, part: Part, path: Path, values: Part | None) -> Problem | None:
        if values is None or not _reaches(values, path) or isinstance(part.value, dict):
            return None
        if not isinstance(values.find(path).value, dict):
            return None
        message = f"{format_path(path)} is a mapping; a tag sets one value in it"
        keys: Sequence[str] = sorted(values.find(path).value)
        hint = f"write {self.rules.prefix}{format_path((*path, keys[0]))}" if keys else ""
        return part.origin.problem(message, hint=hint)


def _secret(part: Part) -> Problem | None:
    """Return a problem if the converted value of a tag spells a reference, else None."""
    if not mentions_reference(part.to_plain()):
        return None
    hint = "name it in the image's documents or in userData"
    return part.origin.problem("a tag may not name a secret", hint=hint)


def _path(dotted: str) -> Path:
    path = parse_path(dotted)
    if not path:
        raise ValueError("this tag names no value")
    if any(isinstance(part, int) for part in path):
        raise ValueError("a tag sets a whole list, not one entry of it")
    if len(path) > MAX_DEPTH:
        raise ValueError(f"a value lies at most {MAX_DEPTH} levels deep")
    return path


def _reaches(values: Part, path: Path) -> bool:
    """Return whether there is something at `path`."""
    part = values
    for step in path:
        if not part.has(step):
            return False
        part = part.value[step]
    return True
