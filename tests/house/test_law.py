"""The law of the house, read from the code's own imports."""

import ast
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

PACKAGE = Path(__file__).parents[2] / "bootstrap"
FILES = sorted(PACKAGE.rglob("*.py"))
WINDOWS = PACKAGE / "windows"
# A module in there stands in for the one of its room and name: see `bootstrap.windows`.
STAND_INS = {
    path: PACKAGE / path.relative_to(WINDOWS)
    for path in sorted(WINDOWS.rglob("*.py"))
    if path.parent != WINDOWS
    and path.name != "__init__.py"
    and (PACKAGE / path.relative_to(WINDOWS)).exists()
}
SYSTEMS = {
    "posix": [path for path in FILES if WINDOWS not in path.parents],
    "windows": [path for path in FILES if path not in STAND_INS.values()],
}

# What belongs to no room: the package itself, its two entries, and what Windows has of each room.
ROOMLESS = {"bootstrap.__init__", "bootstrap.__main__", "bootstrap.windows.__init__"}

# The verbs of `cli` have a map of their own: what `imds-bootstrap --help` prints.
FACES = [path for path in PACKAGE.glob("*/__init__.py") if path.parent.name != "cli"]

# Along the data: a room may use the rooms before it, never those after.
ORDER = [
    *("frozen", "problem", "errors", "secret", "core_dumps", "fs", "document", "resources"),
    *("settings", "image"),
    *("http", "identity", "platform", "imds"),
    *("config", "keyvault", "render", "process", "state", "apply", "report"),
    *("context", "stages", "agent"),
    *("emulator", "cli"),
]
# Each is imported in one place, because it is heavy or because it is a door to the outside.
DOORS = {
    "yaml": "document",
    "jsonschema": "config/schema/validator.py",
    "jinja2": "render/environment.py",
    "subprocess": ("process/runner.py", "windows/process/runner.py", "windows/process/jobs.py"),
    "ctypes": ("windows/", "fs/selinux.py", "core_dumps.py"),
    "winreg": "windows/",
    "msvcrt": "windows/",
    "requests": "keyvault/client.py",
    "pwd": "fs/accounts.py",
    "grp": "fs/accounts.py",
    "fcntl": "fs/write.py",
}
# Rooms without a file, a clock, a network or an environment: same in, same out.
PURE = ("config", "render", "document")
IMPURE = {"os", "socket", "random", "subprocess", "pathlib", "datetime", "io", "tempfile"}


def imports_of(path, *, system="windows"):
    """Every module that the file imports on that system, at its top or inside a function."""
    tree = ast.parse(path.read_text())
    if system == "posix":
        tree = WithoutWindows().visit(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


class WithoutWindows(ast.NodeTransformer):
    """Takes away what stands under `if sys.platform == "win32":`."""

    def visit_If(self, node):
        if ast.unparse(node.test) == "sys.platform == 'win32'":
            node.body = [ast.Pass()]
        return self.generic_visit(node)


def room_of(module):
    """The room of `bootstrap.config.layers` is `config`; the package itself is none."""
    parts = [part for part in module.split(".") if part != "windows"]
    return parts[1] if len(parts) > 1 and parts[1] in ORDER else None


def modules_of(room):
    """The modules of a room, which is a folder or a file; a room that is not there is a mistake."""
    assert room in ORDER, f"{room} is no room"
    found = [path for path in FILES if room_of(name_of(path)) == room]
    assert found, f"there is no module in {room}: was it renamed?"
    return found


def name_of(path):
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


def name_on(system, path):
    """What the file is called by those who import it there."""
    return name_of(STAND_INS.get(path, path) if system == "windows" else path)


@pytest.mark.parametrize("path", SYSTEMS["posix"], ids=name_of)
def test_nothing_imports_windows_elsewhere(path):
    """Outside of its folder all that is Windows' stands under a question for the platform."""
    own = {"bootstrap.windows", "winreg", "msvcrt", "_winapi"}
    for module in imports_of(path, system="posix"):
        assert not any(module == one or module.startswith(f"{one}.") for one in own), module


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_windows_says_so(path):
    """What cannot work elsewhere fails there as it is imported, and says why."""
    if WINDOWS in path.parents and path.name != "__init__.py":
        assert 'assert sys.platform == "win32"' in path.read_text()


@pytest.mark.parametrize("path", sorted(WINDOWS.rglob("*.py")), ids=name_of)
def test_every_call_of_windows_says_what_it_takes(path):
    """Without the types of its arguments a call cuts pointers down to 32 bits, and mostly works."""
    text = path.read_text()
    calls = set(re.findall(r"(?:_kernel32|_advapi32|_ntdll)\.\w+(?=\()", text))
    calls |= set(re.findall(r"= ((?:_kernel32|_advapi32|_ntdll)\.\w+)$", text, re.MULTILINE))
    names = {
        name: re.findall(rf"^(\w+) = {re.escape(name)}$", text, re.MULTILINE) for name in calls
    }
    typed = set(re.findall(r"^([\w.]+)\.argtypes = ", text, re.MULTILINE))
    assert not [name for name in calls if not typed & {name, *names[name]}]


def public(path):
    """The functions, classes and constants that a module offers, with how many arguments each."""
    found = {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = sum(isinstance(one, ast.arg) for one in ast.walk(node.args))
        elif isinstance(node, ast.ClassDef):
            found[node.name] = None
        elif isinstance(node, ast.Assign):
            found.update((one.id, None) for one in ast.walk(node) if isinstance(one, ast.Name))
    return found


def asked_of(module):
    """The names that the rest of the program takes from a module, whichever way it does."""
    package, _, name = module.rpartition(".")
    for path in SYSTEMS["windows"]:
        tree = ast.parse(path.read_text())
        froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        taken = {node.module: {alias.name for alias in node.names} for node in froms}
        yield from taken.get(module, ())
        if name in taken.get(package, ()):
            chains = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
            yield from (one.attr for one in chains if ast.unparse(one.value) == name)


@pytest.mark.parametrize("path", STAND_INS, ids=name_of)
def test_a_stand_in_offers_what_is_asked_of_its_module(path):
    """A module for Windows has every name that the program uses, with the same arguments."""
    offered, original = public(path), public(STAND_INS[path])
    asked = set(asked_of(name_of(STAND_INS[path])))
    assert asked, "nobody uses it"
    assert asked <= offered.keys()
    assert [name for name in asked if offered[name] != original[name]] == []


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


@pytest.mark.parametrize("system", SYSTEMS)
def test_no_circles(system):
    """No file imports, by whatever way round and be it for a type only, a file that imports it."""
    names = {name_on(system, path).removesuffix(".__init__"): path for path in SYSTEMS[system]}
    shown = {name_of(path): name_of(original) for path, original in STAND_INS.items()}
    graph = {
        name: {shown.get(m, m) for m in imports_of(path, system=system) if shown.get(m, m) in names}
        - {name}
        for name, path in names.items()
    }
    # A package's face hands names on: it stands above its files and is no step between them.
    graph = {name: uses for name, uses in graph.items() if names[name].name != "__init__.py"}
    while leaves := {name for name, uses in graph.items() if not uses & graph.keys()}:
        graph = {name: uses for name, uses in graph.items() if name not in leaves}
    while roots := graph.keys() - set().union(*graph.values()):
        graph = {name: uses for name, uses in graph.items() if name not in roots}
    assert not graph, f"a circle among {sorted(graph)}"


def test_every_room_has_a_place():
    """A new room is put into the order on purpose, and one that is renamed is renamed here too."""
    rooms = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in FILES}
    assert rooms - {"__init__", "__main__", "windows"} == set(ORDER)
    assert {path.relative_to(WINDOWS).parts[0] for path in STAND_INS} <= set(ORDER)
    assert len(ORDER) == len(set(ORDER))


@pytest.mark.parametrize("room", ORDER)
def test_every_room_has_modules(room):
    """A law over the modules of a room that is not there would hold for nothing."""
    assert modules_of(room)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_module_is_in_a_room(path):
    """A module that belongs to no room would be passed over by the order of imports."""
    assert (room_of(name_of(path)) is None) == (name_of(path) in ROOMLESS)


def test_the_laws_have_something_to_hold():
    """Each collection that a law goes through is there, and so is each place that one names."""
    assert len(FILES) > 100
    assert FACES
    assert STAND_INS
    assert {path for path in FILES if name_of(path) in ROOMLESS} == {
        PACKAGE / "__init__.py",
        PACKAGE / "__main__.py",
        WINDOWS / "__init__.py",
    }
    for places in DOORS.values():
        for place in [places] if isinstance(places, str) else places:
            assert (PACKAGE / place).exists(), place
    assert set(PURE) <= set(ORDER)


@pytest.mark.parametrize("door", DOORS)
def test_each_door_is_in_one_room(door):
    """A heavy library, or a way out of the process, is imported in one place."""
    users = [path for path in FILES if door in {m.split(".")[0] for m in imports_of(path)}]
    assert users, "nobody uses it"
    outside = [name_of(p) for p in users if not str(p.relative_to(PACKAGE)).startswith(DOORS[door])]
    assert not outside


def test_requests_is_not_used_for_imds():
    """Key Vault will need `requests`; nothing else may."""
    users = [path for path in FILES if "requests" in {m.split(".")[0] for m in imports_of(path)}]
    assert users
    assert all(room_of(name_of(path)) == "keyvault" for path in users)


@pytest.mark.parametrize("room", PURE)
def test_pure_rooms_touch_nothing(room):
    """No file, clock, network or environment variable in the rooms that only compute."""
    for path in modules_of(room):
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


def test_only_imds_knows_the_link_local_address():
    """Nothing but the room that asks IMDS can ask it."""
    knowing = [path for path in FILES if "169.254.169.254" in path.read_text()]
    assert {room_of(name_of(path)) for path in knowing} == {"http"}


@pytest.mark.parametrize(
    "face", [*FACES, *WINDOWS.glob("*/__init__.py")], ids=lambda path: path.parent.name
)
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
