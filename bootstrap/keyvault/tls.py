"""The certificate authorities that are trusted: those of this machine, and those of one file.

OpenSSL reads the whole list of a system's authorities before the first request. This costs a boot
as much processor time as the start of the interpreter. Many systems also keep the same authorities
in a folder, one file for each, which is found by a hash of its name (openssl-rehash(1)). From the
folder, only the authority of the vault is read. An authority may be in the list only: if a
certificate is rejected, the list is read as well, and the request is repeated. So exactly those
authorities are trusted that OpenSSL would trust.
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

# A file or a folder that `requests`, like curl, uses instead of the system's authorities.
BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")


class TrustStore:
    """The trusted authorities, in the TLS context that verifies every certificate with them.

    They are the system's, or those that the environment names instead, and those of `ca_file`.
    `is_whole` is true if all of them have been read. Raises SettingsError for a file that cannot
    be read or holds none.
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
        """Read all of the system's authorities, if only its folder has been used so far."""
        with self._lock:
            if not self.is_whole:
                self.context.load_default_certs()
                self.is_whole = True


def _hashed_folder() -> str:
    """Return the system's folder of authorities that are found by their hashes.

    Returns an empty text if there is no such folder.
    """
    folder = ssl.get_default_verify_paths().capath
    try:
        names = os.listdir(folder) if folder else []
    except OSError:
        names = []
    return folder if folder and any(map(HASHED.fullmatch, names)) else ""


def _is_bare() -> bool:
    """Return whether this machine has no authorities and OpenSSL's environment sets no place."""
    paths = ssl.get_default_verify_paths()
    meant = any(
        os.environ.get(name) for name in (paths.openssl_cafile_env, paths.openssl_capath_env)
    )
    return not (meant or paths.cafile or paths.capath)


def _where(place: str) -> tuple[str | None, str | None]:
    """Return `place` as the pair (file, folder); None for each of the two that it is not."""
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
