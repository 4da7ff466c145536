"""The command: `imds-bootstrap [options] VERB`, one verb in each file of this folder."""

from __future__ import annotations

import os
import sys

from bootstrap.errors import BootstrapError, InternalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

INTERRUPTED = 130  # 128 + SIGINT, as a shell has it
BROKEN_PIPE = 141  # 128 + SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code; every way to fail ends here."""
    from bootstrap.cli.options import parse, run

    options = None
    try:
        options = parse(sys.argv[1:] if argv is None else argv)
        code = run(options)
        sys.stdout.flush()
    except BootstrapError as error:
        return _fail(error, options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has left; the interpreter would complain when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except Exception as error:  # noqa: BLE001  (a traceback helps no operator and may hold values)
        return _fail(_internal(error), options)
    return code


def _fail(error: BootstrapError, options: argparse.Namespace | None) -> int:
    from bootstrap.cli.options import print_json, use_color
    from bootstrap.report.diagnostic import describe
    from bootstrap.report.log import Log

    log = options.log if options else Log(environ=os.environ)
    log.error(describe(error, color=use_color(options.color if options else "auto", sys.stderr)))
    if options and options.format == "json":
        print_json({"error": error.as_dict()})
    return error.exit_code


def _internal(error: Exception) -> InternalError:
    """Say where a fault of this program lies, without the values that it was at work on."""
    place, trace = "", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        place = f"{os.path.basename(code.co_filename)}:{trace.tb_lineno}, in {code.co_name}"
        trace = trace.tb_next
    return InternalError(
        f"a fault in imds-bootstrap: {type(error).__name__} at {place}",
        hint="please report it, with the command and this line",
    )
