"""Handlers: commands to run after files have changed."""

from __future__ import annotations

from bootstrap.errors import BootstrapError, CommandFailed, Problem, Public
from bootstrap.process import runner
from bootstrap.process.command import cure, program, spelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from bootstrap.apply.transaction.checks import Run
    from bootstrap.process.result import CommandResult

PATH = "handlers."
ROLLED_BACK = "the old files were put back"


class HandlersFailed(CommandFailed):
    """Some handlers failed.

    `due` are the names that the next run has to run, in order, whether or not files change;
    `rolled_back` says that the old files are back.
    """

    def __init__(
        self, problems: Sequence[Problem], due: Iterable[str], *, rolled_back: bool = False
    ) -> None:
        self.due = tuple(due)
        self.rolled_back = rolled_back
        back = [ROLLED_BACK] * rolled_back
        names = [f"handler {problem.path.removeprefix(PATH)}" for problem in problems]
        failures = [f"{name} {one.message}" for name, one in zip(names, problems, strict=True)]
        public = [f"{name} {one.public}" for name, one in zip(names, problems, strict=True)]
        super().__init__(
            "; ".join(failures + back), problems=problems, public=Public("; ".join(public + back))
        )


class Handlers:
    """The handlers of a configuration: `commands` by name, `timeout` in seconds for each.

    `origins` maps each name to the position of the handler in a document.
    With `private` the output of handlers is never shown, because they may have read a secret.
    """

    def __init__(
        self,
        commands: Mapping[str, tuple[str, ...]],
        *,
        timeout: float,
        run: Run = runner.run,
        private: bool = False,
        origins: Mapping[str, str] | None = None,
    ) -> None:
        self._commands = commands
        self._timeout = timeout
        self._run = run
        self._private = private
        self._origins = origins or {}

    def notify(self, due: Iterable[str]) -> None:
        """Run each handler that is due, once, in order, also after one has failed.

        Raises HandlersFailed after the last.
        """
        ended = {name: self._ended(name) for name in dict.fromkeys(due)}
        failed = self._problems(ended)
        if failed:
            raise HandlersFailed(failed, [name for name, one in ended.items() if one.failure])

    def notify_or(
        self, put_back: Callable[[], None], due: Iterable[str], *, pending: Collection[str]
    ) -> None:
        """Run the handlers as `notify` does; after the first failure put the old files back.

        The handlers that have run until then are run again, on the old files. The handlers in
        `pending` were due before any file changed, and stay due until they have run. Raises
        HandlersFailed, or the error of `put_back` with the problems of the failed handlers added.
        """
        ended: dict[str, CommandResult] = {}
        for name in dict.fromkeys(due):
            ended[name] = self._ended(name)
            if ended[name].failure:
                break
        failed = self._problems(ended)
        if not failed:
            return
        try:
            put_back()
        except BootstrapError as error:
            error.problems = (*failed, *error.problems)  # the reason for the rollback
            raise
        again = {name: self._ended(name) for name in ended}
        still = [name for name in dict.fromkeys(due) if self._is_due(name, again, pending)]
        failed += self._problems(again, "on the old files ")
        raise HandlersFailed(failed, still, rolled_back=True)

    @staticmethod
    def _is_due(name: str, again: Mapping[str, CommandResult], pending: Collection[str]) -> bool:
        return bool(again[name].failure) if name in again else name in pending

    def _ended(self, name: str) -> CommandResult:
        return self._run(self._commands[name], timeout=self._timeout)

    def _problems(self, ended: Mapping[str, CommandResult], where: str = "") -> list[Problem]:
        return [self._problem(name, one, where) for name, one in ended.items() if one.failure]

    def _problem(self, name: str, ended: CommandResult, where: str) -> Problem:
        command = self._commands[name]
        said = spelled(command)
        hint = cure(ended, command, private=self._private, by_hand=f"run it by hand: {said}")
        message = f"({said}) {where}{ended.failure}"
        return Problem(
            message,
            path=Public(PATH + name),
            where=self._origins.get(name, ""),
            hint=hint,
            public=Public(f"({program(command)}) {where}{ended.failure}"),
        )
