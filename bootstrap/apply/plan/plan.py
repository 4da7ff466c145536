"""What is wanted against what is there: the plan that `plan` shows and `run` commits."""

from __future__ import annotations

from bootstrap.apply.plan.change import Plan
from bootstrap.apply.plan.compare import compare
from bootstrap.apply.plan.confinement import refuse_escape
from bootstrap.apply.plan.own_paths import OwnPaths
from bootstrap.apply.plan.preflight import TargetTree
from bootstrap.apply.plan.prune import removals
from bootstrap.errors import BootstrapError, nearest
from bootstrap.fs.errors import from_os_error, refusal, together
from bootstrap.fs.path import refuse_foreign, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from bootstrap.apply.plan.change import Change
    from bootstrap.apply.transaction.journal import JournalContents
    from bootstrap.config.model import FileSpec
    from bootstrap.fs.path import Place
    from bootstrap.render.rendered import Rendered
    from bootstrap.state.manifest import Written


def plan(
    files: Sequence[Rendered],
    *,
    root: str = "/",
    written: Mapping[str, Written] | None = None,
    prune: bool = False,
    handlers: Collection[str] = (),
    pending: Sequence[str] = (),
    undone: JournalContents | None = None,
    own: OwnPaths | None = None,
) -> Plan:
    """Compare the files with the machine below `root`; nothing is changed.

    `written` is what the state says this agent left, by path; with `prune` those that are no
    longer wanted go, unless somebody changed them. `handlers` are the names that exist, `pending`
    those that were due before this run. `undone` is what an interrupted run began and the next one
    will undo before it plans: the files are compared as they will be then. `own` are the paths that
    the agent itself uses, by default those of an agent without settings. Raises one error with
    every problem of every file: UnsafeDestination, WriteError or NotPermitted.
    """
    survey = _Survey(TargetTree(root, undone), written or {}, own or OwnPaths(root))
    for rendered in files:
        survey.add(rendered, handlers)
    survey.refuse_conflicts()
    if survey.errors:
        raise together(survey.errors)
    if prune:
        survey.prune()
    due = _due([rendered.spec for rendered in files], survey.changes, handlers, pending)
    return Plan(
        changes=tuple(survey.changes),
        unchanged=tuple(survey.unchanged),
        handlers=due,
        private=_holds_secrets(files, written or {}),
        written=tuple(survey.records),
        notes=tuple(survey.notes),
    )


class _Survey:
    """The comparison of all files, collected."""

    def __init__(self, ground: TargetTree, written: Mapping[str, Written], own: OwnPaths) -> None:
        self.ground = ground
        self.written = written
        self.own = own
        self.wanted: list[tuple[FileSpec, Place]] = []
        self.changes: list[Change] = []
        self.unchanged: list[str] = []
        self.records: list[Written] = []
        self.notes: list[str] = []
        self.errors: list[BootstrapError] = []

    def add(self, rendered: Rendered, handlers: Collection[str]) -> None:
        """Compare one file."""
        spec = rendered.spec
        self.errors += [_no_handler(spec, name, handlers) for name in _unknown(spec, handlers)]
        try:
            refuse_foreign(spec.path)
            follow = spec.symlink == "follow"
            place = self.ground.resolve(spec.path, follow=follow, origin=spec.origin)
            self.own.refuse(spec, place)
            refuse_escape(spec, place)
            self.wanted.append((spec, place))
            change, record = compare(rendered, place, self.written.get(spec.path), self.ground)
        except BootstrapError as error:
            self.errors.append(error)
        except OSError as error:
            self.errors.append(
                from_os_error(error, "cannot look at", path=spec.path, origin=spec.origin)
            )
        else:
            self.records.append(record)
            if change:
                self.changes.append(change)
            else:
                self.unchanged.append(spec.path)

    def refuse_conflicts(self) -> None:
        """Find files that have the same place, or that lie below one another."""
        taken: dict[str, FileSpec] = {}
        for spec, place in self.wanted:
            if other := taken.get(place.key):
                message = f"it is the same file as {other.path} ({other.origin or 'no origin'})"
                self.errors.append(refusal(message, path=spec.path, origin=spec.origin))
            taken[place.key] = spec
        for spec, place in self.wanted:
            for other in (taken[above.key] for above in place.parents() if above.key in taken):
                message = f"{other.path} is a file of this configuration, not a folder"
                self.errors.append(refusal(message, path=spec.path, origin=spec.origin))

    def prune(self) -> None:
        """Plan the removal of what is no longer wanted."""
        paths = {spec.path for spec, _ in self.wanted}
        places = {place.key for _, place in self.wanted}
        unwanted = [
            record
            for path, record in self.written.items()
            if path not in paths and not self._is_own(record)
        ]
        changes, notes = removals(unwanted, ground=self.ground, wanted=places)
        self.changes += changes
        self.notes += notes

    def _is_own(self, record: Written) -> bool:
        """Whether an old file lies among what the agent itself reads by now; it is kept then."""
        try:
            place = resolve(record.path, self.ground.root, follow=record.follow)
        except OSError:
            return False  # the removal tells why nothing can be removed there
        title = self.own.title(place)
        if title and record.ours:
            self.notes.append(f"kept {record.path}: it leads to {place.stated}, where {title}")
        return bool(title)


def _unknown(spec: FileSpec, handlers: Collection[str]) -> list[str]:
    return [name for name in spec.notify if name not in handlers]


def _no_handler(spec: FileSpec, name: str, handlers: Collection[str]) -> BootstrapError:
    close = nearest(name, handlers)
    hint = f"did you mean {close}?" if close else ""
    return refusal(f"there is no handler {name!r}", path=spec.path, origin=spec.origin, hint=hint)


def _due(
    specs: Iterable[FileSpec],
    changes: Iterable[Change],
    handlers: Collection[str],
    pending: Sequence[str],
) -> tuple[str, ...]:
    """The handlers to run, each once, in the order in which the files first mention them."""
    changed = {change.path for change in changes if change.action in {"create", "update"}}
    mentions = [(name, spec.path) for spec in specs for name in spec.notify]
    due = {name for name, path in mentions if path in changed}.union(pending)
    order = dict.fromkeys([name for name, _ in mentions] + list(pending))
    return tuple(name for name in order if name in due and name in handlers)


def _holds_secrets(files: Iterable[Rendered], written: Mapping[str, Written]) -> bool:
    """Whether any file is, or was, one that holds a secret: a command may read them all."""
    new = any(one.secret for one in files)
    return new or any(record.secret for record in written.values())
