"""Checks: commands that decide whether the new content of a file is valid."""

from __future__ import annotations

from bootstrap.errors import CommandFailed, Problem, Public
from bootstrap.fs.errors import together
from bootstrap.process.command import PLACEHOLDER, cure, spelled, takes_path
from bootstrap.process.result import CommandResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Protocol

    from bootstrap.apply.plan.change import Change
    from bootstrap.apply.transaction.step import Step

    class Run(Protocol):
        """A callable that runs a command: `commands.run`."""

        def __call__(self, command: Sequence[str], *, timeout: float) -> CommandResult:
            """Run the command to its end, for at most `timeout` seconds."""
            ...


def before(steps: Iterable[Step], *, timeout: float, run: Run, private: bool) -> None:
    """Run each check that has `{path}` on the staged file.

    Raises CommandFailed, one error for all checks that fail.
    With `private` the output of the checks is never shown, because they may have read a secret.
    A file whose content does not change is not checked again. A file that a check has modified is
    refused: only the content that was asked for is published.
    """
    failed = []
    for step in steps:
        command, staged = step.change.check, step.staged
        if staged and step.change.action != "attributes" and takes_path(command):
            words = tuple(word.replace(PLACEHOLDER, staged.path) for word in command)
            ended = run(words, timeout=timeout)
            if not ended.failure and not step.is_as_staged():
                ended = CommandResult("changed the file that it checks", ended.output)
            failed += _refused(step.change, ended, private=private)
    _raise(failed)


def after(steps: Iterable[Step], *, timeout: float, run: Run, private: bool) -> None:
    """Run each check that has no `{path}`, after all files are in place.

    A command that checks several files runs once. Raises CommandFailed, one error for all checks
    that fail.
    """
    checked: dict[tuple[str, ...], Change] = {}
    for step in steps:
        command = step.change.check
        if command and step.change.action != "attributes" and not takes_path(command):
            checked.setdefault(command, step.change)
    failed = []
    for command, change in checked.items():
        failed += _refused(change, run(command, timeout=timeout), private=private)
    _raise(failed)


def _raise(failed: Sequence[CommandFailed]) -> None:
    if failed:
        raise together(failed)


def _refused(change: Change, ended: CommandResult, *, private: bool) -> list[CommandFailed]:
    """Return the error of a failed check, in a list; an empty list if the check succeeded."""
    if not ended.failure:
        return []
    message = f"its check `{spelled(change.check)}` {ended.failure}"
    # This text is public, it appears in the status. The output of a command is only for those
    # with permission to read the document.
    public = Public(f"{change.path}: its check {ended.failure}")
    by_hand = f"`imds-bootstrap render {change.path}` shows the file, to check it by hand"
    hint = cure(ended, change.check, private=private, by_hand=by_hand)
    where = change.check_origin or change.origin
    problem = Problem(message, path=Public(change.path), where=where, hint=hint)
    return [CommandFailed(public, problems=[problem])]
