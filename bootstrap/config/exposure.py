"""Files with a secret that more than their owner may use: by the mode or the access list asked for.

It is known when a file has been rendered whether it holds a secret; from a document alone, only
where an inline template names one.
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

OTHERS = 0o077  # the bits of group and others
OCTAL = 8
SERVICE = "nt service\\"  # each service of Windows is an account of its own
ALL_SERVICES = "nt service\\all services"
HINT = 'leave `mode` out or say "0600", and name as `owner` who reads it'
WINDOWS_HINT = "name as `owner` who reads it, or the account of one service"
NAMES_A_SECRET = re.compile(r"\{[{%][^{}]*\bsecrets\b")


def exposed_by(spec: FileSpec) -> str:
    """What opens a file to more than its owner (`mode 0640`), in words; empty when nothing does."""
    if spec.acl is not None:
        others = [one for one in spec.acl if _is_other(one, spec.owner or "")]
        return f"`{others[0]}` in its acl" if others else ""
    return f"mode {spec.mode:04o}" if (spec.mode or 0) & OTHERS else ""


def refusal(spec: FileSpec) -> Problem | None:
    """Why userData may not open a file that holds a secret; None where it does not."""
    by = exposed_by(spec) if spec.mode_layer == "userData" else ""
    if not by:
        return None
    message = f"it holds a secret, and {by} lets more than its owner read it"
    hint = WINDOWS_HINT if spec.acl is not None else HINT
    return Problem(message, where=spec.mode_origin, path=Public(spec.path), hint=hint)


def warning(spec: FileSpec) -> str:
    """What to say of a file with a secret that the image opens; empty where it does not."""
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
    """The files of a document whose inline template names a secret, and that are open to others."""
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
    """Whether an entry of an access list gives rights to more than one account or the owner."""
    account = entry.rpartition(":")[0].casefold()
    is_service = account.startswith(SERVICE) and account != ALL_SERVICES
    return not is_service and account != owner.casefold()
