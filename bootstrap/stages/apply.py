"""Stage 6: the plan of what to change, and the transaction that carries it out."""

from __future__ import annotations

from bootstrap.errors import CommandFailed, DeadlinePassed, Public
from bootstrap.report.log import DEBUG, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bootstrap.apply.plan.change import Plan
    from bootstrap.apply.transaction.journal import JournalContents
    from bootstrap.config.model import Configuration
    from bootstrap.context import Context
    from bootstrap.process.result import CommandResult
    from bootstrap.render.rendered import Rendered
    from bootstrap.settings import Settings
    from bootstrap.state.record import State


def plan(
    context: Context,
    settings: Settings,
    configuration: Configuration,
    contents: tuple[Rendered, ...],
    state: State | None,
    *,
    undone: JournalContents | None = None,
    dry: bool = False,
) -> Plan:
    """Compare the contents with the machine; nothing is written.

    `undone` is the journal of an interrupted run that the next run will undo first. A `dry` plan
    encrypts no credential. Raises every error that a run can have before it writes.
    """
    from bootstrap.apply.plan.own_paths import OwnPaths
    from bootstrap.apply.plan.plan import plan as compare
    from bootstrap.apply.systemd_creds import Sealer

    written = state.written if state else {}
    sealer = Sealer(context.root, written, timeout=settings.commands.timeout, dry=dry)
    return compare(
        sealer.encrypt(contents),
        root=context.root,
        written=written,
        prune=settings.prune,
        handlers=configuration.handlers,
        pending=state.pending_handlers if state else (),
        undone=undone,
        own=OwnPaths(
            context.root,
            settings,
            settings_file=context.settings_file,
            environ=context.environ,
        ),
    )


def commit(
    context: Context,
    settings: Settings,
    configuration: Configuration,
    plan: Plan,
    *,
    before: State,
    after: State,
    deadline: float,
) -> None:
    """Carry out the plan: files, handlers and state in one transaction.

    `before` is the state now, `after` the state once all is done. No command outlasts `deadline`,
    on the context's clock. Raises WriteError, NotPermitted, CommandFailed or DeadlinePassed; then
    the files are as before, or the state says what the next run has to do.
    """
    if context.clock() >= deadline:
        raise DeadlinePassed(Public("the deadline passed before anything was written"))
    from bootstrap.apply.transaction.handlers import Handlers
    from bootstrap.apply.transaction.run import TransactionRunner
    from bootstrap.process.deadline import CommandDeadline

    def log(command: Sequence[str], ended: CommandResult) -> None:
        priority = WARNING if ended.failure else DEBUG
        how = ended.failure or "ok"
        context.log.event(priority, "command.ended", command=command[0], how=how)

    rules = settings.commands
    commands = CommandDeadline(deadline, clock=context.clock, tell=log)
    handlers = Handlers(
        configuration.handlers,
        timeout=rules.timeout,
        run=commands.run,
        private=plan.private,
        origins=configuration.handler_origins,
    )
    transaction = TransactionRunner(
        handlers,
        root=context.root,
        timeout=rules.timeout,
        run=commands.run,
        keep=rules.on_notify_failure == "keep",
    )
    try:
        transaction.commit(plan, before, after)
    except CommandFailed as error:
        raise commands.as_deadline_error(error) from error.__cause__
