"""Everything up to the first write: secrets fetched, files rendered, compared with the machine."""

from __future__ import annotations

from bootstrap.apply.plan.own_paths import OwnPaths
from bootstrap.apply.plan.plan import plan
from bootstrap.apply.systemd_creds import Sealer
from bootstrap.decision import decide_and_render
from bootstrap.disclosure import disclose

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.apply.plan.change import Plan
    from bootstrap.apply.transaction.journal import Story
    from bootstrap.config.model import Configuration
    from bootstrap.context import Machine
    from bootstrap.image import Image
    from bootstrap.imds.instance import Instance
    from bootstrap.settings import Settings
    from bootstrap.state.record import State


def prepare(
    machine: Machine,
    settings: Settings,
    instance: Instance,
    image: Image,
    state: State | None,
    *,
    deadline: float,
    undone: Story | None = None,
    dry: bool = False,
    offline: bool = False,
) -> tuple[Configuration, Plan]:
    """The configuration, and the plan that follows from it; nothing is written.

    Secrets are fetched by `deadline`, on the machine's clock; a `dry` preparation seals none,
    and an `offline` one asks the identity of no machine.
    `undone` is the story of an interrupted run that the next run will undo first.
    Raises every error that a run can have before it writes.
    """
    written = state.written if state else {}
    sealer = Sealer(machine.root, written, timeout=settings.commands.timeout, dry=dry)
    configuration, contents = decide_and_render(
        instance,
        image,
        settings,
        lambda sound: disclose(
            sound, machine, settings, instance, deadline=deadline, offline=offline
        ),
        sealer.seal,
    )
    return configuration, plan(
        contents,
        root=machine.root,
        written=written,
        prune=settings.prune,
        handlers=configuration.handlers,
        pending=state.pending_handlers if state else (),
        undone=undone,
        own=OwnPaths(
            machine.root,
            settings,
            settings_file=machine.settings_file,
            environ=machine.environ,
        ),
    )
