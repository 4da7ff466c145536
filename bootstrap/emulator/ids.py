"""Ids that depend on nothing but a name, so that two runs see the same machine."""

from __future__ import annotations

import uuid


def stable_id(name: str) -> str:
    """The UUID of a name."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"imds-bootstrap/{name}"))
