"""A plan as a person reads it: one line for each file, and the differences on request."""

from __future__ import annotations

from bootstrap.report.diagnostic import BOLD, CYAN, RED, painter, printable
from bootstrap.report.log import INFO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from bootstrap.apply.plan.change import Change, Plan, Snapshot
    from bootstrap.report.log import Log

GREEN, YELLOW = "\x1b[32m", "\x1b[33m"
COLORS = {"create": GREEN, "update": YELLOW, "attributes": YELLOW, "remove": RED}
CONTEXT_LINES = 3


def change_record(change: Change) -> dict[str, Any]:
    """One change for a program and for the status: path, action and reasons, never contents."""
    return {"path": change.path, "action": change.action, "reasons": list(change.reasons)}


def describe_change(change: Change, *, color: bool = False) -> str:
    """`update      /etc/shop/shop.toml  content, mode 0644 → 0640`."""
    action = painter(color=color)(COLORS[change.action], f"{change.action:<10}")
    return f"{action}  {printable(change.path)}  {', '.join(change.reasons)}".rstrip()


def describe_plan(plan: Plan, *, diff: bool = False, color: bool = False) -> Iterator[str]:
    """The lines that say what a run would do; with `diff` what would change in each file."""
    for change in plan.changes:
        yield describe_change(change, color=color)
        if diff:
            yield from describe_difference(change, color=color)
    for name in plan.handlers:
        yield f"{painter(color=color)(CYAN, 'notify    ')}  {printable(name)}"


def describe_difference(change: Change, *, color: bool = False) -> Iterator[str]:
    """A unified diff of one file; what may hold a secret is only said to differ."""
    if "content" not in change.reasons and change.action not in ("create", "remove"):
        return
    old, new = _lines(change.before), _lines(change.after)
    if change.secret:
        yield "    its content holds a secret and is not shown"
    elif old is None or new is None:
        yield "    its content is not text and is not shown"
    else:
        yield from _unified(change.path, old, new, color=color)


def summarize(record: Mapping[str, Any]) -> str:
    """The last line of a run: how it ended, and what it did."""
    if "changes" not in record:
        return str(record["result"])
    changed = f"{count(len(record['changes']), 'file')} changed, {record['unchanged']} unchanged"
    notified = f", notified {', '.join(record['handlers'])}" if record["handlers"] else ""
    return f"{record['result']}: {changed}{notified}"


def count(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _unified(path: str, old: list[str], new: list[str], *, color: bool) -> Iterator[str]:
    from difflib import unified_diff  # only a person's `plan --diff` pays for it

    paint = painter(color=color)
    colors = {"---": BOLD, "+++": BOLD, "@@": CYAN, "-": RED, "+": GREEN}
    for line in unified_diff(old, new, path, path, n=CONTEXT_LINES, lineterm=""):
        shown = printable(line)
        code = next((colors[mark] for mark in colors if line.startswith(mark)), None)
        yield "    " + (paint(code, shown) if code else shown)


def _lines(snapshot: Snapshot | None) -> list[str] | None:
    """The lines of a text; none where nothing is, None where it is no text."""
    if snapshot is None:
        return []
    if snapshot.content is None or b"\0" in snapshot.content:
        return None
    try:
        text = snapshot.content.decode()
    except UnicodeDecodeError:
        return None
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else [*lines[:-1], f"{lines[-1]} (no newline at the end)"]


def log_changes(plan: Plan, log: Log) -> None:
    """Log an event for each file that was changed."""
    for change in plan.changes:
        why = ", ".join(change.reasons)
        log.event(INFO, f"file.{change.action}", path=change.path, why=why)


def plan_record(plan: Plan) -> dict[str, Any]:
    """Return what status.json says of a plan that was carried out."""
    return {
        "changes": [change_record(change) for change in plan.changes],
        "unchanged": len(plan.unchanged),
        "handlers": list(plan.handlers),
    }
