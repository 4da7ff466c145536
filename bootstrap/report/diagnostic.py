"""An error as a person reads it: what, where, why, what to do.

error[IB105] userData is not valid
  --> userData:4:11  files[0].mode
   |
 4 |     mode: 0644
   |           ^^^^ 420 is not a string
   = help: quote it: mode: "0644"   (YAML reads 0644 as the number 420)
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bootstrap.errors import BootstrapError, Problem

RED, BLUE, CYAN, BOLD, OFF = "\x1b[31m", "\x1b[34m", "\x1b[36m", "\x1b[1m", "\x1b[0m"
MAX_LINE = 160  # characters of a source line that are shown where no terminal is narrower
MIN_LINE = 40  # and on the narrowest one: less would show nothing of what is around a finding
CUT = "…"  # where a line goes on


def describe(error: BootstrapError, *, color: bool = False, columns: int = 0) -> str:
    """The whole error as text that ends in a newline.

    `color` adds terminal colours; `columns` is the terminal's width, 0 where there is none: a line
    of the source that wrapped would have its marks in the wrong place.
    """
    paint = painter(color=color)
    lines = [
        paint(RED + BOLD, f"error[{error.code}]") + " " + paint(BOLD, printable(error.message))
    ]
    for problem in error.problems:
        lines += _describe_problem(problem, paint, columns)
    if error.hint:
        lines.append(_help("  ", error.hint, paint))
    return "\n".join(lines) + "\n"


def printable(text: str) -> str:
    """The text without control characters: what others wrote must not steer a terminal."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def one_line(text: str) -> str:
    """Return `printable` text in which a name that others chose can begin no line of its own."""
    return printable(text).replace("\n", "\N{REPLACEMENT CHARACTER}")


def describe_problems(
    problems: tuple[Problem, ...], *, color: bool = False, columns: int = 0
) -> str:
    """Findings without an error around them, as `validate` shows them."""
    paint = painter(color=color)
    lines = [line for problem in problems for line in _describe_problem(problem, paint, columns)]
    return "".join(f"{line}\n" for line in lines)


def _describe_problem(
    problem: Problem, paint: Callable[[str, str], str], columns: int
) -> Iterator[str]:
    place = "  ".join(one_line(part) for part in (problem.where, problem.path) if part)
    if not problem.text:
        yield f"  {paint(BLUE, '-->')} {place}: {printable(problem.message)}"
        gutter = "   "
    else:
        yield f"  {paint(BLUE, '-->')} {place}"
        number = _line_number(problem.where)
        gutter = " " * (len(number) + 2)
        bar = paint(BLUE, "|")
        room = columns - len(f"{gutter}| {CUT}{CUT}") if columns else MAX_LINE
        text, column, width = _window(problem, min(max(room, MIN_LINE), MAX_LINE))
        yield f"{gutter}{bar}"
        yield f" {paint(BLUE, number)} {bar} {text}"
        yield f"{gutter}{bar} {' ' * column}{paint(RED, '^' * width)} {printable(problem.message)}"
    if problem.hint:
        yield _help(gutter, problem.hint, paint)


def _help(gutter: str, hint: str, paint: Callable[[str, str], str]) -> str:
    """What to do; the lines after the first, such as what a command wrote, stand below it."""
    mark = "= help:"
    below = "\n" + " " * (len(gutter) + len(mark) + 1)
    return f"{gutter}{paint(CYAN, mark)} {printable(hint).replace(chr(10), below)}"


def _line_number(where: str) -> str:
    """The line in `userData:4:11`; places without a column end in the line, a tag has neither."""
    numbers = [part for part in where.split(":") if part.isdigit()]
    return numbers[-2] if len(numbers) > 1 else numbers[0] if numbers else " "


def _window(problem: Problem, limit: int) -> tuple[str, int, int]:
    """The part of the line that is shown, with the finding's offset and width in it."""
    text = printable(problem.text.expandtabs(1))
    offset = max(problem.column - 1, 0)
    start = max(0, offset - limit // 2) if len(text) > limit else 0
    shown = text[start : start + limit]
    width = max(1, min(problem.width, len(shown) - (offset - start)))
    before, after = CUT if start else "", CUT if start + limit < len(text) else ""
    return f"{before}{shown}{after}", offset - start + len(before), width


def painter(*, color: bool) -> Callable[[str, str], str]:
    """What puts a terminal colour around a text, or leaves it as it is."""
    return (lambda code, text: f"{code}{text}{OFF}") if color else (lambda _, text: text)
