"""The same rooms for Windows: imported there, and nowhere else.

    fs        files
    process   commands
    apply     folders that others can write to
    identity  the folders of Arc's agent
    platform  which machine this is
    report    the event log

A module in `apply` or `metadata` below this folder stands in for the module of that room and name:
on Windows `bootstrap.fs.read` is the file `bootstrap/windows/fs/read.py`. So each noun is
chosen once, here, and whoever uses it does not know on which system. Of a module that differs only
in part (`platform.firmware`, `report.log`, `report.status`) that part is imported by the module
itself.

Below the root, which is the system drive, the agent's own folders are called as on other systems,
with slashes; the documents' paths have a drive: see `fs.path`.
"""

from __future__ import annotations

import ntpath
import os
import sys
from importlib import import_module
from importlib.abc import Loader
from importlib.machinery import PathFinder
from importlib.util import spec_from_loader

from bootstrap.problem import Public

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

__all__ = [
    "CONFIGURATION",
    "ELEVATE",
    "EVENTS",
    "LIBRARY",
    "OWN_FOLDERS",
    "ROOT",
    "RUNTIME",
    "USUAL_FOLDERS",
]

SYSTEM_DRIVE = os.environ.get("SystemDrive", "C:").upper()  # noqa: SIM112  (its own spelling)
ROOT = f"{SYSTEM_DRIVE}\\"
_PROGRAM_DATA = os.environ.get("ProgramData", rf"{SYSTEM_DRIVE}\ProgramData")  # noqa: SIM112


def _below_root(path: str) -> str:
    drive, rest = ntpath.splitdrive(path.replace("\\", "/"))
    return rest if drive.upper() == SYSTEM_DRIVE else f"{drive.upper()}{rest}"


CONFIGURATION = f"{_below_root(_PROGRAM_DATA)}/imds-bootstrap"
LIBRARY = f"{CONFIGURATION}/state"
RUNTIME = f"{CONFIGURATION}/status"
OWN_FOLDERS: tuple[str, ...] = (f"{_PROGRAM_DATA}/imds-bootstrap",)
USUAL_FOLDERS: tuple[str, ...] = (
    _PROGRAM_DATA,
    os.environ.get("ProgramFiles", rf"{SYSTEM_DRIVE}\Program Files"),  # noqa: SIM112
)
ELEVATE = Public("run it as SYSTEM, or as an administrator from an elevated prompt")
EVENTS = "Get-WinEvent -ProviderName imds-bootstrap"


class StandIns(Loader):
    """Finds and loads the modules of this folder by the names of those that they stand in for.

    Whichever of its two names a module is imported by, it is one module.
    """

    folder = os.path.dirname(os.path.abspath(__file__))

    @classmethod
    def find_spec(
        cls, name: str, _: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """How to load the module, if this folder has it; None leaves it to those who come next."""
        package, *rooms = name.split(".")
        if package != "bootstrap" or len(rooms) < 2 or rooms[0] == "windows":  # noqa: PLR2004
            return None
        found = PathFinder.find_spec(name, [os.path.join(cls.folder, *rooms[:-1])], target)
        if found is None or found.submodule_search_locations is not None:
            return None
        return spec_from_loader(name, cls())

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module of this folder."""
        return import_module(spec.name.replace("bootstrap.", f"{__name__}.", 1))

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is left to do: it has been imported."""


if sys.platform == "win32":
    sys.meta_path.insert(0, StandIns)
