"""Tell how the last run ended, or that one is at work. Needs no root.

Exit code: 0 configured, unchanged, kept or disabled; 1 failed or interrupted; 3 not finished.
"""

from __future__ import annotations

import sys
import time

from bootstrap.cli.options import print_json, seconds
from bootstrap.errors import DeadlinePassed
from bootstrap.layout import EVENTS
from bootstrap.report.diagnostic import printable
from bootstrap.report.status import FINISHED, SCHEMA, read_status

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

NOT_FINISHED = 3
TRY_AGAIN = DeadlinePassed.exit_code  # after this exit code the systemd unit starts another run
POLL = 0.2  # seconds between two reads: no noticeable delay for a boot script, and hardly any load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `status`."""
    parser.add_argument("--wait", action="store_true", help="wait until a run has finished")
    parser.add_argument(
        "--timeout", type=seconds, metavar="SECONDS", help="wait no longer than this (exit code 3)"
    )


def run(options: argparse.Namespace) -> int:
    """Print the status, with --wait after the end of the run."""
    record = _wait(options) if options.wait else read_status(options.root)
    if options.format == "json":
        print_json(record or {"schema": SCHEMA, "result": "not-run"})
    else:
        for line in _lines(record):
            sys.stdout.write(f"{line}\n")
    return _exit_code(record)


def _wait(options: argparse.Namespace) -> dict[str, Any] | None:
    end = time.monotonic() + options.timeout if options.timeout is not None else None
    while True:
        record = read_status(options.root)
        if _exit_code(record) != NOT_FINISHED or (end and time.monotonic() >= end):
            return record
        time.sleep(POLL)


def _exit_code(record: dict[str, Any] | None) -> int:
    if record is None or record["result"] == "running":
        return NOT_FINISHED
    return 0 if record["result"] in FINISHED else 1


def _lines(record: dict[str, Any] | None) -> list[str]:
    if record is None:
        return ["status: not run since this machine was started"]
    fields = {
        "status": record["result"],
        "interrupted": _interrupted(record),
        "reason": record.get("reason"),
        "help": record.get("hint"),
        "error": _error(record.get("error")),
        "more": "" if _exit_code(record) != 1 else EVENTS,
        "next": _next(record),
        "machine": record.get("vm_id"),
        "environment": record.get("environment"),
        "started": record.get("started_at"),
        "finished": record.get("finished_at"),
        "took": f"{record['seconds']:.1f} s" if "seconds" in record else None,
        "imds": _imds(record.get("imds")),
        "files": _files(record),
        "handlers": ", ".join(record.get("handlers", ())),
    }
    lines = [f"{name}: {value}" for name, value in fields.items() if value]
    lines += [f"warning: {_in_one_line(text)}" for text in record.get("warnings", ())]
    # A name from outside must not contain control sequences for a terminal.
    return list(map(printable, lines))


def _error(error: dict[str, Any] | None) -> str:
    if not error:
        return ""
    lines = [f"[{error['code']}] {error['message']}"]
    for one in error["places"]:
        place = "  ".join(filter(None, (one["where"], one["path"])))
        lines.append(": ".join(filter(None, (place, one.get("message")))))
        lines.append(f"  help: {one['hint']}" if one.get("hint") else "")
    lines.append(f"help: {error['hint']}" if error.get("hint") else "")
    return "\n  ".join(_in_one_line(line) for line in lines if line)


def _in_one_line(text: str) -> str:
    """Return the text in one line, so that no name in it can begin a line of its own."""
    return " ".join(text.splitlines())


def _interrupted(record: dict[str, Any]) -> str:
    if "signal" not in record:
        return ""
    during = f" during {record['stage']}" if "stage" in record else ""
    cure = "; does TimeoutStartSec= of the unit leave two minutes more than the setting `deadline`?"
    return f"by {record['signal']}{during}{cure if record['signal'] == 'SIGTERM' else ''}"


def _next(record: dict[str, Any]) -> str:
    if record.get("exit_code") != TRY_AGAIN or sys.platform == "win32":
        return ""
    return "imds-bootstrap.service tries again by itself"


def _imds(imds: dict[str, Any] | None) -> str:
    if not imds:
        return ""
    counts = ", ".join(f"{outcome} ×{count}" for outcome, count in imds["outcomes"].items())
    plural = "" if imds["requests"] == 1 else "s"
    got = f": {counts}" if counts else ", none answered yet"
    return f"{imds['requests']} request{plural} in {imds['elapsed']:.1f} s{got}"


def _files(record: dict[str, Any]) -> str:
    if "changes" not in record:
        return ""
    return f"{len(record['changes'])} changed, {record['unchanged']} unchanged"
