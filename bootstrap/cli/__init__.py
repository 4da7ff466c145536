"""The command: `imds-bootstrap [options] VERB`, one verb in each file of this folder."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress

from bootstrap.cli import streams
from bootstrap.errors import BootstrapError, InternalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

INTERRUPTED = 130  # 128 + SIGINT, as in a shell
BROKEN_PIPE = 141  # 128 + SIGPIPE: the reader closed the pipe before all output was written
STANDARD_ERROR = 2
UNWRITTEN = 1  # the output did not reach its destination
# Objects between two runs of the cyclic garbage collector. Nearly all objects of a command are
# modules, which stay; with Python's own 700 a twentieth of each boot is spent on finding that out.
GARBAGE_EVERY = 50_000


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; every exception ends here."""
    gc.set_threshold(GARBAGE_EVERY)
    try:
        code = _carry_out(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:  # noqa: BLE001  (reporting an error has failed itself)
        code = _say_last(error)
    gc.freeze()  # the process ends: the interpreter need not search what is left
    return code


def _carry_out(words: Sequence[str]) -> int:
    streams.open_all()
    try:
        code = _run(words)
    except BrokenPipeError:
        code = BROKEN_PIPE
    except SystemExit as end:  # argparse has printed its help
        code = end.code if isinstance(end.code, int) else UNWRITTEN
    return code if streams.close_all() else code or UNWRITTEN


def _run(words: Sequence[str]) -> int:
    from bootstrap.cli.options import parse, run

    options = None
    try:
        options = parse(words)
        return run(options)
    except BootstrapError as error:
        return _fail(error, words, options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001  (a traceback helps no operator and may hold values)
        return _fail(_internal(error), words, options)


def _fail(error: BootstrapError, words: Sequence[str], options: argparse.Namespace | None) -> int:
    from bootstrap.cli.options import columns_of, print_json, use_color, wants_json
    from bootstrap.report.diagnostic import describe
    from bootstrap.report.log import Log

    log = options.log if options else Log(environ=os.environ)
    color = use_color(options.color if options else "auto", sys.stderr)
    log.error(describe(error, color=color, columns=columns_of(sys.stderr)))
    as_json = options.format == "json" if options else wants_json(words)
    if as_json:
        print_json({"error": error.as_dict()})
    return error.exit_code


def _say_last(error: Exception) -> int:
    """Write that the report of an error has failed, without any code that could fail again."""
    fault, earlier = _internal(error), error.__context__
    of = f", while telling of error[{earlier.code}]" if isinstance(earlier, BootstrapError) else ""
    with suppress(OSError):
        line = f"error[{fault.code}] {fault.message}{of}\n"
        os.write(STANDARD_ERROR, line.encode("ascii", "backslashreplace"))
    return fault.exit_code


def _internal(error: Exception) -> InternalError:
    """Return an error with the position of a fault in this program, without the values in use."""
    place, trace = "", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        place = f"{os.path.basename(code.co_filename)}:{trace.tb_lineno}, in {code.co_name}"
        trace = trace.tb_next
    reason = f" ({error.strerror})" if isinstance(error, OSError) and error.strerror else ""
    return InternalError(
        f"a fault in imds-bootstrap: {type(error).__name__}{reason} at {place}",
        hint="please report it, with the command and this line",
    )
