"""Where a path of the agent's own lies below `--root`."""

from __future__ import annotations

import os

from bootstrap.layout import ROOT


def resolve_in_root(path: str, root: str, *, follow: bool = True) -> str:
    """Return where `path` lies on the disk, each link read as a process with that root reads it.

    So a link in a tree below `--root` that names /etc/hostname leads to the tree's own. With
    `follow` off, a link that is the last name itself is not followed. Below the machine's own root
    the system follows links by itself. Raises OSError if links go in circles.
    """
    if root in {"/", ROOT}:
        return os.path.join(root, path.lstrip("/"))
    from bootstrap.fs.path import resolve

    return resolve(path, root, follow=follow).path


def exists_in_root(path: str, root: str, *, folder: bool = False) -> bool:
    """Return whether there is something, or a folder, at the path; no if links go in circles."""
    exists = os.path.isdir if folder else os.path.exists
    try:
        return exists(resolve_in_root(path, root))
    except OSError:
        return False
