"""Who else could decide where a file ends up: folders on the way that strangers can write to.

In such a folder somebody can put a link, or another folder, between two steps of the agent, and
have a file written, or a secret kept, where it does not belong. systemd-tmpfiles(8) refuses what
it calls an unsafe path transition for the same reason.
"""

from __future__ import annotations

import os
import stat

from bootstrap.apply.failures import unsafe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.apply.disk import Access
    from bootstrap.apply.ground import Ground
    from bootstrap.apply.place import Place
    from bootstrap.config.configuration import FileSpec

ROOT = 0
HINT = "write below a folder that only root can write to, or take the right to write away"


def refuse_strangers(spec: FileSpec, place: Place, access: Access, ground: Ground) -> None:
    """Raise UnsafeDestination when a stranger can write to a folder on the way.

    No stranger is root, the user who runs the agent, or the one whom the document gives the file.
    All folders below the root count, for a folder can be moved away by whoever owns the one above.
    Who can write to a folder with the sticky bit can move nothing there but what is their own.
    """
    trusted = {ROOT, os.geteuid()} | ({access.uid} if spec.owner else set())
    for folder in place.walked:
        try:
            status = os.lstat(os.path.join(place.root, folder))
        except FileNotFoundError:
            continue
        if who := _stranger(status, trusted, ground):
            message = f"{who} can write to its folder /{folder}"
            raise unsafe(message, path=spec.path, origin=spec.origin, hint=HINT)


def _stranger(status: os.stat_result, trusted: set[int], ground: Ground) -> str:
    """Who could replace what is in the folder; empty when nobody is a stranger."""
    mode = status.st_mode
    if status.st_uid not in trusted:
        return f"its owner {ground.accounts.users.name(status.st_uid)}"
    if mode & stat.S_ISVTX or not stat.S_ISDIR(mode):
        return ""
    if mode & stat.S_IWOTH:
        return "everybody"
    if mode & stat.S_IWGRP and status.st_gid not in {ROOT, os.getegid()}:
        return f"the group {ground.accounts.groups.name(status.st_gid)}"
    return ""
