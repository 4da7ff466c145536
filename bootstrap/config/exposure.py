"""Files with a secret that are open to more than their owner, by the mode or access list asked for.

Whether a file holds a secret is known when it has been rendered. In a document alone it is only
known if an inline template names a secret.
"""

from __future__ import annotations

import re

from bootstrap.errors import InvalidDocument, Problem, Public

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bootstrap.config.documents import Document
    from bootstrap.config.model import FileSpec
    from bootstrap.config.provenance import Part
    from bootstrap.document import Path

OTHERS = 0o077  # the permission bits of group and others
OCTAL = 8
SERVICE = "nt service\\"  # each service of Windows has an account of its own
ALL_SERVICES = "nt service\\all services"
HINT = 'leave `mode` out or say "0600", and name as `owner` who reads it'
WINDOWS_HINT = "name as `owner` who reads it, or the account of one service"
NAMES_A_SECRET = re.compile(r"\{[{%][^{}]*\bsecrets\b")


def exposed_by(spec: FileSpec) -> str:
    """Return what opens a file to more than its owner (`mode 0640`); empty if nothing does."""
    if spec.acl is not None:
        others = [entry for entry in spec.acl if _is_other(entry, spec.owner or "")]
        return f"`{others[0]}` in its acl" if others else ""
    return f"mode {spec.mode:04o}" if (spec.mode or 0) & OTHERS else ""


def refusal(spec: FileSpec) -> Problem | None:
    """Return the problem of a file with a secret that userData opens; None if it does not."""
    by = exposed_by(spec) if spec.mode_layer == "userData" else ""
    if not by:
        return None
    message = f"it holds a secret, and {by} lets more than its owner read it"
    hint = WINDOWS_HINT if spec.acl is not None else HINT
    return Problem(message, where=spec.mode_origin, path=Public(spec.path), hint=hint)


def warning(spec: FileSpec) -> str:
    """Return the warning for a file with a secret that the image opens; empty if it does not."""
    by = exposed_by(spec) if spec.mode_layer == "image" else ""
    if not by:
        return ""
    where = f" ({spec.mode_origin})" if spec.mode_origin else ""
    return f"{spec.path} holds a secret, and {by} lets more than its owner read it{where}"


def check_files(specs: Iterable[FileSpec]) -> tuple[str, ...]:
    """Return a warning for each file with a secret that the image opens to more than its owner.

    Raises InvalidDocument with those that userData opens.
    """
    secret = tuple(specs)
    if problems := list(filter(None, map(refusal, secret))):
        raise InvalidDocument("userData opens files that hold a secret", problems=problems)
    return tuple(filter(None, map(warning, secret)))


def lint(document: Document) -> Iterator[Problem]:
    """Yield a problem for each file open to others whose inline template names a secret."""
    inner: list[Path] = [("environments", name) for name in document.environments()]
    for path in [(), *inner]:
        section = document.part((*path, "files"))
        for entry in section.value if section else ():
            if _is_exposed(entry):
                mode: Part = entry.value["mode"]
                message = (
                    f"it names a secret, and mode {mode.value} lets more than its owner read it"
                )
                yield mode.origin.problem(message, hint=HINT)


def _is_exposed(entry: Part) -> bool:
    keys = entry.value
    if "mode" not in keys or "content" not in keys or not int(keys["mode"].value, OCTAL) & OTHERS:
        return False
    return NAMES_A_SECRET.search(keys["content"].value) is not None


def _is_other(entry: str, owner: str) -> bool:
    """Return whether an access list entry is for others than the owner or a single service."""
    account = entry.rpartition(":")[0].casefold()
    is_service = account.startswith(SERVICE) and account != ALL_SERVICES
    return not is_service and account != owner.casefold()
