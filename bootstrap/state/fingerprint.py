"""A digest of everything that a run is made from."""

from __future__ import annotations

import json
from hashlib import sha256

from bootstrap import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bootstrap.image import Image
    from bootstrap.imds.instance import Instance
    from bootstrap.settings import Settings


def fingerprint(instance: Instance, image: Image, settings: Settings) -> str:
    """Return a digest of the input of a run; where it is equal, the output cannot differ.

    The whole instance counts, because templates may use any of it. The order of its lists does
    not, because IMDS does not promise one. The program's version counts too.
    """
    whole = [__version__, _sorted(instance.raw), image.digest, settings.digest]
    return sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def _sorted(value: Any) -> Any:
    """Return the value with every list sorted by its members' JSON."""
    if isinstance(value, dict):
        return {key: _sorted(member) for key, member in value.items()}
    if isinstance(value, list):
        members = map(_sorted, value)
        return sorted(members, key=lambda member: json.dumps(member, sort_keys=True))
    return value
