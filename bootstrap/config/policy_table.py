"""The trust table: which keys of a document each layer may say. What is not listed is refused.

An image document may say everything that the schema of documents knows. A tag says no key of a
document: it sets one value, or picks the environment (see `tags`). So only userData has a list.
A key that the schema learns later is refused in userData until it is listed here.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal, TypeAlias

    Rule: TypeAlias = Literal["yes", "allowed", "own", "bits", "no"]
    Kind: TypeAlias = Literal["document", "environment", "secret", "file"]

# "yes": always, as far as the checks of its value go. "allowed": in a file of its own, or as a
# section, where the setting `user_data.allow` has the key. "own": in a file that no image document
# declares. "bits": like "own", without set-user-ID, set-group-ID and sticky bit; and over a file of
# the image, to take away permission bits. "no": never.
USER_DATA: Mapping[Kind, Mapping[str, Rule]] = {
    "document": {
        "$schema": "yes",
        "version": "yes",
        "environment": "yes",
        "environments": "yes",
        "values": "yes",
        "secrets": "yes",
        "files": "yes",
        "handlers": "allowed",
    },
    "environment": {
        "values": "yes",
        "secrets": "yes",
        "files": "yes",
        "handlers": "allowed",
    },
    "secret": {
        "vault": "yes",
        "name": "yes",
        "version": "yes",
        "certificate": "yes",
        "as": "yes",
        "encoding": "yes",
        "credential": "yes",
    },
    "file": {
        "path": "yes",
        "template": "own",
        "vars": "own",
        "newline": "own",
        "encoding": "own",
        "owner": "own",
        "group": "own",
        "mode": "bits",
        "acl": "own",  # what a file of Windows has in the place of mode and group
        "notify": "own",  # it can only name what an allowed layer declares
        "when": "own",  # it can only leave a file alone
        "content": "allowed",
        "check": "allowed",
        "symlink": "no",
        "in_place": "no",
        "backup": "no",
    },
}
SPECIAL_BITS = 0o7000  # set-user-ID, set-group-ID, sticky: chmod(2)


def rule(kind: Kind, key: str) -> Rule:
    """What userData may do with a key in that part of a document."""
    return USER_DATA[kind].get(key, "no")
