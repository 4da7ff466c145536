"""The law of the house, read from the code's own imports."""

import ast
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

PACKAGE = Path(__file__).parents[2] / "bootstrap"
FILES = sorted(PACKAGE.rglob("*.py"))
# `_X_posix` and `_X_windows` are the halves of `X`, their face: it takes the one of its system.
HALVES = [path for path in FILES if re.fullmatch(r"_\w+_(posix|windows)\.py", path.name)]
PAIRS = sorted({path.parent / re.sub("^_|_(posix|windows)", "", path.name) for path in HALVES})
ASSERTIONS = {
    "posix": 'assert sys.platform != "win32"',
    "windows": 'assert sys.platform == "win32"',
}
SYSTEMS = tuple(ASSERTIONS)
ONLY_THERE = {
    "posix": {"fcntl", "grp", "pwd", "resource", "termios"},
    "windows": {"_winapi", "msvcrt", "winreg"},
}

# What belongs to no room: the package itself, and its two entries.
ROOMLESS = {"bootstrap.__init__", "bootstrap.__main__"}

# The verbs of `cli` have a map of their own: what `imds-bootstrap --help` prints.
FACES = [path for path in PACKAGE.glob("*/__init__.py") if path.parent.name != "cli"]

# Along the data: a room may use the rooms before it, never those after.
ORDER = [
    *("frozen", "problem", "errors", "secret", "core_dumps", "layout", "fs", "document"),
    *("resources", "settings", "image"),
    *("http", "identity", "platform", "imds"),
    *("config", "keyvault", "render", "process", "state", "apply", "report"),
    *("context", "stages", "agent"),
    *("emulator", "cli"),
]
# Each is imported in one place, because it is heavy or because it is a door to the outside.
DOORS = {
    "yaml": "document/*",
    "jsonschema": "config/schema/validator.py",
    "jinja2": "render/environment.py",
    "subprocess": "process/*_posix.py process/*_windows.py",
    "ctypes": "*_windows.py fs/selinux.py core_dumps.py",
    "winreg": "*_windows.py",
    "msvcrt": "*_windows.py",
    "requests": "keyvault/client.py",
    "pwd": "fs/_accounts_posix.py",
    "grp": "fs/_accounts_posix.py",
    "fcntl": "fs/_write_posix.py",
}
# Rooms without a file, a clock, a network or an environment: same in, same out.
PURE = ("config", "render", "document")
IMPURE = {"os", "socket", "random", "subprocess", "pathlib", "datetime", "io", "tempfile"}


def imports_of(path, *, system=None):
    """Every module that the file imports, on that system or on any, at its top or in a function."""
    tree = ast.parse(path.read_text())
    if system:
        tree = OnSystem(system).visit(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


class OnSystem(ast.NodeTransformer):
    """Takes away the branch of `if sys.platform == "win32":` that the other system takes."""

    def __init__(self, system):
        self.branches = {
            "sys.platform == 'win32'": system == "windows",
            "sys.platform != 'win32'": system == "posix",
        }

    def visit_If(self, node):
        taken = self.branches.get(ast.unparse(node.test))
        if taken is not None:
            node.body, node.orelse = (node.body, []) if taken else ([ast.Pass()], node.orelse)
        return self.generic_visit(node)


def system_of(module):
    """The only system that has the module; None if each has it."""
    return next((system for system in SYSTEMS if module.endswith(f"_{system}")), None)


def files_on(system):
    return [path for path in FILES if system_of(path.stem) in {None, system}]


def half_of(face, system):
    return face.with_name(f"_{face.stem}_{system}.py")


def room_of(module):
    """The room of `bootstrap.config.layers` is `config`; the package itself is none."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ORDER else None


def modules_of(room):
    """The modules of a room, which is a folder or a file; a room that is not there is a mistake."""
    assert room in ORDER, f"{room} is no room"
    found = [path for path in FILES if room_of(name_of(path)) == room]
    assert found, f"there is no module in {room}: was it renamed?"
    return found


def name_of(path):
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


@pytest.mark.parametrize("system", SYSTEMS)
def test_nothing_imports_what_another_system_has(system):
    """A module of one system only is imported there, under the question for the platform."""
    other = next(one for one in SYSTEMS if one != system)
    for path in files_on(system):
        for module in imports_of(path, system=system):
            assert system_of(module) in {None, system}, f"{name_of(path)} imports {module}"
            assert module not in ONLY_THERE[other], f"{name_of(path)} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_module_of_one_system_says_so(path):
    """What cannot work elsewhere fails there as it is imported, and mypy passes it over."""
    said = [system for system in SYSTEMS if f"\n{ASSERTIONS[system]}" in path.read_text()]
    assert said == [one for one in [system_of(path.stem)] if one]


@pytest.mark.parametrize("path", files_on("windows"), ids=name_of)
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
    offered = {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            offered[node.name] = sum(isinstance(one, ast.arg) for one in ast.walk(node.args))
        elif isinstance(node, ast.ClassDef):
            offered[node.name] = None
        elif isinstance(node, ast.Assign):
            offered.update((one.id, None) for one in ast.walk(node) if isinstance(one, ast.Name))
    return offered


def taken_from(half, face):
    """The names that a face imports from one of its halves."""
    for node in ast.walk(ast.parse(face.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == name_of(half):
            yield from (alias.name for alias in node.names)


def shown_by(face):
    """The names in a face's `__all__`."""
    assigned = (n for n in ast.parse(face.read_text()).body if isinstance(n, ast.Assign))
    lists = [ast.literal_eval(n.value) for n in assigned if ast.unparse(n.targets[0]) == "__all__"]
    assert len(lists) == 1, "it has no __all__"
    return set(lists[0])


@pytest.mark.parametrize("face", PAIRS, ids=name_of)
def test_a_face_has_two_halves(face):
    """Beside `_X_posix.py` there is `_X_windows.py`, and `X.py`, which shows the same on each."""
    own, offered, taken = public(face), {}, {}
    for system in SYSTEMS:
        half = half_of(face, system)
        offered[system] = public(half)
        taken[system] = set(taken_from(half, face))
        assert taken[system], f"it takes nothing from {half.name}"
        assert taken[system] <= offered[system].keys()
        assert shown_by(face) <= own.keys() | taken[system]
    for name in taken["posix"] & taken["windows"]:
        assert offered["posix"][name] == offered["windows"][name], f"{name} has other arguments"


@pytest.mark.parametrize("half", HALVES, ids=name_of)
def test_only_its_face_takes_a_half(half):
    """A half is imported by its face, and by other halves of its room and system."""
    face = half.parent / re.sub("^_|_(posix|windows)", "", half.name)
    room = [path for path in HALVES if path.parent == half.parent]
    near = [path for path in room if system_of(path.stem) == system_of(half.stem)]
    users = [path for path in FILES if name_of(half) in imports_of(path)]
    assert face in users
    assert set(users) <= {face, *near}


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
    names = {name_of(path).removesuffix(".__init__"): path for path in files_on(system)}
    graph = {
        name: {module for module in imports_of(path, system=system) if module in names} - {name}
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
    assert rooms - {"__init__", "__main__"} == set(ORDER)
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
    assert len(HALVES) == 2 * len(PAIRS) > 0
    assert {path for path in FILES if name_of(path) in ROOMLESS} == {
        PACKAGE / "__init__.py",
        PACKAGE / "__main__.py",
    }
    for place in {place for places in DOORS.values() for place in places.split()}:
        assert any(is_in(path, place) for path in FILES), place
    assert set(PURE) <= set(ORDER)


def is_in(path, places):
    """Whether a file is in one of the places, which are patterns below the package."""
    relative = path.relative_to(PACKAGE).as_posix()
    return any(fnmatch(relative, place) for place in places.split())


@pytest.mark.parametrize("door", DOORS)
def test_each_door_is_in_one_room(door):
    """A heavy library, or a way out of the process, is imported in one place."""
    users = [path for path in FILES if door in {m.split(".")[0] for m in imports_of(path)}]
    assert users, "nobody uses it"
    assert not [name_of(path) for path in users if not is_in(path, DOORS[door])]


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


@pytest.mark.parametrize("face", FACES, ids=lambda path: path.parent.name)
def test_a_large_room_opens_with_a_map(face):
    """A room of more than four modules names each of them but halves, with its duty in a line."""
    modules = {path.name.removesuffix(".py") for path in face.parent.iterdir()}
    modules = {name for name in modules if not name.startswith("_")}
    docstring = ast.get_docstring(ast.parse(face.read_text()), clean=False)
    named = re.findall(r"^    (\w+)  +\S", docstring, re.MULTILINE)
    assert sorted(named) == sorted(modules if len(modules) > 4 else named)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_paths_below_the_root_are_resolved_in_one_place(path):
    """Only `fs` joins a root and a path; a join elsewhere would follow a link out of the root."""
    resolved = {"_unsafe_path_posix.py", "own_paths.py"}  # they get folders that are resolved
    if room_of(name_of(path)) == "fs" or path.name in {*resolved, "demo.py"}:
        return
    joins = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "os.path.join" and node.args
    ]
    assert not [node for node in joins if "root" in ast.unparse(node.args[0])]


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
