"""The run's own deadline, which no check and no handler may outlast."""

from __future__ import annotations

from bootstrap.errors import DeadlinePassed, Public

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bootstrap.errors import CommandFailed
    from bootstrap.process.result import CommandResult


class CommandDeadline:
    """Runs commands, each within its own time and all by `deadline` (on `clock`).

    `tell` hears of each that has ended.
    """

    def __init__(
        self,
        deadline: float,
        *,
        clock: Callable[[], float],
        tell: Callable[[Sequence[str], CommandResult], None],
    ) -> None:
        self._deadline = deadline
        self._clock = clock
        self._tell = tell
        self._is_late: bool | None = None  # of the first command that failed: for want of time?

    def run(self, command: Sequence[str], *, timeout: float) -> CommandResult:
        """Run a check or a handler to its end."""
        from bootstrap.process import runner  # a run without commands starts no process

        left = self._deadline - self._clock()
        ended = runner.run(command, timeout=min(timeout, left), clock=self._clock)
        if ended.failure:
            is_late = self._clock() >= self._deadline
            ended.failure += " (the run's deadline has passed)" if is_late else ""
            self._is_late = is_late if self._is_late is None else self._is_late
        self._tell(command, ended)
        return ended

    def as_deadline_error(self, error: CommandFailed) -> CommandFailed | DeadlinePassed:
        """What the failure of a command comes to: where time alone was missing, try again later."""
        if not self._is_late:
            return error
        late = "the deadline passed while a command was at work"
        return DeadlinePassed(
            f"{late}: {error.message}",
            problems=error.problems,
            public=Public(f"{late}: {error.public}"),
        )
