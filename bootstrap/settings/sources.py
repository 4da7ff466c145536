"""The settings in each source, checked against the table; all findings are reported together."""

from __future__ import annotations

import sys

from bootstrap.document import parse
from bootstrap.errors import InvalidDocument, Problem, Public, SettingsError, nearest
from bootstrap.problem import is_name
from bootstrap.settings.table import rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from bootstrap.document import Path, Source
    from bootstrap.settings.table import Row

SET = "--set"  # how a setting is given on the command line
WORDS = {"true": True, "yes": True, "on": True, "1": True}
WORDS |= {"false": False, "no": False, "off": False, "0": False}


def read_sources(
    files: Sequence[tuple[str, bytes]], variables: Mapping[str, str], assignments: Sequence[str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the values and the origins of all settings in the sources, each by dotted name.

    The later source wins. Raises SettingsError with the findings of all sources.
    """
    reader = _Reader()
    for name, content in files:
        reader.read_file(name, content)
    for variable, text in variables.items():
        reader.read_variable(variable, text)
    for assignment in assignments:
        reader.read_assignment(assignment)
    if reader.problems:
        message = Public("the settings of this agent are not valid")
        raise SettingsError(message, problems=reader.problems)
    return reader.values, reader.origins


class _Reader:
    """A reader that collects the settings of the sources; a later value replaces an earlier one."""

    def __init__(self) -> None:
        self.rows = {row.name: row for row in rows()}
        self.groups = {name.rpartition(".")[0] for name in self.rows}
        self.values: dict[str, Any] = {}
        self.origins: dict[str, str] = {}
        self.problems: list[Problem] = []

    def read_file(self, name: str, content: bytes) -> None:
        try:
            source = parse(content.decode(), name)
        except UnicodeDecodeError:
            self.problems.append(Problem("the file is not UTF-8 text", where=name))
        except InvalidDocument as error:
            self.problems.extend(error.problems)
        else:
            self._read_mapping(source, (), source.data)

    def read_variable(self, variable: str, text: str) -> None:
        by_variable = {row.variable: row for row in self.rows.values()}
        where = f"environment {variable}"
        if variable in by_variable:
            self._read_text(by_variable[variable], text, where)
        else:
            self._unknown("there is no such setting", where, variable, by_variable)

    def read_assignment(self, assignment: str) -> None:
        name, equals, text = assignment.partition("=")
        where = f"{SET} {name}"
        if not equals:  # a text without `=` is shown as a place only if it is a known name
            known = name in self.rows
            hint = f"such as --set {name}=VALUE" if known else f"{name!r} is none"
            place = where if known else SET
            self.problems.append(
                Problem("a setting is given as name=value", where=place, hint=hint)
            )
        elif name in self.rows:
            self._read_text(self.rows[name], text, where)
        else:
            place = where if is_name(name) else SET
            self._unknown(f"there is no setting {name!r}", place, name, self.rows)

    def _read_mapping(self, source: Source, path: Path, data: Any) -> None:
        if data is None:
            return
        if not isinstance(data, dict):
            hint = "settings are `name: value` lines"
            self.problems.append(source.problem(path, "this is not a mapping", hint=hint))
            return
        for key, value in data.items():
            self._read_entry(source, (*path, key), value)

    def _read_entry(self, source: Source, path: Path, value: Any) -> None:
        name = ".".join(map(str, path))
        if name in self.groups:
            self._read_mapping(source, path, value)
        elif name in self.rows:
            message = _check(self.rows[name], value)
            if message:
                self.problems.append(source.problem(path, message, hint=self.rows[name].about))
            else:
                self._state(name, value, source.where(path))
        else:
            close = nearest(name, self.rows)
            hint = f"did you mean {close}?" if close else ""
            message = f"there is no setting {name}"
            self.problems.append(source.problem(path, message, hint=hint, at_key=True))

    def _read_text(self, row: Row, text: str, where: str) -> None:
        value = _from_text(row, text)
        message = _check(row, value)
        if message:
            self.problems.append(Problem(message, where=where, path=row.name, hint=row.about))
        else:
            self._state(row.name, value, where)

    def _state(self, name: str, value: Any, origin: str) -> None:
        self.values[name] = value
        self.origins[name] = origin

    def _unknown(self, message: str, where: str, name: str, known: Iterable[str]) -> None:
        close = nearest(name, known)
        hint = f"did you mean {close}?" if close else ""
        self.problems.append(Problem(message, where=where, hint=hint))


def _from_text(row: Row, text: str) -> Any:
    """Convert a text of the environment or the command line; return it unchanged if it cannot be.

    `_check` then reports the unchanged text.
    """
    if row.kind == "bool":
        return WORDS.get(text.strip().casefold(), text)
    if row.kind in ("int", "float"):
        try:
            return int(text) if row.kind == "int" else float(text)
        except ValueError:
            return text
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if row.kind.startswith("tuple"):
        return parts
    if row.kind.startswith("Mapping"):
        pairs = [part.partition("=") for part in parts]
        return {name: path for name, _, path in pairs}
    return text


def _check(row: Row, value: Any) -> str:
    """Return why the setting cannot have this value, or an empty text if it can."""
    if row.kind in ("int", "float"):
        return _check_number(row, value)
    if row.kind == "bool":
        return "" if isinstance(value, bool) else f"{value!r} is not true or false"
    if row.kind.startswith("tuple"):
        return _check_list(row, value)
    if row.kind.startswith("Mapping"):
        return _check_texts(value.values() if isinstance(value, dict) else None, "a mapping")
    if not isinstance(value, str):
        return f"{value!r} is not a text"
    return _check_choice(row, value)


def _check_number(row: Row, value: Any) -> str:
    kinds = (int,) if row.kind == "int" else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds):
        return f"{value!r} is not a {'whole ' if row.kind == 'int' else ''}number"
    if row.minimum is not None and value < row.minimum:
        return f"{value:g} is below {row.minimum:g}"
    if not value <= (row.maximum or sys.float_info.max):  # nan and inf are refused, too
        return f"{value:g} is above {row.maximum or sys.float_info.max:g}"
    return ""


def _check_list(row: Row, value: Any) -> str:
    message = _check_texts(value if isinstance(value, list) else None, "a list")
    return message or next(filter(None, (_check_choice(row, member) for member in value)), "")


def _check_texts(members: Iterable[Any] | None, what: str) -> str:
    if members is None or not all(isinstance(member, str) for member in members):
        return f"this is not {what} of texts"
    return ""


def _check_choice(row: Row, value: str) -> str:
    if row.choices and value not in row.choices:
        return f"{value!r} is not one of {', '.join(row.choices)}"
    return ""
