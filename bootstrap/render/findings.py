"""The problems in the templates: each is reported once, at its line."""

from __future__ import annotations

import re
import sys

from bootstrap.errors import Problem, Public

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType, TracebackType
    from typing import Any, TypeAlias

    from bootstrap.render.rendered import Template
    from bootstrap.render.suggestions import Names
    from bootstrap.render.undefined import MissingValue

    Place: TypeAlias = tuple[str, int]  # a template's name and the line in it, from 1


class Findings:
    """The problems that are found while templates are rendered.

    `destination` is the path of the file that is being rendered. A problem in a template of
    several files is reported once.
    """

    def __init__(self, templates: Mapping[str, Template], names: Names) -> None:
        self.destination = ""
        self.problems: list[Problem] = []
        self._templates = templates
        self._names = names
        self._seen: set[tuple[Place, str]] = set()
        self._doubtful: set[Place] = set()

    def add(self, message: str, place: Place, *, hint: str = "", word: str = "") -> None:
        """Report `message` at `place`; `word` is the part of the line that it is about, if any."""
        if (place, message) in self._seen:
            return
        self._seen.add((place, message))
        name, number = place
        template = self._templates[name]
        number, text, column = _locate(word, template.text, number)
        self.problems.append(
            Problem(
                message,
                where=f"{template.origin}:{number}",
                path=Public(self.destination),
                text=text,
                column=column,
                width=len(word) if column else 1,
                hint=hint,
            )
        )

    def add_gap(self, gap: MissingValue) -> None:
        """Report a missing name at its place in the template."""
        word = str(gap.name or "")
        if gap.reason:
            message, hint = gap.reason, ""
        elif self.is_written(word):
            message, hint = self._names.describe(gap.obj, gap.name)
        else:
            message, hint = self._names.describe_computed(gap.obj)
        self._doubtful.update((gap.place, self.here()))
        self.add(message, gap.place, hint=hint, word=word)

    def is_written(self, word: str) -> bool:
        """Return whether some template holds `word`, so that a message may show it.

        A word that no template holds comes from a value, and must not be shown. Digits may always
        be shown: they are the positions in lists that loops count.
        """
        texts = (template.text for template in self._templates.values())
        return word.isdecimal() or any(word in text for text in texts)

    def add_here(self, message: str, *, hint: str = "") -> None:
        """Report `message` at the line that is being rendered."""
        self.add(message, self.here(), hint=hint)

    def add_failure(self, message: str, place: Place, *, hint: str = "") -> None:
        """Report what ended the rendering, unless a missing name on the same line explains it."""
        if place not in self._doubtful:
            self.add(message, place, hint=hint)

    def here(self) -> Place:
        """Return the template and the line that are being rendered.

        Raises LookupError if no template is.
        """
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  # as inspect, without its cost
        while frame is not None:
            template = frame.f_globals.get("__jinja_template__")
            if template is not None:
                return _place(template, frame.f_lineno)
            frame = frame.f_back
        raise LookupError("no template is being rendered")


def raised_at(traceback: TracebackType | None, default: Place) -> Place:
    """Return the place in the innermost frame of `traceback` that belongs to a template.

    Returns `default` if there is no such frame.
    """
    place = default
    while traceback is not None:
        template = traceback.tb_frame.f_globals.get("__jinja_template__")
        if template is not None:
            place = _place(template, traceback.tb_lineno)
        traceback = traceback.tb_next
    return place


def _place(template: Any, line: int) -> Place:
    return template.name, template.get_corresponding_lineno(line)


def _locate(word: str, text: str, number: int) -> tuple[int, str, int]:
    """Return the line that holds `word`: its number, its text, and the word's column, from 1.

    Jinja names one line of an expression of several lines. So the search goes down to the end of
    the expression, then up to its beginning. If `word` is empty or not found, the result is the
    named line with column 0.
    """
    lines = re.split(r"\r\n|\r|\n", text)  # Jinja has fewer line ends than splitlines()
    here = min(number, len(lines)) - 1
    down, up = range(here, len(lines)), range(here, -1, -1)
    for indexes, ends in ((down, ("}}", "%}")), (up, ("{{", "{%"))):
        for index in indexes if word else ():
            match = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", lines[index])
            if match:
                return index + 1, lines[index], match.start() + 1
            if any(end in lines[index] for end in ends):
                break
    return number, lines[here], 0
