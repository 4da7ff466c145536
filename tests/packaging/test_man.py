"""The manual pages and the completions are those of the program, and their tools accept them.

After a change, `python packaging/man/generate.py` writes them anew.
"""

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bootstrap.cli.options import OPTIONS, VERBS
from bootstrap.errors import BootstrapError
from bootstrap.settings.table import rows

PACKAGING = Path(__file__).parents[2] / "packaging"
COMPLETION = PACKAGING / "completions" / "bash" / "imds-bootstrap"
PAGES = sorted((PACKAGING / "man").glob("*.[58]"))
FLAGS = [flag for flags, _, _ in OPTIONS for flag in flags]
COMPLETE = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 ))
_imds_bootstrap
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def generator():
    """The program that writes the pages."""
    spec = importlib.util.spec_from_file_location("generate", PACKAGING / "man" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def completions(*words):
    """What bash offers when `words` have been typed and the tabulator is pressed."""
    told = subprocess.run(
        ["bash", "-euc", COMPLETE, "bash", str(COMPLETION), *words],
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout.split()


def plain(page):
    """The source of a page without its fonts."""
    return re.sub(r"\\f[BIR]|\\&", "", page.read_text()).replace("\\-", "-")


def test_no_page_is_stale(generator):
    """Verbs, options, exit codes and settings are written as the code has them today."""
    for path, text in generator.pages().items():
        assert path.read_text() == text, f"{path.name} is stale: run packaging/man/generate.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.parametrize(
    "command",
    [["mandoc", "-Tlint", "-W", "style"], ["man", "--warnings", "-E", "UTF-8", "-l"]],
    ids=["mandoc", "man"],
)
def test_a_page_is_clean(page, command):
    """Neither renderer has anything to say about a page."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    told = subprocess.run([*command, str(page)], capture_output=True, text=True, check=False)
    assert told.stderr == ""
    assert told.returncode == 0
    assert "mandoc:" not in told.stdout


def test_the_command_page_tells_everything():
    """Each verb has a part of its own, each option and each error's code is on the page."""
    page = plain(PACKAGING / "man" / "imds-bootstrap.8")
    assert re.findall(r"^\.SS (\w+)", page, re.MULTILINE) == list(VERBS)
    for word in [*FLAGS, "--dry-run", *(error.code for error in BootstrapError.__subclasses__())]:
        assert word in page, word
    told = set(re.findall(r"^\.TP\n\.B (\d+)$", page, re.MULTILINE))
    assert {str(error.exit_code) for error in BootstrapError.__subclasses__()} | {"0"} <= told


def test_the_pages_lead_to_the_documentation():
    """Who has the package alone finds the guides, the drop-in's example and a whole image."""
    page = plain(PACKAGING / "man" / "imds-bootstrap.8")
    folder = "/usr/share/doc/imds-bootstrap/"
    for name in (folder, f"{folder}examples/", "application.conf.example", "image/"):
        assert name in page, name
    told = set(re.findall(r"\w+\.md", page))
    assert told == {"documents.md", "templates.md", "settings.md"}
    assert all((PACKAGING.parent / "docs" / name).is_file() for name in told)
    assert f"{folder}settings.md" in plain(PACKAGING / "man" / "imds-bootstrap-agent.yaml.5")


def test_the_settings_page_tells_every_setting():
    """Each setting of the table has an entry of its own."""
    page = plain(PACKAGING / "man" / "imds-bootstrap-agent.yaml.5")
    assert re.findall(r"^\.TP\n\.B (\S+)$", page, re.MULTILINE) == [row.name for row in rows()]


def test_an_empty_line_completes_to_verbs_and_options():
    """A newcomer who presses the tabulator sees all there is."""
    assert {*VERBS, *FLAGS, "--help", "--version"} == set(completions("imds-bootstrap", ""))


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_of_a_verb_is_completed(verb, generator):
    """The options of a verb and those of all verbs are offered, whatever stands before it."""
    offered = set(completions("imds-bootstrap", "--root", "run", "-v", verb, ""))
    own = {flag for one in generator._arguments(verb) for flag in one.option_strings}
    assert {*own, *FLAGS, "--help"} <= offered
    assert not offered & set(VERBS) - {"schema", "status"}


def test_values_are_completed_where_they_are_known():
    """An option that takes one of a few words offers them; a file's name is left to the shell."""
    assert completions("imds-bootstrap", "run", "--format", "") == ["text", "json"]
    assert completions("imds-bootstrap", "show", "s") == ["settings", "secrets"]
    assert completions("imds-bootstrap", "run", "--offline", "") == []
