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
LINE_LIMIT = 160  # characters of a source line that are shown


def describe(error: BootstrapError, *, color: bool = False) -> str:
    """The whole error as text that ends in a newline; `color` adds terminal colours."""
    paint = painter(color=color)
    lines = [
        paint(RED + BOLD, f"error[{error.code}]") + " " + paint(BOLD, printable(error.message))
    ]
    for problem in error.problems:
        lines += _describe_problem(problem, paint)
    if error.hint:
        lines.append(f"  {paint(CYAN, '= help:')} {printable(error.hint)}")
    return "\n".join(lines) + "\n"


def printable(text: str) -> str:
    """The text without control characters: what others wrote must not steer a terminal."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def describe_problems(problems: tuple[Problem, ...], *, color: bool = False) -> str:
    """Findings without an error around them, as `validate` shows them."""
    paint = painter(color=color)
    lines = [line for problem in problems for line in _describe_problem(problem, paint)]
    return "".join(f"{line}\n" for line in lines)


def _describe_problem(problem: Problem, paint: Callable[[str, str], str]) -> Iterator[str]:
    place = "  ".join(printable(part) for part in (problem.where, problem.path) if part)
    if not problem.text:
        yield f"  {paint(BLUE, '-->')} {place}: {printable(problem.message)}"
        gutter = "   "
    else:
        yield f"  {paint(BLUE, '-->')} {place}"
        number = _line_number(problem.where)
        gutter = " " * (len(number) + 2)
        bar = paint(BLUE, "|")
        text, column, width = _window(problem)
        yield f"{gutter}{bar}"
        yield f" {paint(BLUE, number)} {bar} {text}"
        yield f"{gutter}{bar} {' ' * column}{paint(RED, '^' * width)} {printable(problem.message)}"
    if problem.hint:
        yield f"{gutter}{paint(CYAN, '= help:')} {printable(problem.hint)}"


def _line_number(where: str) -> str:
    """The line in `userData:4:11`; places without a column end in the line itself."""
    numbers = [part for part in where.split(":") if part.isdigit()]
    return numbers[-2] if len(numbers) > 1 else numbers[0] if numbers else "?"


def _window(problem: Problem) -> tuple[str, int, int]:
    """The part of the line that is shown, with the finding's offset and width in it."""
    text = printable(problem.text.expandtabs(1))
    offset = max(problem.column - 1, 0)
    start = max(0, offset - LINE_LIMIT // 2) if len(text) > LINE_LIMIT else 0
    shown = text[start : start + LINE_LIMIT]
    width = max(1, min(problem.width, len(shown) - (offset - start)))
    return shown, offset - start, width


def painter(*, color: bool) -> Callable[[str, str], str]:
    """What puts a terminal colour around a text, or leaves it as it is."""
    return (lambda code, text: f"{code}{text}{OFF}") if color else (lambda _, text: text)
