"""The law of the house, read from the code's own imports."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "bootstrap"
FILES = sorted(PACKAGE.rglob("*.py"))

# The verbs of `cli` have a map of their own: what `imds-bootstrap --help` prints.
FACES = [path for path in PACKAGE.glob("*/__init__.py") if path.parent.name != "cli"]

# Along the data: a room may use the rooms before it, never those after.
ORDER = [
    *("frozen", "errors", "secret", "source", "shipped", "settings", "image"),
    *("metadata", "config", "secrets", "render", "apply", "state", "report"),
    *("machine", "observation", "disclosure", "credentials", "decision", "preparation", "agent"),
    *("emulator", "cli"),
]
# Each is imported in one place, because it is heavy or because it is a door to the outside.
DOORS = {
    "yaml": "source",
    "jsonschema": "config/schema.py",
    "jinja2": "render/environment.py",
    "subprocess": "apply/commands.py",
    "requests": "secrets/vault.py",
    "pwd": "apply/accounts.py",
    "grp": "apply/accounts.py",
    "fcntl": "state/lock.py",
}
# Rooms without a file, a clock, a network or an environment: same in, same out.
PURE = ("config", "render", "source")
IMPURE = {"os", "socket", "random", "subprocess", "pathlib", "datetime", "io", "tempfile"}


def imports_of(path):
    """Every module that the file imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(module):
    """The room of `bootstrap.config.layers` is `config`; the package itself is none."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ORDER else None


def name_of(path):
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_arrows_run_along_the_data(path):
    """A room uses the rooms before it, never those after it."""
    mine = room_of(name_of(path))
    if mine is None:
        return
    for module in imports_of(path):
        other = room_of(module) if module.startswith("bootstrap.") else None
        assert other is None or ORDER.index(other) <= ORDER.index(mine), (
            f"{name_of(path)} imports {module}: {mine} stands before {other}"
        )


def test_no_circles():
    """No file imports, by whatever way round and be it for a type only, a file that imports it."""
    names = {name_of(path).removesuffix(".__init__"): path for path in FILES}
    graph = {
        name: {m for m in imports_of(path) if m in names} - {name} for name, path in names.items()
    }
    # A package's face hands names on: it stands above its files and is no step between them.
    graph = {name: uses for name, uses in graph.items() if names[name].name != "__init__.py"}
    while leaves := {name for name, uses in graph.items() if not uses & graph.keys()}:
        graph = {name: uses for name, uses in graph.items() if name not in leaves}
    while roots := graph.keys() - set().union(*graph.values()):
        graph = {name: uses for name, uses in graph.items() if name not in roots}
    assert not graph, f"a circle among {sorted(graph)}"


def test_every_room_has_a_place():
    """A new room is put into the order on purpose."""
    rooms = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in FILES}
    assert rooms - {"__init__", "__main__"} == set(ORDER)


@pytest.mark.parametrize("door", DOORS)
def test_each_door_is_in_one_room(door):
    """A heavy library, or a way out of the process, is imported in one place."""
    users = [path for path in FILES if door in {m.split(".")[0] for m in imports_of(path)}]
    outside = [name_of(p) for p in users if not str(p.relative_to(PACKAGE)).startswith(DOORS[door])]
    assert not outside


def test_requests_is_not_used_for_imds():
    """Key Vault will need `requests`; nothing else may."""
    users = [path for path in FILES if "requests" in {m.split(".")[0] for m in imports_of(path)}]
    assert all(room_of(name_of(path)) == "secrets" for path in users)


@pytest.mark.parametrize("room", PURE)
def test_pure_rooms_touch_nothing(room):
    """No file, clock, network or environment variable in the rooms that only compute."""
    for path in (PACKAGE / room).rglob("*.py"):
        used = {module.split(".")[0] for module in imports_of(path)}
        assert not used & IMPURE, f"{name_of(path)} imports {used & IMPURE}"
        calls = {
            node.func.id
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        asked = {
            node.func.value.id
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
        }
        assert "time" not in asked, f"{name_of(path)} asks the clock instead of its parameter"
        assert not calls & {"open", "exec", "eval", "input", "print"}, name_of(path)


def test_only_metadata_knows_the_link_local_address():
    """Nothing but the room that asks IMDS can ask it."""
    knowing = [path for path in FILES if "169.254.169.254" in path.read_text()]
    assert {room_of(name_of(path)) for path in knowing} <= {"metadata"}


@pytest.mark.parametrize("face", FACES, ids=lambda path: path.parent.name)
def test_a_large_room_opens_with_a_map(face):
    """A room of more than four modules names each of them, with its duty in one line."""
    modules = {path.name.removesuffix(".py") for path in face.parent.iterdir()}
    modules -= {"__init__", "__pycache__"}
    docstring = ast.get_docstring(ast.parse(face.read_text()), clean=False)
    named = re.findall(r"^    (\w+)  +\S", docstring, re.MULTILINE)
    assert sorted(named) == sorted(modules if len(modules) > 4 else named)


def test_no_room_is_called_util():
    """If a function has no room, the map is wrong."""
    names = {part for path in FILES for part in path.relative_to(PACKAGE).with_suffix("").parts}
    assert not names & {"util", "utils", "helpers", "common", "misc"}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_rooms_are_small(path):
    """No module over 300 lines, no function over 60."""
    text = path.read_text()
    assert text.count("\n") <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno - node.lineno < 60, f"{name_of(path)}:{node.lineno} {node.name}"
