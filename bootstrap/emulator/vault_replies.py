"""The answers of a Key Vault: bundles, items, pages, errors.

Their shapes follow the OpenAPI definitions of secrets and certificates, api-version 7.5, in
https://github.com/Azure/azure-rest-api-specs/tree/main/specification/keyvault/data-plane.
"""

from __future__ import annotations

import base64

from bootstrap.emulator.identities import TENANT
from bootstrap.emulator.messages import Reply, as_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bootstrap.emulator.clouds import Cloud
    from bootstrap.emulator.identities import Identity
    from bootstrap.emulator.secret_store import StoredVersion

_FORBIDDEN_WORDS = {
    "AccessDenied": "The user, group or application does not have secrets get permission",
    "ForbiddenByRbac": "Caller is not authorized to perform action on resource.\r\nIf role"
    " assignments, deny assignments or role definitions were changed recently, please observe"
    " propagation time",
    "ForbiddenByFirewall": "Client address is not authorized and caller is not a trusted service",
    "ForbiddenByConnection": "Public network access is disabled and request is not from a trusted"
    " service nor via an approved private link",
}
_KEY_TYPES: dict[str, dict[str, Any]] = {
    "rsa": {"kty": "RSA", "key_size": 2048},
    "ec": {"kty": "EC", "crv": "P-256"},
}


def answered(status: int, body: dict[str, Any], *headers: tuple[str, str]) -> Reply:
    """Return a reply with the headers that all replies of a vault have."""
    common = (
        ("Cache-Control", "no-cache"),
        ("Server", "Microsoft-IIS/10.0"),
        ("x-ms-keyvault-region", "westeurope"),
        ("x-ms-keyvault-service-version", "1.9.2176.1"),
    )
    return Reply(status=status, body=as_json(body), headers=(*common, *headers))


def failure(
    status: int, code: str, message: str, *headers: tuple[str, str], inner: str = ""
) -> Reply:
    """Return an error in the service's own shape: `{"error": {"code": …, "message": …}}`."""
    error: dict[str, Any] = {"code": code, "message": message}
    if inner:
        error["innererror"] = {"code": inner}
    return answered(status, {"error": error}, *headers)


def challenge(cloud: Cloud, message: str) -> Reply:
    """Return the 401 that names the authority and the audience for a token."""
    authority = f"https://{cloud.authority}/{TENANT}"
    value = f'Bearer authorization="{authority}", resource="{cloud.audience}"'
    return failure(401, "Unauthorized", message, ("WWW-Authenticate", value))


def forbidden(inner: str, vault: str, identity: Identity) -> Reply:
    """Return a 403 with `inner` as its reason, a key of `_FORBIDDEN_WORDS`."""
    caller = f"appid={identity.client_id};oid={identity.object_id}"
    issuer = f"iss=https://sts.windows.net/{TENANT}/"
    words = f"{_FORBIDDEN_WORDS[inner]}.\r\nCaller: {caller};{issuer}\r\nVault: {vault}"
    return failure(403, "Forbidden", words, inner=inner)


def disabled() -> Reply:
    """Return the 403 for a disabled version."""
    words = "Operation get is not allowed on a disabled secret."
    return failure(403, "Forbidden", words, inner="SecretDisabled")


def not_found(kind: str, name: str) -> Reply:
    """Return the 404 for a secret or a certificate; `name` includes a requested version."""
    noun = kind.removesuffix("s")
    words = f"A {noun} with (name/id) {name} was not found in this key vault."
    return failure(404, f"{noun.capitalize()}NotFound", words)


def attributes(held: StoredVersion) -> dict[str, Any]:
    """Return the attributes of one version; times that are None are left out."""
    times = {
        "nbf": held.not_before,
        "exp": held.expires,
        "created": held.created,
        "updated": held.updated,
    }
    return {
        "enabled": held.enabled,
        **{name: time for name, time in times.items() if time is not None},
        "recoveryLevel": "Recoverable+Purgeable",
        "recoverableDays": 90,
    }


def secret_bundle(base: str, name: str, held: StoredVersion) -> dict[str, Any]:
    """Return one version of a secret, with its value."""
    bundle = {"value": held.value, **secret_item(f"{base}/secrets/{name}/{held.version}", held)}
    if held.issued:
        bundle["kid"] = f"{base}/keys/{name}/{held.version}"
    return bundle


def secret_item(identifier: str, held: StoredVersion) -> dict[str, Any]:
    """Return one entry of a list of secrets, without its value."""
    item: dict[str, Any] = {"id": identifier, "attributes": attributes(held), "tags": {}}
    if held.content_type:
        item["contentType"] = held.content_type
    if held.issued:
        item["managed"] = True
    return item


def certificate_item(identifier: str, held: StoredVersion) -> dict[str, Any]:
    """Return one entry of a list of certificates."""
    thumbprint = held.issued.thumbprint if held.issued else ""
    return {"id": identifier, "x5t": thumbprint, "attributes": attributes(held), "tags": {}}


def certificate_bundle(base: str, name: str, held: StoredVersion) -> dict[str, Any]:
    """Return one version of a certificate: the URLs of its key and its secret, and its DER."""
    urls = {
        field: f"{base}/{kind}/{name}/{held.version}"
        for field, kind in (("id", "certificates"), ("kid", "keys"), ("sid", "secrets"))
    }
    return {
        **certificate_item(urls["id"], held),
        **urls,
        "cer": base64.b64encode(held.issued.der if held.issued else b"").decode(),
        "contentType": held.content_type,
        "policy": _policy(f"{base}/certificates/{name}/policy", held),
    }


def _policy(identifier: str, held: StoredVersion) -> dict[str, Any]:
    subject: dict[str, Any] = {}
    key: dict[str, Any] = {"exportable": True, "reuse_key": False}
    if held.spec:
        subject = {"subject": held.spec.subject, "sans": {"dns_names": list(held.spec.names)}}
        key |= _KEY_TYPES[held.spec.key]
    return {
        "id": identifier,
        "key_props": key,
        "secret_props": {"contentType": held.content_type},
        "x509_props": {**subject, "validity_months": 12},
        "issuer": {"name": "Unknown"},
        "attributes": {"enabled": True, "created": held.created, "updated": held.updated},
    }
