"""The story of one run, in seven stages.

    platform   is this an Azure machine, and which VM?
    imds       wait for the metadata service; read the instance
    config     decode and merge the layers, validate the configuration
    keyvault   get a token; fetch the secrets that the configuration names
    render     make the files' contents of templates, in memory
    apply      plan, stage, check, commit, notify: all of it or nothing
    state      what was done for this VM, so that an unchanged run ends early

`run` configures the machine; `preview` says what `run` would do, by the same stages. Nothing is
written before everything has been read, validated, fetched and rendered. How each stage is asked
is in `stages/`.
"""

from __future__ import annotations

from contextlib import nullcontext, suppress

from bootstrap import __version__
from bootstrap.apply.transaction import recovery
from bootstrap.errors import (
    BootstrapError,
    IdentityUnavailable,
    MetadataRefused,
    MetadataUnavailable,
    Public,
    SecretsUnavailable,
)
from bootstrap.frozen import Frozen, replace
from bootstrap.imds.instance import missing_parts
from bootstrap.platform.detect import OVERRIDE_HINT, detect
from bootstrap.report.log import INFO, WARNING
from bootstrap.report.status import Status, timestamp
from bootstrap.settings.load import remember
from bootstrap.stages import imds
from bootstrap.state import store
from bootstrap.state.fingerprint import fingerprint
from bootstrap.state.lock import Lock
from bootstrap.state.manifest import verify
from bootstrap.state.record import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from bootstrap.apply.plan.change import Plan
    from bootstrap.apply.transaction.journal import JournalContents
    from bootstrap.config.model import Configuration
    from bootstrap.context import Context
    from bootstrap.image import Image
    from bootstrap.imds.instance import Instance
    from bootstrap.platform.detect import Platform
    from bootstrap.settings import Settings


def run(context: Context, *, force: bool = False, offline: str | None = None) -> Status:
    """Configure this machine and return its status.

    `force` goes through all stages even if nothing has changed; `offline` is the path of a
    saved instance document that takes the place of IMDS. Raises any BootstrapError, and
    status.json says the same.
    """
    status = Status(clock=context.clock, now=context.now)
    try:
        settings = context.load_settings()
    except BootstrapError as error:
        status.fail(error)
        with suppress(BootstrapError), Lock(root=context.root):  # unless another run has it
            status.publish(context.root)
        raise
    with Lock(root=context.root, wait=settings.deadline, clock=context.clock, sleep=context.sleep):
        status.publish(context.root)
        try:
            result = _Run(context, settings, status).go(force=force, offline=offline)
            status.end(result)
        except BaseException as error:
            status.fail(error)
            if not isinstance(error, Exception):
                by, stage = map(status.record.get, ("signal", "stage"))
                context.log.event(WARNING, "run.interrupted", signal=by, stage=stage)
            raise
        finally:
            status.publish(context.root)
    chosen = status.record.get("environment")
    context.log.event(INFO, f"run.{result}", environment=chosen, elapsed=status.seconds)
    return status


def preview(context: Context, *, offline: str | None = None) -> Plan:
    """Return what `run` would do now, without doing it and without its lock.

    Raises what `run` would raise before it writes.
    """
    settings = context.load_settings()
    deadline = context.clock() + settings.deadline
    platform = detect(settings, environ=context.environ, root=context.root)
    instance = imds.read(context, settings, platform, deadline=deadline, offline=offline)
    image = context.read_image(settings)
    loaded = store.load(instance.vm_id, root=context.root)
    seen = recovery.foresee(instance.vm_id, loaded.state, root=context.root)
    configuration, plan = _prepare(
        context,
        _Inputs(settings, platform, instance, image),
        seen.state,
        deadline=deadline,
        undone=seen.undone,
        dry=True,
        offline=offline is not None,
    )
    notes = (*configuration.notes, *plan.notes)
    return replace(plan, notes=(seen.text, *notes) if seen.text else notes)


class _Inputs(Frozen, kw_only=False):
    """What a configuration is made from: the settings, and what the first two stages found."""

    settings: Settings
    platform: Platform
    instance: Instance
    image: Image


def _prepare(
    context: Context,
    given: _Inputs,
    state: State | None,
    *,
    deadline: float,
    stage: Callable[[str], AbstractContextManager[None]] = lambda _: nullcontext(),
    undone: JournalContents | None = None,
    dry: bool = False,
    offline: bool = False,
) -> tuple[Configuration, Plan]:
    """Return the configuration and the plan that follows from it; nothing is written.

    `stage` is entered with the name of each stage. `deadline` is on the context's clock. Raises
    every error that a run can have before it writes.
    """
    from bootstrap.stages import apply, config, keyvault, render

    settings, instance, image = given.settings, given.instance, given.image
    with stage("config"):
        resolution = config.resolve(instance, image, settings)
        configuration = config.validate(resolution, instance, image, settings)
    with stage("keyvault"):
        secrets = keyvault.fetch(
            context,
            settings,
            given.platform,
            configuration,
            cloud=instance.cloud,
            deadline=deadline,
            offline=offline,
        )
        if resolution.schema and configuration.value_secrets:
            secrets.check(configuration, resolution.schema)
    with stage("render"):
        configuration, contents = render.render(configuration, instance, image, settings, secrets)
    with stage("apply"):
        plan = apply.plan(context, settings, configuration, contents, state, undone=undone, dry=dry)
    return configuration, plan


class _Run:
    """One run under the lock."""

    def __init__(self, context: Context, settings: Settings, status: Status) -> None:
        self.context = context
        self.settings = settings
        self.status = status
        self.deadline = context.clock() + settings.deadline - status.seconds

    def go(self, *, force: bool, offline: str | None) -> str:
        """Go through the stages and return the result; first settle an interrupted run."""
        self._recover()
        with self.status.stage("platform"):
            platform = detect(self.settings, environ=self.context.environ, root=self.context.root)
        if offline is None and not platform.is_azure:
            self.context.log.event(
                INFO, "platform.elsewhere", firmware=platform.firmware.description
            )
            self.status.record.update(reason=platform.reason, hint=OVERRIDE_HINT)
            return "disabled"
        known = platform.vm_id or store.current(root=self.context.root)
        try:
            with self.status.stage("imds"):
                instance = imds.read(
                    self.context,
                    self.settings,
                    platform,
                    deadline=self.deadline,
                    offline=offline,
                    status=self.status,
                    priority=INFO,
                )
        except (MetadataUnavailable, MetadataRefused) as error:
            return self._keep(known, error)
        for text in missing_parts(instance):
            self._warn(text)
        return self._configure(platform, instance, force=force, offline=offline is not None)

    def _keep(self, vm_id: str | None, error: BootstrapError) -> str:
        """Leave this VM as it is if it was configured before, unless the settings say no."""
        state = store.load(vm_id, root=self.context.root).state if vm_id else None
        if self.settings.on_unavailable != "keep" or not (state and state.configured_at):
            raise error
        stay = "the files stay as they are"
        self._warn(f"{error.message}; {stay}", public=Public(f"{error.public}; {stay}"))
        return "kept"

    def _recover(self) -> None:
        """Finish or undo a run that was interrupted."""
        now = timestamp(self.context.now())
        if recovered := recovery.recover(root=self.context.root, now=now):
            self.context.log.event(WARNING, f"recovery.{recovered.verdict}")
            self._warn(recovered.text)

    def _configure(
        self, platform: Platform, instance: Instance, *, force: bool, offline: bool
    ) -> str:
        self.status.record["vm_id"] = instance.vm_id
        with self.status.stage("state"):
            state = self._state(instance.vm_id)
            image = self.context.read_image(self.settings)
            mark = fingerprint(instance, image, self.settings)
            if not force and self._is_unchanged(state, mark):
                self.status.pick(state.environment)
                self.status.record.update(changes=[], unchanged=len(state.written), handlers=[])
                return "unchanged"
        try:
            configuration, plan = _prepare(
                self.context,
                _Inputs(self.settings, platform, instance, image),
                state,
                deadline=self.deadline,
                stage=self.status.stage,
                offline=offline,
            )
        except (IdentityUnavailable, SecretsUnavailable) as error:
            return self._keep(instance.vm_id, error)
        with self.status.stage("apply"):
            return self._apply(configuration, plan, state, mark)

    def _state(self, vm_id: str) -> State:
        """Return what an earlier run did for this VM."""
        loaded = store.load(vm_id, root=self.context.root)
        for note in loaded.notes:
            self._warn(note)
        store.repair(loaded, root=self.context.root, now=timestamp(self.context.now()))
        return loaded.state or State(vm_id=vm_id)

    def _is_unchanged(self, state: State, mark: str) -> bool:
        return (
            state.fingerprint == mark
            and not state.floating
            and not state.pending_handlers
            and not verify(state.written.values(), root=self.context.root)
        )

    def _apply(self, configuration: Configuration, plan: Plan, state: State, mark: str) -> str:
        """Write, notify and save the state, in one transaction."""
        for note in configuration.notes + plan.notes:
            self._warn(note)
        self.status.pick(configuration.environment)
        after = State(
            vm_id=state.vm_id,
            agent_version=__version__,
            fingerprint=mark,
            written={record.path: record for record in plan.written},
            settings=remember(self.settings),
            floating=configuration.floats,
            environment=configuration.environment or "",
            configured_at=timestamp(self.context.now()),
            unknown=state.unknown,
        )
        from bootstrap.report.changes import log_changes, plan_record
        from bootstrap.stages import apply

        apply.commit(
            self.context,
            self.settings,
            configuration,
            plan,
            before=state,
            after=after,
            deadline=self.deadline,
        )
        log_changes(plan, self.context.log)
        self.status.record.update(plan_record(plan))
        return "configured" if plan.changes or plan.handlers else "unchanged"

    def _warn(self, text: str, *, public: Public | None = None) -> None:
        self.status.warn(public or text)
        self.context.log.warning(text)
