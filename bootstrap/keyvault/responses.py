"""What each answer of Key Vault means, and the words for people."""

from __future__ import annotations

import json
import re
import time

from bootstrap.frozen import Frozen
from bootstrap.secret import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias

    from bootstrap.keyvault.client import Answer
    from bootstrap.keyvault.urls import Address

    Verdict: TypeAlias = "Found | Retry | Denied | Unauthorized | PermanentError"

SPREADING = ("ForbiddenByRbac", "AccessDenied", "Forbidden", "")  # what a role assignment cures
MAX_RETRY_AFTER = 6  # digits

ROLE_HINT = "give it the role Key Vault Secrets User (or, with access policies, Get on secrets)"


class Found(Frozen):
    """A secret as it is stored. `not_before` and `expires` are seconds since 1970, if set."""

    value: Secret
    version: str
    content_type: str = ""
    not_before: float | None = None
    expires: float | None = None


class Retry(Frozen, kw_only=False):
    """Ask again; `outcome` is one word, `min_wait` the seconds that the vault asks for."""

    outcome: str
    min_wait: float = 0.0


class Denied(Frozen, kw_only=False):
    """A 403 that ends when a role assignment has spread, or is final."""

    message: str
    hint: str


class Unauthorized(Frozen, kw_only=False):
    """The token is not accepted: another may be. `resource` is the audience that is asked for."""

    resource: str


class PermanentError(Frozen, kw_only=False):
    """The same answer would come again; `code` is the vault's own word for it, if it has one."""

    message: str
    hint: str = ""
    code: str = ""


def classify(answer: Answer, address: Address) -> Verdict:
    """What to make of an answer to the question for `address`.

    Nothing of the answer is repeated in words but codes and numbers: whoever answers could send
    the token back.
    """
    if answer.status in JUDGES:
        return JUDGES[answer.status](answer, address)
    if answer.status >= 500:  # noqa: PLR2004
        return _later(answer, address)
    return _unexpected(answer, address)


def _later(answer: Answer, _address: Address) -> Retry:
    return Retry(str(answer.status), _retry_after(answer))


def _unauthorized(answer: Answer, _address: Address) -> Unauthorized:
    return Unauthorized(_challenged_resource(answer))


def _unexpected(answer: Answer, address: Address) -> PermanentError:
    if 300 <= answer.status < 400:  # noqa: PLR2004
        hint = "something stands between this machine and Key Vault: check proxies and routes"
        return PermanentError(
            f"the vault {address.vault} answered with a redirect, which is refused", hint
        )
    return PermanentError(f"the vault {address.vault} answered {answer.status}", code=_code(answer))


def _found(answer: Answer, address: Address) -> Verdict:
    body = _object(answer)
    value = body.get("value")
    if not isinstance(value, str) or re.search("[\ud800-\udfff]", value):
        return Retry("not-a-secret")  # a page of a middlebox, half an answer, or half a character
    version = address.version_in(body.get("id"))
    if version is None:
        hint = "something stands between this machine and Key Vault, and is not to be trusted"
        return PermanentError(f"the vault {address.vault} answered with another secret", hint)
    attributes = body.get("attributes")
    attributes = attributes if isinstance(attributes, dict) else {}
    if attributes.get("enabled") is False:
        return _disabled(address)
    content_type = body.get("contentType")
    return Found(
        value=Secret(value),
        version=version,
        content_type=content_type if isinstance(content_type, str) else "",
        not_before=_seconds(attributes.get("nbf")),
        expires=_seconds(attributes.get("exp")),
    )


def _forbidden(answer: Answer, address: Address) -> Verdict:
    vault = address.vault
    code = _code(answer)
    if code == "SecretDisabled":
        return _disabled(address)
    if code == "ForbiddenByFirewall":
        hint = "let the machine's subnet or address in, in the vault's network settings"
        return PermanentError(
            f"the firewall of the vault {vault} does not let this machine in", hint
        )
    if code == "ForbiddenByConnection":
        hint = "reach it through its private endpoint, or allow public access to the vault"
        return PermanentError(
            f"the vault {vault} takes no connection from where this machine is", hint
        )
    if code in SPREADING:
        message = f"this machine's identity may not read the secret {address.name} in {vault}"
        return Denied(message, f"{ROLE_HINT}{_principal(answer)}")
    return PermanentError(f"the vault {vault} forbids the secret {address.name}", code=code)


def _absent(_answer: Answer, address: Address) -> PermanentError:
    version = f" with the version {address.version}" if address.version else ""
    return PermanentError(
        f"the vault {address.vault} has no secret {address.name}{version}",
        f"see: az keyvault secret list --vault-name {address.vault}",
    )


def _disabled(address: Address) -> PermanentError:
    message = f"the secret {address.name} in the vault {address.vault} is disabled"
    return PermanentError(message, "enable it, or name another version")


JUDGES: Mapping[int, Callable[[Answer, Address], Verdict]] = {
    200: _found,
    401: _unauthorized,
    403: _forbidden,
    404: _absent,
    408: _later,
    429: _later,
}


def validity(found: Found, now: float) -> str:
    """Why the secret is not valid at `now` (seconds since 1970), or an empty text.

    Key Vault hands out expired secrets all the same: the dates are for the reader to judge. A
    start that is a few minutes ahead is a clock that is a few minutes behind.
    """
    if found.expires is not None and found.expires <= now:
        return f"it expired on {_date(found.expires)}"
    if found.not_before is not None and found.not_before > now + CLOCK_SKEW:
        return f"it is not valid before {_date(found.not_before)}"
    return ""


CLOCK_SKEW = 300.0  # seconds that a machine may be behind, before it has found a time server


def _date(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(min(seconds, LAST_DATE)))


LAST_DATE = 253402300799.0  # the end of the year 9999


def _seconds(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value <= LAST_DATE else None


def _object(answer: Answer) -> Mapping[str, Any]:
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _code(answer: Answer) -> str:
    """The innermost word for an error, such as ForbiddenByRbac; empty for anything unlike one."""
    error: Any = _object(answer).get("error")
    code = ""
    while isinstance(error, dict):
        said = error.get("code")
        code = said if isinstance(said, str) and re.fullmatch("[A-Za-z]{1,40}", said) else code
        error = error.get("innererror")
    return code


def _principal(answer: Answer) -> str:
    """The object id by which Azure knows the caller; its form leaves no room for anything else."""
    error = _object(answer).get("error")
    message = error.get("message") if isinstance(error, dict) else None
    guid = "[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
    match = re.search(rf"\boid=({guid})\b", message) if isinstance(message, str) else None
    return f"; its object id is {match[1]}" if match else ""


def _retry_after(answer: Answer) -> float:
    """The seconds that the vault asks to wait; a date, or nonsense, counts as nothing."""
    text = answer.headers.get("retry-after", "").strip()
    is_number = text.isascii() and text.isdigit() and len(text) <= MAX_RETRY_AFTER
    return float(text) if is_number else 0.0


def _challenged_resource(answer: Answer) -> str:
    """The audience in `WWW-Authenticate: Bearer authorization="…", resource="…"`, or nothing."""
    challenge = answer.headers.get("www-authenticate", "")
    match = re.search(r'\b(?:resource|scope)="([^"]*)"', challenge)
    return match[1].removesuffix("/.default") if match else ""
