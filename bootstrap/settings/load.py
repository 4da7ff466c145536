"""The loader of the settings, from agent.yaml, the environment and the command line.

The sources are hashed before they are parsed. If the digest is that of the last run, its values
are used again, so that an unchanged boot does not load the YAML parser.
"""

from __future__ import annotations

import json
import os
from hashlib import sha256

from bootstrap import __version__
from bootstrap.errors import NotPermitted, Public, SettingsError
from bootstrap.fs.root import exists_in_root, resolve_in_root
from bootstrap.layout import CONFIGURATION, ELEVATE, ENDINGS
from bootstrap.settings.table import ENVIRONMENT_PREFIX, Settings, rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

SETTINGS_FILE = f"{CONFIGURATION}/agent.yaml"
SETTINGS_FOLDER = f"{CONFIGURATION}/agent.d"


def load(
    *,
    root: str = "/",
    file: str | None = None,
    environ: Mapping[str, str] | None = None,
    assignments: Sequence[str] = (),
    remembered: Mapping[str, Any] | None = None,
) -> Settings:
    """Read the settings of the machine whose file system begins at `root`.

    `file`, if given, is read instead of agent.yaml and agent.d. `assignments` are `name=value`
    texts of the command line. `remembered` is the result of `remember` on an earlier run: if the
    sources have not changed since, no file is parsed. Raises SettingsError with every finding,
    NotPermitted for a file that this user may not read.
    """
    files = _read_files(root, file)
    variables = {
        name: value
        for name, value in sorted((environ or {}).items())
        if name.startswith(ENVIRONMENT_PREFIX)
    }
    digest = _digest(files, variables, assignments)
    if remembered and remembered.get("digest") == digest:
        return _build(remembered["values"], remembered["origins"], digest)
    from bootstrap.settings.sources import read_sources

    values, origins = read_sources(files, variables, assignments)
    return _build(values, origins, digest)


def remember(settings: Settings) -> dict[str, Any]:
    """Return plain JSON values from which the next run can restore these settings."""
    stated = {row.name: value_of(settings, row.name) for row in rows()}
    values = {name: stated[name] for name in settings.origins}
    return {"digest": settings.digest, "values": values, "origins": dict(settings.origins)}


def value_of(settings: Settings, name: str) -> Any:
    """Return the value of the setting with this dotted name."""
    value: Any = settings
    for part in name.split("."):
        value = getattr(value, part)
    return value


def _read_files(root: str, file: str | None) -> list[tuple[str, bytes]]:
    if file is not None:
        return [(file, _read(file))]
    files = []
    if exists_in_root(SETTINGS_FILE, root):
        files.append((SETTINGS_FILE, _read(SETTINGS_FILE, root)))
    if exists_in_root(SETTINGS_FOLDER, root, folder=True):
        names = sorted(os.listdir(resolve_in_root(SETTINGS_FOLDER, root)))
        paths = [f"{SETTINGS_FOLDER}/{name}" for name in names if name.endswith(ENDINGS)]
        files += [(path, _read(path, root)) for path in paths]
    return files


def _read(path: str, root: str | None = None) -> bytes:
    """Return the content of a file below the root, or of one that the command line names."""
    try:
        with open(path if root is None else resolve_in_root(path, root), "rb") as file:
            return file.read()
    except PermissionError as error:
        raise NotPermitted(
            Public(f"reading the settings from {path}: {error.strerror}"), hint=ELEVATE
        ) from error
    except OSError as error:
        raise SettingsError(
            Public(f"reading the settings from {path}: {error.strerror}"),
            hint=Public("name a file that exists"),
        ) from error


def _digest(
    files: Sequence[tuple[str, bytes]], variables: Mapping[str, str], assignments: Sequence[str]
) -> str:
    hashes = [(name, sha256(content).hexdigest()) for name, content in files]
    whole = json.dumps([__version__, hashes, dict(variables), list(assignments)])
    return sha256(whole.encode()).hexdigest()


def _build(values: Mapping[str, Any], origins: Mapping[str, str], digest: str) -> Settings:
    """Return the settings from flat dotted values; a setting without a value has its default."""
    groups: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        group, _, leaf = name.rpartition(".")
        groups.setdefault(group, {})[leaf] = tuple(value) if isinstance(value, list) else value
    top = groups.pop("", {})
    defaults = Settings()
    nested = {group: type(getattr(defaults, group))(**members) for group, members in groups.items()}
    return Settings(**top, **nested, origins=dict(origins), digest=digest)
