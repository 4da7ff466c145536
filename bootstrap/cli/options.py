"""The options of every command, and the way from words to the verb's own file."""

from __future__ import annotations

import argparse
import json
import os
import sys
from importlib import import_module
from itertools import pairwise

from bootstrap import ROOT, __version__
from bootstrap.errors import UsageError, nearest
from bootstrap.report.log import DEBUG, INFO, WARNING, Log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn, TextIO

    from bootstrap.context import Context

# The verbs in the order in which a newcomer meets them; each is a module of this folder, imported
# when it is called.
VERBS = {
    "run": "configure this machine",
    "plan": "show what run would change",
    "verify": "check that the files are still as they were written",
    "status": "tell how the last run ended; needs no root",
    "show": "show the instance, the tags, the configuration or the settings",
    "get": "print one raw value, for a shell script",
    "validate": "check a document before it is deployed",
    "render": "print one rendered file",
    "clean": "forget this machine, before an image is captured",
    "schema": "print a JSON Schema: of documents, settings, status or machine files",
    "emulate": "serve a faithful IMDS on loopback, with faults on request",
    "demo": "tell the whole story on a laptop",
}

DEFAULT_WAIT = 10.0  # seconds to wait for IMDS with a question; a boot waits longer

# What may stand before the verb and after it: flags, default, and what argparse is told.
OPTIONS: tuple[tuple[tuple[str, ...], Any, dict[str, Any]], ...] = (
    (("--root",), ROOT, {"metavar": "DIR", "help": "put every path below DIR"}),
    (
        ("--settings",),
        None,
        {"metavar": "FILE", "help": "read FILE instead of agent.yaml and agent.d"},
    ),
    (
        ("--set",),
        [],
        {
            "metavar": "NAME=VALUE",
            "action": "append",
            "dest": "assignments",
            "help": "one setting, such as imds.endpoint=http://127.0.0.1:8169; may be repeated",
        },
    ),
    (("--format",), "text", {"choices": ("text", "json"), "help": "for people, or for programs"}),
    (("--color",), "auto", {"choices": ("auto", "always", "never"), "help": "colour the output"}),
    (("-v", "--verbose"), False, {"action": "store_true", "help": "tell of every step"}),
    (
        ("-q", "--quiet"),
        False,
        {"action": "store_true", "help": "tell of warnings and errors only"},
    ),
)


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal, whose examples and lists stay as they are.

    argparse makes one for every argument, help or no help; its own way to find the width loads
    shutil and with it every archive library.
    """

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        """Fold the running text; a paragraph with an indented line is none."""
        from textwrap import fill

        paragraphs = text.strip().split("\n\n")
        return "\n\n".join(
            super(Formatter, self)._fill_text(one, width, indent)
            if one.startswith(" ") or "\n " in one
            else fill(one, width, initial_indent=indent, subsequent_indent=indent)
            for one in paragraphs
        )


class Parser(argparse.ArgumentParser):
    """A parser that raises UsageError, so that every error looks alike."""

    def error(self, message: str) -> NoReturn:
        """Turn argparse's complaint into an error of our own."""
        raise UsageError(message, hint=f"see {self.prog} --help")


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Parse the command line by the verb's own parser; raises UsageError."""
    top = _top_parser().parse_args(words)
    if top.verb is None:
        raise UsageError("no command is given", hint="see imds-bootstrap --help")
    if top.verb not in VERBS:
        close = nearest(top.verb, VERBS)
        hint = f"did you mean {close}?" if close else f"the verbs are {', '.join(VERBS)}"
        raise UsageError(f"there is no command {top.verb!r}", hint=hint)
    module = import_module(f"bootstrap.cli.{top.verb}")
    parser = Parser(
        prog=f"imds-bootstrap {top.verb}",
        description=module.__doc__,
        formatter_class=Formatter,
    )
    module.add_arguments(parser)
    _add_options(parser.add_argument_group("options of every verb"), after_verb=True)
    options = parser.parse_args(top.rest, top)
    options.command = module.run
    options.log = Log(level=_level(options), environ=os.environ)
    return options


def run(options: argparse.Namespace) -> int:
    """Run the verb that was parsed; gives the exit code. Raises any BootstrapError."""
    if not os.path.isdir(options.root):
        raise UsageError(f"--root: there is no folder {options.root!r}", hint="make it first")
    return int(options.command(options))


def wants_json(words: Sequence[str]) -> bool:
    """Whether a command line that could not be parsed asks for JSON all the same."""
    following = dict(pairwise(words))
    return following.get("--format") == "json" or "--format=json" in words


def seconds(text: str) -> float:
    """A time to wait, as an argument of a verb: above 0 and not endless."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds above 0")
    return number


def add_offline(parser: argparse.ArgumentParser) -> None:
    """Add the option of every verb that needs the instance."""
    parser.add_argument(
        "--offline",
        metavar="FILE",
        help="take a saved instance document; ask nobody, unless imds.endpoint is set",
    )


def add_patience(parser: argparse.ArgumentParser) -> None:
    """Add the option of the verbs that answer a question."""
    parser.add_argument(
        "--deadline",
        type=seconds,
        default=DEFAULT_WAIT,
        metavar="SECONDS",
        help="wait no longer for IMDS (default: %(default)g)",
    )


def use_color(choice: str, stream: TextIO) -> bool:
    """Whether to colour what goes to `stream`; NO_COLOR (no-color.org) turns `auto` off."""
    if choice != "auto":
        return choice == "always"
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def columns_of(stream: TextIO) -> int:
    """How wide the terminal is that `stream` goes to; 0 where it goes to none."""
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):  # ValueError: a stream without a descriptor
        return 0


def print_json(value: Any) -> None:
    """Data for a program, on standard output, in a form that its encoding can hold."""
    narrow = sys.stdout.encoding.lower() != "utf-8"
    json.dump(value, sys.stdout, indent=2, ensure_ascii=narrow, default=str)
    sys.stdout.write("\n")


def context_of(options: argparse.Namespace) -> Context:
    """The machine that the options name."""
    from bootstrap.context import Context

    return Context(
        root=os.path.abspath(options.root),
        settings_file=options.settings,
        assignments=tuple(options.assignments),
        log=options.log,
    )


def _columns() -> int:
    if os.environ.get("COLUMNS", "").isdecimal():
        return int(os.environ["COLUMNS"])
    try:
        return os.get_terminal_size().columns
    except OSError:  # standard output is no terminal
        return 80


def _level(options: argparse.Namespace) -> int:
    if options.quiet:
        return WARNING
    return DEBUG if options.verbose else INFO


def _top_parser() -> Parser:
    width = max(map(len, VERBS))
    listing = "\n".join(f"  {verb:<{width}}  {about}" for verb, about in VERBS.items())
    parser = Parser(
        prog="imds-bootstrap",
        usage="imds-bootstrap [options] VERB ...",
        description="Configure this machine from what Azure's metadata service says about it.",
        epilog=f"verbs:\n{listing}\n\nimds-bootstrap VERB --help tells more about one.",
        formatter_class=Formatter,
    )
    _add_options(parser, after_verb=False)
    parser.add_argument("--version", action="version", version=f"imds-bootstrap {__version__}")
    parser.add_argument("verb", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def _add_options(group: argparse._ActionsContainer, *, after_verb: bool) -> None:
    """Add the common options; after the verb they do not undo what stood before it."""
    for flags, default, rule in OPTIONS:
        group.add_argument(*flags, default=argparse.SUPPRESS if after_verb else default, **rule)
