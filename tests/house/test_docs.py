"""The pages say what the program does: their tables are written by it, their links lead somewhere.

After a change, `python tests/house/test_docs.py` writes the tables anew.
"""

import ast
import re
import shlex
from pathlib import Path

import pytest

from bootstrap.apply.transaction.journal_entry import KINDS, Entry
from bootstrap.cli.options import VERBS, parse
from bootstrap.errors import BootstrapError
from bootstrap.frozen import fields_of
from bootstrap.render.filters.table import FILTERS, JINJA_FILTERS, TESTS
from bootstrap.settings.reference import settings_reference
from bootstrap.state.manifest import Written
from bootstrap.state.record import State, as_record

pytestmark = pytest.mark.once

CHECKOUT = Path(__file__).parents[2]
TOP_PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
PAGES = [*(CHECKOUT / name for name in TOP_PAGES), *sorted((CHECKOUT / "docs").glob("*"))]


def verbs():
    return [
        "| verb | does |",
        "| --- | --- |",
        *(f"| `{verb}` | {does} |" for verb, does in VERBS.items()),
    ]


def functions(table):
    rows = [f"| `{name}` | {one.__doc__.splitlines()[0]} |" for name, one in table.items()]
    return ["| name | gives |", "| --- | --- |", *rows]


BLOCKS = {
    "verbs": lambda: "\n" + "\n".join(verbs()) + "\n",
    "settings": lambda: "\n" + "\n".join(settings_reference()) + "\n",
    "filters": lambda: "\n" + "\n".join(functions(FILTERS)) + "\n",
    "tests": lambda: "\n" + "\n".join(functions(TESTS)) + "\n",
    "jinja-filters": lambda: ", ".join(f"`{name}`" for name in JINJA_FILTERS) + ".",
}
MARKED = re.compile(r"<!-- ([a-z-]+) -->(.*?)<!-- end -->", re.DOTALL)


def written_anew(text):
    return MARKED.sub(lambda m: f"<!-- {m[1]} -->{BLOCKS[m[1]]()}<!-- end -->", text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tables_are_those_of_the_program(page):
    """Verbs, settings and filters are listed as the code has them."""
    text = page.read_text()
    assert text == written_anew(text)


def test_every_table_is_on_some_page():
    """No generated table is forgotten when pages are moved."""
    found = {match[1] for page in PAGES for match in MARKED.finditer(page.read_text())}
    assert found == set(BLOCKS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    """A link to a file of this repository finds it."""
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_of_the_pages_exists(page):
    """A file or folder of this repository that a page names is there."""
    folders = "bootstrap|docs|packaging|schema|templates|tests"
    # What the changelog tells of may be gone by now.
    text = "" if page.name == "CHANGELOG.md" else page.read_text()
    named = re.findall(rf"(?<![\w./-])(?:{folders})/[\w./-]*\w", text)
    assert not [path for path in named if not (CHECKOUT / path).exists()]


def test_the_map_has_every_room():
    """docs/architecture.md has a line for each room, in the order in which they may be imported."""
    text = (CHECKOUT / "docs" / "architecture.md").read_text()
    table = text[text.index("## The map") : text.index("## The way of the data")]
    cells = re.findall(r"^\| (`bootstrap/.*?`) \|", table, re.MULTILINE)
    mapped = re.findall(r"`bootstrap/([\w/]+?)(?:\.py|/)`", " ".join(cells))
    package = CHECKOUT / "bootstrap"
    folders = {path.parent.relative_to(package).as_posix() for path in package.glob("*/**/*.py")}
    files = {path.stem for path in package.glob("*.py") if not path.stem.startswith("__")}
    assert sorted(mapped) == sorted(folders | files)
    law = ast.parse((CHECKOUT / "tests" / "house" / "test_law.py").read_text())
    order = next(
        ast.unparse(node.value)
        for node in law.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ORDER"
    )
    order = re.findall(r"'(\w+)'", order)
    assert [room for room in mapped if "/" not in room] == order


def test_the_names_on_disk_are_listed():
    """docs/architecture.md names each field of the journal and the state: none may be renamed."""
    text = (CHECKOUT / "docs" / "architecture.md").read_text()
    table = text[text.index("## Names on disk") : text.index("## How the crash tests work")]
    rows = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", table, re.MULTILINE))
    listed = {re.search(r"\(`(\w+)`\)|$", where)[1]: names for where, names in rows.items()}
    on_disk = {
        "Entry": [*fields_of(Entry), *KINDS],
        "State": as_record(State(vm_id="")),
        "Written": [name for name in fields_of(Written) if name != "unknown"],
    }
    for kind, names in on_disk.items():
        shown = re.sub(r"\(`digest.*?\)", "", listed[kind])
        assert sorted(re.findall(r"`(\w+)`", shown)) == sorted(names), kind


def test_every_kind_of_attack_is_linked_from_the_promise_it_tries():
    """docs/security.md names each file of tests/security, so that its list is the suite's."""
    page = (CHECKOUT / "docs" / "security.md").read_text()
    linked = re.findall(r"\]\(\.\./tests/security/([^)]+)\)", page)
    assert sorted(linked) == sorted(
        path.name for path in (CHECKOUT / "tests" / "security").glob("test_*.py")
    )


def test_every_make_target_of_the_pages_exists():
    """`make WORD` in the README is a target of the Makefile."""
    makefile = (CHECKOUT / "Makefile").read_text()
    for target in re.findall(r"\bmake ([a-z]+)\b`?\n", (CHECKOUT / "README.md").read_text()):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_the_pages_is_one(page, tmp_path, monkeypatch):
    """Each `imds-bootstrap …` that a reader may type is understood by the command line."""
    (tmp_path / "DIR").mkdir()
    monkeypatch.chdir(tmp_path)
    for typed in re.findall(
        r"(?:`|\(|^ *)imds-bootstrap +([^`\n()&]+)", page.read_text(), re.MULTILINE
    ):
        words = shlex.split(typed.partition("||")[0])
        if "--help" not in words and "VERB" not in words:
            assert parse(words).command


def test_every_error_is_in_the_tree():
    """The drawing in errors.py names each error with its code and its exit code."""
    from bootstrap import errors

    drawn = dict.fromkeys(errors.__doc__.splitlines())
    for error in BootstrapError.__subclasses__():
        pattern = rf" {error.__name__} +{error.code} +{error.exit_code} "
        assert any(re.search(pattern, line) for line in drawn), error.__name__


def test_the_exit_codes_of_the_readme_are_those_of_the_errors():
    """No error ends with a code that the README does not explain."""
    told = {
        int(code)
        for code in re.findall(r"^\| (\d+) \|", (CHECKOUT / "README.md").read_text(), re.MULTILINE)
    }
    assert {error.exit_code for error in BootstrapError.__subclasses__()} <= told


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(written_anew(page.read_text()))
