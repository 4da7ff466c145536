r"""Who else could decide where a file ends up: folders on the way that strangers can take away.

By default every user may make new folders in C:\ and in ProgramData; that alone lets nobody touch
what is there. Who may remove, rename or give away a folder on the way can put another in its place.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101  (nothing imports it elsewhere)

from bootstrap.apply.failures import unsafe
from bootstrap.windows.apply import security, sids
from bootstrap.windows.apply.place import on_disk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.apply.ground import Ground
    from bootstrap.config.configuration import FileSpec
    from bootstrap.windows.apply.disk import Access
    from bootstrap.windows.apply.place import Place

# FILE_DELETE_CHILD, DELETE, WRITE_DAC, WRITE_OWNER, GENERIC_WRITE and GENERIC_ALL
TAKES_AWAY = 0x40 | 0x10000 | 0x40000 | 0x80000 | 0x40000000 | 0x10000000
HINT = "write below a folder that only administrators can change, or take the right away"


def refuse_strangers(spec: FileSpec, place: Place, access: Access, ground: Ground) -> None:  # noqa: ARG001
    """Raise UnsafeDestination when a stranger can take away a folder on the way.

    No stranger is the system, an administrator, the user who runs the agent, or the one whom the
    document gives the file.
    """
    trusted = {sids.SYSTEM, sids.ADMINISTRATORS, sids.TRUSTED_INSTALLER}
    trusted |= {sids.own_user(), sids.CREATOR_OWNER}
    if spec.owner and access.owner:
        trusted.add(access.owner)
    for folder in place.walked:
        path = on_disk(place.root, folder)
        try:
            who = _stranger(path, trusted)
        except FileNotFoundError:
            continue
        if who:
            message = f"{sids.name_of(who)} can replace its folder {path}"
            raise unsafe(message, path=spec.path, origin=spec.origin, hint=HINT)


def _stranger(path: str, trusted: set[str]) -> str:
    """The SID of somebody else who could take the folder away; empty when there is nobody."""
    found = security.entries(path)
    if found is None:
        return ""
    owner, entries = found
    if owner not in trusted:
        return owner
    for entry in entries:
        grants = entry.kind == security.ALLOWED and not entry.flags & security.INHERIT_ONLY
        if grants and entry.mask & TAKES_AWAY and entry.sid not in trusted:
            return entry.sid
    return ""
