"""The story of one run, from the firmware to the record.

    platform ──▶ metadata ──▶ config ──▶ secrets ──▶ render ──▶ apply ──▶ state

`run` configures the machine; `preview` says what `run` would do, by the same steps and the same
plan. Nothing is written before everything has been read, validated and rendered in memory. The
heavy rooms are imported where the story reaches them, so that an unchanged boot ends before it has
paid for them.
"""

from __future__ import annotations

from contextlib import suppress

from bootstrap import __version__
from bootstrap.apply.transaction import recovery
from bootstrap.decision import fingerprint
from bootstrap.errors import (
    BootstrapError,
    CommandFailed,
    DeadlinePassed,
    IdentityUnavailable,
    MetadataRefused,
    MetadataUnavailable,
    Public,
    SecretsUnavailable,
)
from bootstrap.frozen import replace
from bootstrap.observation import (
    ALL_THE_SAME,
    arc_of,
    ask,
    elsewhere,
    is_elsewhere,
    observe,
    read_image_of,
    read_offline,
    settings_of,
    warnings_of,
)
from bootstrap.platform.firmware import read_firmware
from bootstrap.report.log import DEBUG, INFO, WARNING
from bootstrap.report.status import Status, timestamp
from bootstrap.settings.load import remember
from bootstrap.state import store
from bootstrap.state.lock import Lock
from bootstrap.state.manifest import verify
from bootstrap.state.record import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bootstrap.apply.plan.change import Plan
    from bootstrap.apply.transaction.checks import Run
    from bootstrap.apply.transaction.run import Fulfilment
    from bootstrap.config.model import Configuration
    from bootstrap.context import Machine
    from bootstrap.identity.arc import Arc
    from bootstrap.imds.instance import Instance
    from bootstrap.process.result import Ended
    from bootstrap.settings import Settings


def run(machine: Machine, *, force: bool = False, offline: str | None = None) -> Status:
    """Configure this machine; gives what there is to tell of it.

    `force` goes all the way even when nothing seems to have changed; `offline` is the path of a
    saved instance document that takes the place of IMDS. Raises any BootstrapError, and
    status.json says the same.
    """
    status = Status(clock=machine.clock, now=machine.now)
    settings = _settings_or_status(machine, status)
    with Lock(root=machine.root, wait=settings.deadline, clock=machine.clock, sleep=machine.sleep):
        status.publish(machine.root)
        try:
            result = _Run(machine, settings, status).go(force=force, offline=offline)
            status.end(result)
        except BaseException as error:
            status.fail(error)
            if not isinstance(error, Exception):
                by, stage = map(status.record.get, ("signal", "stage"))
                machine.log.event(WARNING, "run.interrupted", signal=by, stage=stage)
            raise
        finally:
            status.publish(machine.root)
    chosen = status.record.get("environment")
    machine.log.event(INFO, f"run.{result}", environment=chosen, elapsed=status.seconds)
    return status


def _settings_or_status(machine: Machine, status: Status) -> Settings:
    """The settings; if they are wrong the status says so, unless another run has the lock."""
    try:
        return settings_of(machine)
    except BootstrapError as error:
        status.fail(error)
        with suppress(BootstrapError), Lock(root=machine.root):
            status.publish(machine.root)
        raise


def preview(machine: Machine, *, offline: str | None = None) -> Plan:
    """What `run` would do now, without doing it and without its lock.

    Raises what `run` would raise before it writes.
    """
    from bootstrap.preparation import prepare

    settings, instance = observe(machine, offline=offline)
    loaded = store.load(instance.vm_id, root=machine.root)
    image = read_image_of(machine, settings)
    seen = recovery.foresee(instance.vm_id, loaded.state, root=machine.root)
    configuration, plan = prepare(
        machine,
        settings,
        instance,
        image,
        seen.state,
        deadline=machine.clock() + settings.deadline,
        undone=seen.undone,
        dry=True,
        offline=offline is not None,
    )
    notes = (*configuration.notes, *plan.notes)
    return replace(plan, notes=(seen.text, *notes) if seen.text else notes)


class _Run:
    """One run under the lock; its methods are its chapters, in order."""

    def __init__(self, machine: Machine, settings: Settings, status: Status) -> None:
        self.machine = machine
        self.settings = settings
        self.status = status
        self.deadline = machine.clock() + settings.deadline - status.seconds

    def go(self, *, force: bool, offline: str | None) -> str:
        """The run from the firmware to its result, after settling one that was interrupted."""
        self._recover()
        firmware = read_firmware(self.machine.root)
        arc = arc_of(self.machine, self.settings, firmware)
        if offline is None and is_elsewhere(self.settings, firmware, arc):
            self.machine.log.event(INFO, "platform.elsewhere", firmware=firmware.tells)
            self.status.record.update(reason=elsewhere(firmware), hint=ALL_THE_SAME)
            return "disabled"
        vm_id = None if arc else firmware.vm_id
        known = vm_id or store.current(root=self.machine.root)
        try:
            with self.status.stage("metadata"):
                instance = self._instance(vm_id, arc, offline)
        except (MetadataUnavailable, MetadataRefused) as error:
            return self._keep(known, error)
        for text in warnings_of(instance):
            self._warn(text)
        return self._configure(instance, force=force, offline=offline is not None)

    def _keep(self, vm_id: str | None, error: BootstrapError) -> str:
        """Leave the machine as it is, if it was configured before; else the error is raised."""
        if not vm_id or not self._may_keep(vm_id):
            raise error
        stay = "the files stay as they are"
        self._warn(f"{error.message}; {stay}", public=Public(f"{error.public}; {stay}"))
        return "kept"

    def _recover(self) -> None:
        now = timestamp(self.machine.now())
        if recovered := recovery.recover(root=self.machine.root, now=now):
            self.machine.log.event(WARNING, f"recovery.{recovered.verdict}")
            self._warn(recovered.text)

    def _instance(self, vm_id: str | None, arc: Arc | None, offline: str | None) -> Instance:
        if offline is not None:
            return read_offline(offline)
        return ask(
            self.machine,
            self.settings,
            deadline=self.deadline,
            vm_id=vm_id,
            arc=arc,
            status=self.status,
            told=INFO,
        )

    def _may_keep(self, vm_id: str) -> bool:
        """Whether this very machine was configured before and may stay as it is."""
        state = store.load(vm_id, root=self.machine.root).state
        return self.settings.on_unavailable == "keep" and bool(state and state.configured_at)

    def _configure(self, instance: Instance, *, force: bool, offline: bool) -> str:
        root = self.machine.root
        self.status.record["vm_id"] = instance.vm_id
        loaded = store.load(instance.vm_id, root=root)
        for note in loaded.notes:
            self._warn(note)
        store.settle(loaded, root=root, now=timestamp(self.machine.now()))
        image = read_image_of(self.machine, self.settings)
        mark = fingerprint(instance, image, self.settings)
        state = loaded.state or State(vm_id=instance.vm_id)
        if not force and self._is_unchanged(state, mark):
            self.status.pick(state.environment)
            self.status.record.update(changes=[], unchanged=len(state.written), handlers=[])
            return "unchanged"
        from bootstrap.preparation import prepare

        try:
            with self.status.stage("decision"):
                configuration, plan = prepare(
                    self.machine,
                    self.settings,
                    instance,
                    image,
                    state,
                    deadline=self.deadline,
                    offline=offline,
                )
        except (IdentityUnavailable, SecretsUnavailable) as error:
            return self._keep(instance.vm_id, error)
        with self.status.stage("apply"):
            return self._apply(configuration, plan, state, mark)

    def _is_unchanged(self, state: State, mark: str) -> bool:
        return (
            state.fingerprint == mark
            and not state.floating
            and not state.pending_handlers
            and not verify(state.written.values(), root=self.machine.root)
        )

    def _apply(self, configuration: Configuration, plan: Plan, state: State, mark: str) -> str:
        """Write, notify, remember: one transaction."""
        for note in configuration.notes + plan.notes:
            self._warn(note)
        self.status.pick(configuration.environment)
        if self.machine.clock() >= self.deadline:
            raise DeadlinePassed(Public("the deadline passed before anything was written"))
        after = State(
            vm_id=state.vm_id,
            agent_version=__version__,
            fingerprint=mark,
            written={record.path: record for record in plan.written},
            settings=remember(self.settings),
            floating=configuration.floats,
            environment=configuration.environment or "",
            configured_at=timestamp(self.machine.now()),
        )
        from bootstrap.process.deadline import Timekeeper

        clock = self.machine.clock
        commands = Timekeeper(self.deadline, clock=clock, tell=self._tell_command)
        try:
            self._fulfilment(configuration, plan, commands.run).commit(plan, state, after)
        except CommandFailed as error:
            raise commands.judge(error) from error.__cause__
        self._tell(plan)
        return "configured" if plan.changes or plan.handlers else "unchanged"

    def _fulfilment(self, configuration: Configuration, plan: Plan, run: Run) -> Fulfilment:
        from bootstrap.apply.transaction.handlers import Handlers
        from bootstrap.apply.transaction.run import Fulfilment

        rules = self.settings.commands
        handlers = Handlers(
            configuration.handlers,
            timeout=rules.timeout,
            run=run,
            private=plan.private,
            origins=configuration.handler_origins,
        )
        return Fulfilment(
            handlers,
            root=self.machine.root,
            timeout=rules.timeout,
            run=run,
            keep=rules.on_notify_failure == "keep",
        )

    def _tell(self, plan: Plan) -> None:
        """Say what was done, now that it is done."""
        from bootstrap.report.changes import change_record

        for change in plan.changes:
            why = ", ".join(change.reasons)
            self.machine.log.event(INFO, f"file.{change.action}", path=change.path, why=why)
        self.status.record.update(
            changes=[change_record(change) for change in plan.changes],
            unchanged=len(plan.unchanged),
            handlers=list(plan.handlers),
        )

    def _tell_command(self, command: Sequence[str], ended: Ended) -> None:
        priority = WARNING if ended.reason else DEBUG
        how = ended.reason or "ok"
        self.machine.log.event(priority, "command.ended", command=command[0], how=how)

    def _warn(self, text: str, *, public: Public | None = None) -> None:
        self.status.warn(public or text)
        self.machine.log.warning(text)
