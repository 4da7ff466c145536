"""Ids that depend only on a name, so that two runs serve the same machine."""

from __future__ import annotations

import uuid


def stable_id(name: str) -> str:
    """Return the UUID of a name."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"imds-bootstrap/{name}"))
