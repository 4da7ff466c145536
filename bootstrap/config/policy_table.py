"""The policy table: which keys of a document each layer may set. Keys not listed are refused.

An image document may have every key that the schema of documents knows. A tag has no keys of a
document: it sets one value, or chooses the environment (see `tags`). So only userData has a list. A
key that is added to the schema later is refused in userData until it is listed here.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal, TypeAlias

    Rule: TypeAlias = Literal["yes", "allowed", "own", "bits", "no"]
    Kind: TypeAlias = Literal["document", "environment", "secret", "file"]

# "yes": always, as far as its value is valid. "allowed": in a file of its own, or as a section, if
# the setting `user_data.allow` lists the key. "own": in a file that no image document declares.
# "bits": like "own", without set-user-ID, set-group-ID and sticky bit; in a file of the image, only
# to remove permission bits. "no": never.
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
        "acl": "own",  # replaces mode and group on Windows
        "notify": "own",  # it can only name handlers that an allowed layer declares
        "when": "own",  # it can only prevent that a file is written
        "content": "allowed",
        "check": "allowed",
        "symlink": "no",
        "in_place": "no",
        "backup": "no",
    },
}
SPECIAL_BITS = 0o7000  # set-user-ID, set-group-ID, sticky: chmod(2)


def rule(kind: Kind, key: str) -> Rule:
    """Return what userData may do with a key in that part of a document."""
    return USER_DATA[kind].get(key, "no")
