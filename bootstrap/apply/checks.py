"""Checks: a program's own opinion of the file that it is about to get."""

from __future__ import annotations

from bootstrap.apply.entries import PLACEHOLDER, takes_path
from bootstrap.apply.failures import together
from bootstrap.errors import CommandFailed, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Protocol

    from bootstrap.apply.change import Change
    from bootstrap.apply.commands import Ended
    from bootstrap.apply.steps import Step

    class Run(Protocol):
        """Something that runs a command: `commands.run`."""

        def __call__(self, command: Sequence[str], *, timeout: float) -> Ended:
            """Run it to its end, for at most `timeout` seconds."""
            ...


def before(steps: Iterable[Step], *, timeout: float, run: Run) -> None:
    """Run each check that has `{path}` on the staged file; raises CommandFailed for all that fail.

    A file whose content stays is not checked again.
    """
    _run(
        [
            (step.change, tuple(word.replace(PLACEHOLDER, staged.path) for word in command))
            for step in steps
            if (command := step.change.check)
            and (staged := step.staged)
            and step.change.action != "attributes"
            and takes_path(command)
        ],
        timeout=timeout,
        run=run,
    )


def after(steps: Iterable[Step], *, timeout: float, run: Run) -> None:
    """Run each check that has no `{path}`, now that all files have their names.

    The same command is run once, however many files it stands for.
    """
    checked: dict[tuple[str, ...], Change] = {}
    for step in steps:
        command = step.change.check
        if command and step.change.action != "attributes" and not takes_path(command):
            checked.setdefault(command, step.change)
    _run([(change, command) for command, change in checked.items()], timeout=timeout, run=run)


def _run(checks: Sequence[tuple[Change, tuple[str, ...]]], *, timeout: float, run: Run) -> None:
    failed = []
    for change, command in checks:
        ended = run(command, timeout=timeout)
        if ended.reason:
            failed.append(_refused(change, command[0], ended))
    if failed:
        raise together(failed)


def _refused(change: Change, program: str, ended: Ended) -> CommandFailed:
    message = f"its check {program} {ended.reason}"
    hint = "what it wrote is not shown, for the file holds a secret"
    if not change.secret:
        hint = f"it wrote: {ended.output}" if ended.output else ""
    problem = Problem(message, path=change.path, where=change.origin, hint=hint)
    return CommandFailed(f"{change.path}: {message}", problems=[problem])
