"""A plan onto the disk: all of it or nothing."""

from __future__ import annotations

from bootstrap.apply import checks, commands, disk
from bootstrap.apply.failures import told
from bootstrap.apply.steps import step_for
from bootstrap.errors import BootstrapError, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bootstrap.apply.change import Plan
    from bootstrap.apply.checks import Run
    from bootstrap.apply.steps import Step
    from bootstrap.apply.written import Written


def commit(
    plan: Plan,
    *,
    timeout: float,
    run: Run = commands.run,
    token: Callable[[], str] = disk.token,
) -> tuple[Written, ...]:
    """Carry out a plan and give the records of every file as it now stands.

    Everything is staged and checked before the first name changes; when anything fails after
    that, a check without `{path}` included, the old files are put back before the error is
    raised. `timeout` is for each check, in seconds. Raises WriteError, NotPermitted or
    CommandFailed. Handlers are not run here: see `notify`.
    """
    name = token()
    steps = [step_for(change, f"{name}-{index}") for index, change in enumerate(plan.changes)]
    try:
        _each(steps, lambda step: step.stage(), "writing")
        checks.before(steps, timeout=timeout, run=run)
        _each(steps, lambda step: step.publish(), "replacing")
        _sync(steps)
        checks.after(steps, timeout=timeout, run=run)
    except BaseException as error:
        _put_back(steps, error)
        raise
    for step in steps:
        step.finish()
    return plan.written


def _each(steps: list[Step], act: Callable[[Step], None], doing: str) -> None:
    for step in steps:
        _attempt(step, act, doing)


def _attempt(step: Step, act: Callable[[Step], None], doing: str) -> None:
    try:
        act(step)
    except OSError as error:
        change = step.change
        raise told(error, doing, path=change.path, origin=change.origin) from error


def _sync(steps: list[Step]) -> None:
    """Flush every folder in which a name changed, each once."""
    folders = {step.place.folders: step for step in steps}
    _each(list(folders.values()), lambda step: disk.sync(step.place), "flushing the folder of")


def _put_back(steps: list[Step], error: BaseException) -> None:
    """Undo what was published, the last first; what cannot be undone is told with the error."""
    backwards = steps[::-1]
    undone = [_stranded(step, step.undo) for step in backwards]
    discarded = [_stranded(step, step.discard) for step in backwards]
    if isinstance(error, BootstrapError):
        error.problems += tuple(problem for problem in undone + discarded if problem)


def _stranded(step: Step, act: Callable[[], None]) -> Problem | None:
    try:
        act()
    except OSError as failure:
        message = f"could not be put back: {failure.strerror}"
        hint = f"if {step.kept.path} exists, it is the old file"
        return Problem(message, path=step.change.path, where=step.change.origin, hint=hint)
    return None
