"""Handlers: what has to hear that files have changed."""

from __future__ import annotations

from bootstrap.apply import commands
from bootstrap.errors import CommandFailed, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bootstrap.apply.checks import Run
    from bootstrap.apply.commands import Ended


class HandlersFailed(CommandFailed):
    """Some handlers failed; `due` are their names, in order, for the next run."""

    def __init__(self, problems: Mapping[str, Problem]) -> None:
        self.due = tuple(problems)
        message = "; ".join(f"handler {name} {problems[name].message}" for name in self.due)
        super().__init__(message, problems=problems.values())


def notify(
    due: Iterable[str],
    handlers: Mapping[str, tuple[str, ...]],
    *,
    timeout: float,
    run: Run = commands.run,
) -> None:
    """Run each handler that is due, once, in order; a failure does not keep the others from it.

    `timeout` is for each, in seconds. Raises HandlersFailed, a CommandFailed, after the last.
    """
    failed: dict[str, Problem] = {}
    for name in dict.fromkeys(due):
        ended = run(handlers[name], timeout=timeout)
        if ended.reason:
            failed[name] = _problem(name, handlers[name][0], ended)
    if failed:
        raise HandlersFailed(failed)


def _problem(name: str, program: str, ended: Ended) -> Problem:
    hint = f"it wrote: {ended.output}" if ended.output else ""
    return Problem(f"({program}) {ended.reason}", path=f"handlers.{name}", hint=hint)
