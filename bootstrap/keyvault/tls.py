"""Whose word for a vault's name is taken: the authorities of this machine, and those of one file.

OpenSSL reads the whole list of a system's authorities before the first question, which costs a
boot as much processor time as the interpreter's start. Many systems keep the same authorities as a
folder too, one file for each, found by a hash of its name (openssl-rehash(1)): there only the
one that vouches for the vault is read. An authority that only the list holds is found all the
same: once a certificate is turned down, the list is read as well and the vault is asked again. So
what is trusted is what OpenSSL would trust, neither more nor less.
"""

from __future__ import annotations

import os
import re
import ssl
from contextlib import contextmanager
from threading import Lock

from bootstrap.errors import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# What `requests` takes in the place of the system's authorities: a file or a folder, as curl does.
BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")


class Trust:
    """The authorities, in the TLS context that checks every certificate by them.

    They are the system's, or what the environment names in their place, and those of `ca_file`
    besides. `is_whole` says whether all of them have been read. Raises SettingsError for a file
    that cannot be read or holds none.
    """

    def __init__(self, ca_file: str = "") -> None:
        self._lock = Lock()
        bundle = next((name for name in BUNDLES if os.environ.get(name)), "")
        place = os.environ[bundle] if bundle else _hashed_folder()
        with _telling(place, f"{bundle} in the environment"):
            file, folder = _where(place)
            self.context = ssl.create_default_context(cafile=file, capath=folder)
        self.is_whole = bool(bundle) or not place
        if not bundle and _is_bare():
            import certifi

            self.context.load_verify_locations(certifi.where())
        if ca_file:
            with _telling(ca_file, "vaults.ca_file"):
                self.context.load_verify_locations(ca_file)

    def widen(self) -> None:
        """Read all of the system's authorities, where so far only its folder was asked."""
        with self._lock:
            if not self.is_whole:
                self.context.load_default_certs()
                self.is_whole = True


def _hashed_folder() -> str:
    """The system's folder of authorities, if they are found in it by their hashes; else nothing."""
    folder = ssl.get_default_verify_paths().capath
    try:
        names = os.listdir(folder) if folder else []
    except OSError:
        names = []
    return folder if folder and any(map(HASHED.fullmatch, names)) else ""


def _is_bare() -> bool:
    """Whether this machine has no authorities, without anybody having wanted that."""
    paths = ssl.get_default_verify_paths()
    meant = any(
        os.environ.get(name) for name in (paths.openssl_cafile_env, paths.openssl_capath_env)
    )
    return not (meant or paths.cafile or paths.capath)


def _where(place: str) -> tuple[str | None, str | None]:
    """A place as OpenSSL takes it: a file, or a folder."""
    return (None, place) if os.path.isdir(place) else (place or None, None)


@contextmanager
def _telling(place: str, named: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ssl.SSLError) as error:
        why = getattr(error, "strerror", None) or "it holds no certificate"
        raise SettingsError(
            f"reading the authorities in {place}: {why}",
            hint=f"{named} has to name a file of certificates in PEM form",
        ) from error
