"""What each response of Key Vault means, and its message for people."""

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
    from bootstrap.keyvault.urls import SecretId

    Verdict: TypeAlias = "StoredSecret | Retry | Denied | Unauthorized | PermanentError"

SPREADING = ("ForbiddenByRbac", "AccessDenied", "Forbidden", "")  # a role assignment ends these
MAX_RETRY_AFTER = 6  # digits

ROLE_HINT = "give it the role Key Vault Secrets User (or, with access policies, Get on secrets)"


class StoredSecret(Frozen):
    """A secret as it is stored. `not_before` and `expires` are seconds since 1970, if set."""

    value: Secret
    version: str
    content_type: str = ""
    not_before: float | None = None
    expires: float | None = None


class Retry(Frozen, kw_only=False):
    """A retry may help; `outcome` is one word, `min_wait` the seconds that the vault asks for."""

    outcome: str
    min_wait: float = 0.0


class Denied(Frozen, kw_only=False):
    """A 403. It ends when a role assignment takes effect, or it is final."""

    message: str
    hint: str


class Unauthorized(Frozen, kw_only=False):
    """The token is not accepted, but another may be. `resource` is the audience asked for."""

    resource: str


class PermanentError(Frozen, kw_only=False):
    """A retry would get the same response. `code` is the vault's error code, or empty."""

    message: str
    hint: str = ""
    code: str = ""


def classify(answer: Answer, address: SecretId) -> Verdict:
    """Return what the response to a request for `address` means.

    Messages repeat only codes and numbers of the response, because the server could send the token
    back.
    """
    if answer.status in JUDGES:
        return JUDGES[answer.status](answer, address)
    if answer.status >= 500:  # noqa: PLR2004
        return _later(answer, address)
    return _unexpected(answer, address)


def _later(answer: Answer, _address: SecretId) -> Retry:
    return Retry(str(answer.status), _retry_after(answer))


def _unauthorized(answer: Answer, _address: SecretId) -> Unauthorized:
    return Unauthorized(_challenged_resource(answer))


def _unexpected(answer: Answer, address: SecretId) -> PermanentError:
    if 300 <= answer.status < 400:  # noqa: PLR2004
        hint = "something stands between this machine and Key Vault: check proxies and routes"
        return PermanentError(
            f"the vault {address.vault} answered with a redirect, which is refused", hint
        )
    return PermanentError(f"the vault {address.vault} answered {answer.status}", code=_code(answer))


def _found(answer: Answer, address: SecretId) -> Verdict:
    body = _object(answer)
    value = body.get("value")
    if not isinstance(value, str) or re.search("[\ud800-\udfff]", value):
        return Retry("not-a-secret")  # a middlebox's page, half a response, or half a character
    version = address.version_in(body.get("id"))
    if version is None:
        hint = "something stands between this machine and Key Vault, and is not to be trusted"
        return PermanentError(f"the vault {address.vault} answered with another secret", hint)
    attributes = body.get("attributes")
    attributes = attributes if isinstance(attributes, dict) else {}
    if attributes.get("enabled") is False:
        return _disabled(address)
    content_type = body.get("contentType")
    return StoredSecret(
        value=Secret(value),
        version=version,
        content_type=content_type if isinstance(content_type, str) else "",
        not_before=_seconds(attributes.get("nbf")),
        expires=_seconds(attributes.get("exp")),
    )


def _forbidden(answer: Answer, address: SecretId) -> Verdict:
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


def _absent(_answer: Answer, address: SecretId) -> PermanentError:
    version = f" with the version {address.version}" if address.version else ""
    return PermanentError(
        f"the vault {address.vault} has no secret {address.name}{version}",
        f"see: az keyvault secret list --vault-name {address.vault}",
    )


def _disabled(address: SecretId) -> PermanentError:
    message = f"the secret {address.name} in the vault {address.vault} is disabled"
    return PermanentError(message, "enable it, or name another version")


JUDGES: Mapping[int, Callable[[Answer, SecretId], Verdict]] = {
    200: _found,
    401: _unauthorized,
    403: _forbidden,
    404: _absent,
    408: _later,
    429: _later,
}


def validity(stored: StoredSecret, now: float) -> str:
    """Return why the secret is not valid at `now` (seconds since 1970), or an empty text.

    Key Vault returns expired secrets too: the client has to check the dates. If a secret's start is
    up to CLOCK_SKEW seconds after `now`, the machine's clock is assumed to be slow.
    """
    if stored.expires is not None and stored.expires <= now:
        return f"it expired on {_date(stored.expires)}"
    if stored.not_before is not None and stored.not_before > now + CLOCK_SKEW:
        return f"it is not valid before {_date(stored.not_before)}"
    return ""


CLOCK_SKEW = 300.0  # seconds that a machine's clock may be slow before it has found a time server


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
    """Return the innermost error code, such as ForbiddenByRbac; empty if none looks like a code."""
    error: Any = _object(answer).get("error")
    code = ""
    while isinstance(error, dict):
        inner = error.get("code")
        code = inner if isinstance(inner, str) and re.fullmatch("[A-Za-z]{1,40}", inner) else code
        error = error.get("innererror")
    return code


def _principal(answer: Answer) -> str:
    """Return a text with the caller's object id in Azure, or an empty text.

    The form of an object id is checked, so nothing else of the response gets into the text.
    """
    error = _object(answer).get("error")
    message = error.get("message") if isinstance(error, dict) else None
    guid = "[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
    match = re.search(rf"\boid=({guid})\b", message) if isinstance(message, str) else None
    return f"; its object id is {match[1]}" if match else ""


def _retry_after(answer: Answer) -> float:
    """Return the seconds that the vault asks to wait; 0 for a date or an invalid value."""
    text = answer.headers.get("retry-after", "").strip()
    is_number = text.isascii() and text.isdigit() and len(text) <= MAX_RETRY_AFTER
    return float(text) if is_number else 0.0


def _challenged_resource(answer: Answer) -> str:
    """Return the audience in `WWW-Authenticate: Bearer authorization="…", resource="…"`.

    Returns an empty text if there is none.
    """
    challenge = answer.headers.get("www-authenticate", "")
    match = re.search(r'\b(?:resource|scope)="([^"]*)"', challenge)
    return match[1].removesuffix("/.default") if match else ""
