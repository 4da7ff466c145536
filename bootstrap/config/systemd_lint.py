"""Commands that make systemd start a unit, and wait for it."""

from __future__ import annotations

from bootstrap.config.provenance import Part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bootstrap.config.documents import Document
    from bootstrap.document import Path
    from bootstrap.errors import Problem

WAITING = frozenset({"start", "restart", "reload-or-restart"})
EARLY = "systemd-"  # systemd's own units come before this agent and do not wait for it
CURE = (
    "say try-reload-or-restart, which leaves alone what has not started yet, or add --no-block: "
    "a unit that waits for imds-bootstrap.target waits for this command, which waits for the unit"
)


def waits_for_a_unit(command: Sequence[str]) -> bool:
    """Return whether a command is a `systemctl` that only returns when a unit has started.

    What the unit itself waits for is not checked. Units of systemd's own do not count.
    """
    program, *words = command or ("",)
    if program.rpartition("/")[2] != "systemctl" or "--no-block" in words:
        return False
    verb, *units = [word for word in words if not word.startswith("-")] or [""]
    return verb in WAITING and not all(unit.startswith(EARLY) for unit in units)


def lint(document: Document) -> Iterator[Problem]:
    """Yield a problem for each handler, those of environments too, that may wait for itself."""
    inner: list[Path] = [("environments", name) for name in document.environments()]
    for path in [(), *inner]:
        section = document.part((*path, "handlers"))
        handlers = section.value if section else {}
        for name, part in handlers.items():
            if isinstance(part, Part) and waits_for_a_unit(part.to_plain()):
                yield part.origin.problem(f"the handler {name} may wait for itself", hint=CURE)
