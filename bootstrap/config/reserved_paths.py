"""Paths of the system where only the image may place files, and userData may not.

Each entry is one path with all paths below it. A name that ends with `*` matches all names that
begin so.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# The files that OpenSSL reads, and those that its certificate authorities are made from, on Debian,
# Red Hat, SUSE and Arch: update-ca-certificates(8), update-ca-trust(8). A configuration of OpenSSL
# can load code.
AUTHORITIES = (
    "/etc/ssl/certs",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/openssl.cnf",
    "/etc/ssl/openssl.cnf.d",
    "/etc/pki",
    "/etc/ca-certificates",
    "/etc/ca-certificates.conf",
    "/etc/crypto-policies",
    "/usr/lib/ssl",
    "/usr/local/ssl",
    "/usr/local/share/ca-certificates",
    "/usr/share/ca-certificates",
    "/usr/share/crypto-policies",
    "/usr/share/pki",
    "/var/lib/ca-certificates",
)
CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
# A unit's environment holds settings: see systemd.unit(5), "Unit File Load Path" and the drop-ins
# of a type (`service.d`) and of a prefix (`imds-.service.d`), and DefaultEnvironment= in
# systemd-system.conf(5).
_UNIT_FOLDERS = (
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator",
    "/run/systemd/generator.late",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
_UNIT_NAMES = ("imds-bootstrap*", "imds-.*", "service.d", "timer.d", "target.d")
_MANAGER_FOLDERS = ("/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd")
UNITS = (
    *(f"{folder}/{name}" for folder in _UNIT_FOLDERS for name in _UNIT_NAMES),
    *(f"{folder}/system.conf*" for folder in _MANAGER_FOLDERS),
    *(f"{folder}/system-environment-generators" for folder in _MANAGER_FOLDERS),
)
WHOSE = {
    **dict.fromkeys(AUTHORITIES, "the certificate authorities of the system"),
    **dict.fromkeys(UNITS, "the units that start this agent"),
}


def fits(name: str, pattern: str) -> bool:
    """Return whether a name of a path equals the pattern, or begins like it if it ends with `*`."""
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def title(names: Sequence[str]) -> str:
    """Return what the path of these names holds; empty if userData may write there."""
    for path, whose in WHOSE.items():
        wanted = path.split("/")[1:]
        if len(wanted) <= len(names) and all(map(fits, names, wanted)):
            return whose
    return ""
