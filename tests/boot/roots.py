"""Root folders to boot: built by the image recipe that ships, and kept for the next test.

    root = roots.build("bookworm")                              # pathlib.Path, never to be written
    root = roots.build("bookworm", packages=("cloud-init",))    # with more of Debian's packages
    deb = roots.package()                                       # the .deb that is in them

A root is what `packaging/image/mmdebstrap/build.sh` makes of the suite, the package that
`packaging/deb/build.sh` makes of this checkout, the application in `tests/boot/image` and the
packages asked for. It is kept below `CACHE`, and the same one is given again as long as none of
these has changed. Boot it with an overlay on top of it (`machines.py`), or make a disk from it.
Where a tool is missing `Missing` is raised, with words to skip by; where the recipe failed,
`Unbuilt`.

From a shell: `python tests/boot/roots.py SUITE [PACKAGE...]` prints the folder.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

BOOT = Path(__file__).parent
CHECKOUT = BOOT.parents[1]
RECIPE = CHECKOUT / "packaging/image/mmdebstrap/build.sh"
PACKAGER = CHECKOUT / "packaging/deb/build.sh"
APPLICATION = BOOT / "image"
CACHE = Path(os.environ.get("BOOT_CACHE") or CHECKOUT / ".pytest_cache/boot")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

BUILD_LIMIT = 600  # seconds: many times what a root takes
HELD = []  # open locks of the roots that this process uses: nobody removes them meanwhile


# What a machine must offer even when it could not be configured.
EVERYWHERE = ("openssh-server",)


class Missing(Exception):
    """This machine cannot build a root, and why."""


class Unbuilt(Exception):
    """The recipe failed, and how."""


def build(suite, *, packages=()):
    """The folder of a root with `packages` added; built now unless it is there."""
    for tool in ("mmdebstrap", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise Missing(f"building a root needs {tool}")
    if os.geteuid() != 0:
        raise Missing("building a root needs root")
    deb, wanted = package(), tuple(sorted({*EVERYWHERE, *packages}))
    kind = "-".join((suite, *packages))
    root = CACHE / f"{kind}.{fingerprint(suite, wanted, deb, RECIPE, APPLICATION)}"
    with locked(CACHE / f"{kind}.lock"):
        if not root.is_dir():
            remove_unused(kind)
            with tempfile.TemporaryDirectory(prefix=f"{kind}-", dir=CACHE) as folder:
                made = Path(folder) / "root"
                bake(suite, wanted, deb, made)
                made.rename(root)
        hold(root)
    return root


def bake(suite, packages, deb, root):
    """Run the recipe."""
    sources = sources_of(suite, root.parent)
    command = [RECIPE, suite, sources, deb, APPLICATION, root, *packages]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=BUILD_LIMIT, check=False
    )
    if ended.returncode != 0:
        raise Unbuilt(f"{RECIPE.name} {suite} ended with {ended.returncode}:\n{ended.stderr}")


def package():
    """The .deb of this checkout, built now unless none of its sources has changed.

    BOOT_DEB in the environment names one that has been built already.
    """
    if given := os.environ.get("BOOT_DEB"):
        return Path(given).resolve(strict=True)
    mark = fingerprint(*(CHECKOUT / name for name in packaged()))
    folder = CACHE / f"deb.{mark}"
    with locked(CACHE / "deb.lock"):
        if not folder.is_dir():
            if not PACKAGER.exists():
                raise Missing(f"there is no {PACKAGER.relative_to(CHECKOUT)}")
            with tempfile.TemporaryDirectory(prefix="deb-", dir=CACHE) as made:
                subprocess.run([PACKAGER, made], check=True, timeout=BUILD_LIMIT, stdout=sys.stderr)
                shutil.copytree(made, folder)
    (deb,) = folder.glob("imds-bootstrap_*_all.deb")
    return deb


def packaged():
    """Everything in the checkout that a package may hold, as far as git knows it."""
    listed = ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others"]
    listed += ["--exclude-standard", "bootstrap", "schema", "templates", "packaging"]
    listed += ["docs", "*.md", "*.toml"]
    found = subprocess.run(listed, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout
    return sorted(
        name
        for name in found.splitlines()
        if not name.startswith(("packaging/image/", "packaging/windows/"))
    )


def sources_of(suite, folder):
    """A file of apt's sources for the suite: this machine's own, or made from them.

    No mirror is named here: where this machine gets Debian from, the root does too. A suite other
    than the machine's own may lie there past its date.
    """
    release = Path("/etc/os-release").read_text()
    own = Path("/etc/apt/sources.list.d/debian.sources")
    if not own.exists():
        own = Path("/etc/apt/sources.list")
    if not own.exists() or "ID=debian" not in release.splitlines():
        raise Missing("this machine's packages do not come from Debian")
    if f"VERSION_CODENAME={suite}" in release.splitlines():
        return own
    found = [uri for uri in re.findall(r"\S+://\S+", uncommented(own)) if "security" not in uri]
    if not found or not KEYRING.exists():
        raise Missing(f"{own} does not say where Debian comes from")
    made = folder / "debian.sources"
    made.write_text(
        f"Types: deb\nURIs: {found[0]}\nSuites: {suite}\nComponents: main\n"
        f"Signed-By: {KEYRING}\nCheck-Valid-Until: no\n"
    )
    return made


def uncommented(path):
    return "\n".join(line for line in path.read_text().splitlines() if not line.startswith("#"))


def fingerprint(*parts):
    """A short name for the content of files and folders, and for words."""
    digest = hashlib.sha256()
    for part in parts:
        if not isinstance(part, Path):
            digest.update(repr(part).encode())
            continue
        for path in sorted([part, *part.rglob("*")] if part.is_dir() else [part]):
            digest.update(f"{path.name} {path.lstat().st_mode}".encode())
            if path.is_symlink():
                digest.update(os.readlink(path).encode())
            elif path.is_file():
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def locked(path):
    """Alone among all processes that name the same path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def hold(root):
    """Keep others from removing the root while this process lives."""
    file = (root.parent / f"{root.name}.used").open("w")
    fcntl.flock(file, fcntl.LOCK_SH)
    HELD.append(file)


def remove_unused(kind):
    """Remove the roots of this kind that nobody uses: one is wanted in their place."""
    for used in CACHE.glob(f"{kind}.*.used"):
        with used.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(used.with_suffix(""), ignore_errors=True)
            used.unlink()


if __name__ == "__main__":
    print(build(sys.argv[1], packages=sys.argv[2:]))
