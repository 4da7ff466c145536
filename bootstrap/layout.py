"""The paths of the agent's own files on each system, and the hints that differ by system.

All paths but ROOT are below the root. On Windows the root is the system drive. The agent's own
paths have slashes and no drive there; OWN_FOLDERS and USUAL_FOLDERS have a drive, as the paths of
documents have: see `fs.path`.
"""

from __future__ import annotations

import sys

from bootstrap.problem import Public

ENDINGS = (".yaml", ".yml", ".json")  # of the files that are read in config.d and agent.d

# ROOT           the root of the machine itself
# CONFIGURATION  the image's files: documents, templates, settings
# LIBRARY        the state that the agent keeps from run to run
# RUNTIME        the lock, and the status that every user may read
# OWN_FOLDERS    every folder of the agent's own, by each of its paths
# USUAL_FOLDERS  the folders in which userData may place files by default
# ELEVATE        the hint when the system refuses permission
# EVENTS         the command that shows all messages of a run
if sys.platform == "win32":
    import ntpath
    import os

    SYSTEM_DRIVE = os.environ.get("SystemDrive", "C:").upper()  # noqa: SIM112  (its own spelling)
    _PROGRAM_DATA = os.environ.get("ProgramData", rf"{SYSTEM_DRIVE}\ProgramData")  # noqa: SIM112

    def _below_root(path: str) -> str:
        drive, rest = ntpath.splitdrive(path.replace("\\", "/"))
        return rest if drive.upper() == SYSTEM_DRIVE else f"{drive.upper()}{rest}"

    ROOT = f"{SYSTEM_DRIVE}\\"
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
else:
    ROOT = "/"
    CONFIGURATION = "/etc/imds-bootstrap"
    LIBRARY = "/var/lib/imds-bootstrap"
    RUNTIME = "/run/imds-bootstrap"
    OWN_FOLDERS: tuple[str, ...] = (CONFIGURATION, LIBRARY, RUNTIME, "/var/run/imds-bootstrap")
    USUAL_FOLDERS: tuple[str, ...] = ("/etc", "/opt", "/srv")
    ELEVATE = Public("run it as root")
    EVENTS = "journalctl -b -u imds-bootstrap"
