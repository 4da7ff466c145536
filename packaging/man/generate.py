"""Write the manual pages and the shell's completions from the program's own tables.

`python packaging/man/generate.py` writes them anew; a test tells when they are stale.
"""

from __future__ import annotations

import argparse
import re
from importlib import import_module
from pathlib import Path
from textwrap import dedent, wrap

from bootstrap import __version__
from bootstrap.cli.options import OPTIONS, VERBS
from bootstrap.errors import BootstrapError
from bootstrap.settings.load import SETTINGS_FILE, SETTINGS_FOLDER
from bootstrap.settings.reference import settings_reference
from bootstrap.settings.table import ENVIRONMENT_PREFIX
from bootstrap.state.paths import LIBRARY, STATUS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGING = Path(__file__).parents[1]
COMMAND_PAGE = PACKAGING / "man" / "imds-bootstrap.8"
SETTINGS_PAGE = PACKAGING / "man" / "imds-bootstrap-agent.yaml.5"
COMPLETION = PACKAGING / "completions" / "bash" / "imds-bootstrap"
DATE = "2026-11-21"  # when the words of this file were last changed
DOCUMENTATION = "/usr/share/doc/imds-bootstrap"
WIDTH = 78  # of a line in the sources
WRITTEN = "written by packaging/man/generate.py: change that, or the program"

COMMAND_INTRODUCTION = """
configures an Azure machine once at each boot, before its applications start: it waits for the Azure
Instance Metadata Service (IMDS), reads the machine's userData and tags, merges them with the
documents that the image carries, fetches secrets from Key Vault, renders templates into files,
tells those who must know, and records what it did. The machine gets exactly the configuration that
was asked for, or it keeps what it had and says precisely why.
"""
UNITS = {
    "imds-bootstrap.service": "configures the machine at boot; enabled by the package.",
    "imds-bootstrap.target": (
        "is reached when the machine is configured. An application that shall not start without its"
        " configuration requires it, comes after it and is wanted by it."
    ),
    "imds-bootstrap.timer": (
        "follows userData, tags and secrets while the machine runs; off unless it is enabled. It"
        " starts `imds-bootstrap-follow.service`, and so may anybody."
    ),
}
FILES = {
    "/etc/imds-bootstrap/config.d/*.yaml": "the documents of the image, merged in name order.",
    "/etc/imds-bootstrap/templates/": "the templates of the image.",
    "/etc/imds-bootstrap/values.schema.json": "the JSON Schema of `values`.",
    f"{SETTINGS_FILE}, {SETTINGS_FOLDER}/*.yaml": (
        "the settings: see imds-bootstrap-agent.yaml(5)."
    ),
    f"{LIBRARY}/": "what is remembered of this machine; for root alone.",
    STATUS: "how the last run ended; for everybody, without any value of a document.",
    f"{DOCUMENTATION}/": (
        "`documents.md`, `templates.md` and `settings.md` tell all that documents, templates and"
        " settings may say; the package may have compressed them."
    ),
    f"{DOCUMENTATION}/examples/": (
        "`application.conf.example` is the drop-in of an application that waits for its"
        " configuration, `override.conf.example` opens more of the file system to the unit,"
        " `image/` is what an image carries: settings, a document, a schema."
    ),
}
OTHER_CODES = {0: ["done, unchanged, kept, or disabled because this is not Azure"]}
OTHER_CODES[1] = ["findings: drift, an invalid document, a difference that was asked for"]
OTHER_CODES[3] = ["`status`: not finished"]


def command_page() -> str:
    """Return the page imds-bootstrap(8)."""
    lines = [
        *_head("imds-bootstrap", 8, "configure an Azure machine at boot"),
        *(".SH SYNOPSIS", ".B imds\\-bootstrap", "[\\fIoptions\\fR] \\fIverb\\fR ..."),
        *(".SH DESCRIPTION", ".B imds\\-bootstrap", *_text(COMMAND_INTRODUCTION.strip())),
        ".SH OPTIONS",
        "They may stand before the verb and after it.",
        *_options(_common()),
        ".SH VERBS",
    ]
    for verb in VERBS:
        lines += _verb(verb)
    lines.append(".SH EXIT STATUS")
    for code, reasons in sorted(_exit_codes().items()):
        lines += _tagged(str(code), "; ".join(reasons) + ".")
    lines += [".SH UNITS", *_table(UNITS), ".SH FILES", *_table(FILES), ".SH ENVIRONMENT"]
    lines += _tagged(f"{ENVIRONMENT_PREFIX}*", "settings: see imds-bootstrap-agent.yaml(5).")
    lines += _tagged("NO_COLOR", "when set, `--color auto` does not colour.")
    lines += [".SH SEE ALSO", ".BR imds\\-bootstrap\\-agent.yaml (5),", ".BR systemd.unit (5),"]
    lines.append(f".I {_plain(DOCUMENTATION)}/")
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """Return the page imds-bootstrap-agent.yaml(5)."""
    lines = [
        *_head("imds-bootstrap-agent.yaml", 5, "settings of imds-bootstrap"),
        ".SH SYNOPSIS",
        *(f".I {_plain(SETTINGS_FILE)}", ".br", f".I {_plain(SETTINGS_FOLDER)}/*.yaml"),
        ".SH DESCRIPTION",
        *_text(
            "What the builder of an image decides. The files are YAML and are read in this order,"
            " those of agent.d (also .yml and .json) in name order; a later value wins."
            " `imds.endpoint` below is the key `endpoint` in the mapping `imds`."
            f" The environment wins over the files ({ENVIRONMENT_PREFIX}IMDS_ENDPOINT) and `--set"
            " imds.endpoint=…` over both. There a list is written with commas, a mapping as"
            " name=value with commas. `imds-bootstrap show settings --origin` tells what is in"
            " force, and why."
        ),
        ".SH SETTINGS",
    ]
    for row in list(settings_reference())[2:]:  # below the two lines of the table's head
        name, default, about = row.strip("| ").split(" | ")
        lines += _tagged(name.strip("`"), f"{about}; default: {default}.")
    lines += [
        ".SH SEE ALSO",
        ".BR imds\\-bootstrap (8),",
        f".I {_plain(DOCUMENTATION)}/settings.md",
    ]
    return "\n".join(lines) + "\n"


def completion() -> str:
    """Return the completion for bash."""
    common = [flag for action in _common() for flag in action.option_strings]
    valued = [flag for one in _common() if one.nargs != 0 for flag in one.option_strings]
    choices = {
        flag: " ".join(action.choices)
        for verb in VERBS
        for action in [*_common(), *_arguments(verb)]
        if action.choices
        for flag in action.option_strings
    }
    lines = [f"# bash completion for imds-bootstrap; {WRITTEN}", "", "_imds_bootstrap() {"]
    lines += [
        "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}",
        "    local verb='' words at",
        "    for ((at = 1; at < COMP_CWORD; at++)); do",
        "        case ${COMP_WORDS[at]} in",
        f"            {' | '.join(valued)}) ((at++)) ;;",
        "            -*) ;;",
        "            *) verb=${COMP_WORDS[at]}; break ;;",
        "        esac",
        "    done",
        "    case $before in",
        *(f"        {flag}) words='{told}' ;;" for flag, told in choices.items()),
        f"        {' | '.join(sorted(_without_words() - choices.keys()))}) return ;;",
        "        *)",
        "            case $verb in",
        f"                '') words='{' '.join([*VERBS, *common, '--help', '--version'])}' ;;",
    ]
    for verb in VERBS:
        words = [flag for one in _arguments(verb) for flag in one.option_strings]
        words += [
            w for one in _arguments(verb) if not one.option_strings for w in one.choices or ()
        ]
        lines.append(f"                {verb}) words='{' '.join([*words, *common, '--help'])}' ;;")
    lines += [
        "            esac",
        "            ;;",
        "    esac",
        "    # A word holds none of the shell's wildcards, nor spaces.",
        '    mapfile -t COMPREPLY < <(compgen -W "${words-}" -- "$word")',
        "}",
        "# What none of these begins with is the name of a file.",
        "complete -o default -F _imds_bootstrap imds-bootstrap",
    ]
    return "\n".join(lines) + "\n"


def pages() -> dict[Path, str]:
    """Each file that this program writes, and what it shall hold."""
    return {
        COMMAND_PAGE: command_page(),
        SETTINGS_PAGE: settings_page(),
        COMPLETION: completion(),
    }


def _head(name: str, section: int, about: str) -> Iterator[str]:
    yield f'.\\" {WRITTEN}'
    yield f'.TH {name.upper()} {section} {DATE} "imds-bootstrap {__version__}"'
    yield ".SH NAME"
    yield f"{_plain(name)} \\- {about}"


def _verb(verb: str) -> Iterator[str]:
    module = import_module(f"bootstrap.cli.{verb}")
    arguments = _arguments(verb)
    named = [one for one in arguments if not one.option_strings]
    yield f".SS {verb} {' '.join(_metavar(one) for one in named)}".rstrip()
    for number, paragraph in enumerate((module.__doc__ or "").strip().split("\n\n")):
        if number:
            yield ".PP"
        yield from _example(paragraph) if paragraph.startswith("    ") else _text(paragraph)
    yield from _options([one for one in arguments if one.option_strings])


def _options(actions: list[argparse.Action]) -> Iterator[str]:
    for action in actions:
        names = ", ".join(f"\\fB{_plain(flag)}\\fR" for flag in action.option_strings)
        value = "" if action.nargs == 0 else f" \\fI{_plain(_metavar(action))}\\fR"
        about = (action.help or "") % {"default": action.default}
        yield from (".TP", names + value, *_text(f"{about}."))


def _common() -> list[argparse.Action]:
    parser = argparse.ArgumentParser(add_help=False)
    return [parser.add_argument(*flags, **rule) for flags, _, rule in OPTIONS]


def _arguments(verb: str) -> list[argparse.Action]:
    parser = argparse.ArgumentParser(add_help=False)
    import_module(f"bootstrap.cli.{verb}").add_arguments(parser)
    return list(parser._actions)  # noqa: SLF001  (argparse has no other way to ask for them)


def _without_words() -> set[str]:
    """Return the options whose value cannot be completed."""
    every = [action for verb in VERBS for action in [*_common(), *_arguments(verb)]]
    return {flag for one in every if one.nargs != 0 for flag in one.option_strings}


def _metavar(action: argparse.Action) -> str:
    if action.metavar:
        return str(action.metavar)
    return "|".join(action.choices) if action.choices else action.dest.upper()


def _exit_codes() -> dict[int, list[str]]:
    codes = {code: list(reasons) for code, reasons in OTHER_CODES.items()}
    for error in BootstrapError.__subclasses__():
        reason = (error.__doc__ or "").splitlines()[0].rstrip(".")
        codes.setdefault(error.exit_code, []).append(f"{error.code}: {reason}")
    return codes


def _table(entries: dict[str, str]) -> Iterator[str]:
    for name, about in entries.items():
        yield from _tagged(name, about)


def _tagged(name: str, about: str) -> Iterator[str]:
    yield from (".TP", f".B {_plain(name)}", *_text(about))


def _text(text: str) -> Iterator[str]:
    """Lines of running text: what stands between backticks is bold."""
    joined = " ".join(text.replace("…", "...").split())
    bold = re.sub(r"`([^`]+)`", lambda m: f"\\fB{_plain(m[1])}\\fR", joined.replace("\\", "\\e"))
    for sentence in re.split(r"(?<=[a-z)*R][.:;]) (?=[A-Z\\`])", bold):
        for line in wrap(sentence, WIDTH, break_long_words=False, break_on_hyphens=False):
            yield f"\\&{line}" if line.startswith((".", "'")) else line


def _example(text: str) -> Iterator[str]:
    """Lines that stay as they are."""
    escaped = [_plain(line.replace("\\", "\\e")) for line in dedent(text).splitlines()]
    yield from (".RS 4", ".EX", *(f"\\&{one}" if one[:1] in ".'" else one for one in escaped))
    yield from (".EE", ".RE")


def _plain(word: str) -> str:
    return word.replace("-", "\\-").replace("…", "...")


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text)
