"""Messages about the error that ended the rendering of a file, for the author of the template.

The text of an exception can quote a value (`invalid literal for int(): 'hunter2'`). So only texts
that name nothing but types and the template's own words are passed on.
"""

from __future__ import annotations

import re

from bootstrap.errors import nearest
from bootstrap.render.environment import (
    TemplateNotFound,
    TemplateRuntimeError,
    TemplatesNotFound,
    TemplateSyntaxError,
)
from bootstrap.render.errors import FilterError
from bootstrap.render.filters import table
from bootstrap.render.findings import raised_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bootstrap.render.findings import Findings, Place

_UNKNOWN = re.compile(r"No (filter|test) named '(\w+)'")
_KNOWN = {
    "filter": (*table.FILTERS, *table.JINJA_FILTERS),
    "test": (*table.TESTS, *table.JINJA_TESTS),
}
_PASSED_ON = (TypeError, ZeroDivisionError, OverflowError, TemplateRuntimeError)


def report(error: Exception, name: str, findings: Findings, templates: Iterable[str]) -> None:
    """Add the error that ended the rendering of the template `name` to `findings`."""
    if isinstance(error, TemplateSyntaxError):
        place = (error.name or name, error.lineno)
        _report_words(error.message or "the template cannot be read", place, findings)
        return
    place = raised_at(error.__traceback__, (name, 1))
    if isinstance(error, FilterError):
        findings.add_failure(error.message, place, hint=error.hint)
    elif isinstance(error, TemplateNotFound):
        _report_not_found(error, place, findings, templates)
    elif isinstance(error, RecursionError):
        findings.add_failure("the template calls itself too often", place)
    elif isinstance(error, _PASSED_ON):
        _report_words(str(error), place, findings)
    else:
        findings.add_failure(f"this cannot be worked out ({type(error).__name__})", place)


def _report_words(message: str, place: Place, findings: Findings) -> None:
    hint = ""
    unknown = _UNKNOWN.match(message)
    if unknown:
        sort, name = unknown.groups()
        message, hint = _no_such(sort, name, _KNOWN[sort], findings)
    findings.add_failure(message, place, hint=hint)


def _report_not_found(
    error: TemplateNotFound, place: Place, findings: Findings, templates: Iterable[str]
) -> None:
    names = error.templates if isinstance(error, TemplatesNotFound) else [str(error.name)]
    reports = [_no_such("template", str(name), templates, findings) for name in names]
    message = " and ".join(message for message, _ in reports)
    findings.add_failure(message, place, hint=reports[-1][1] if reports else "")


def _no_such(sort: str, name: str, known: Iterable[str], findings: Findings) -> tuple[str, str]:
    """Return the message and the hint for a filter, test or template that does not exist.

    `sort` says which of these it is. A name that comes from a value is not shown.
    """
    meant = nearest(name, known)
    what = f"`{name}`" if findings.is_written(name) else "of the name that is worked out here"
    return f"there is no {sort} {what}", f"did you mean {meant}?" if meant else ""
