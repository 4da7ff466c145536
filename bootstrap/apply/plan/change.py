"""What a plan is made of."""

from __future__ import annotations

from bootstrap.frozen import Frozen, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from bootstrap.fs.path import Place
    from bootstrap.fs.read import Access
    from bootstrap.state.manifest import Written

    Action = Literal["create", "update", "attributes", "remove"]


class Snapshot(Frozen):
    """A file before or after a change.

    `content` is None when the file is too long to be kept in memory; `link` is where a symbolic
    link points, and then the content is empty. `attributes` are those that count, by name; `stamp`
    tells whether the file still is the one that was looked at.
    """

    content: bytes | None = field(repr=False)
    access: Access
    link: str | None = None
    attributes: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    stamp: tuple[int, ...] = field(default=(), repr=False)


class Change(Frozen):
    """One file that will not stay as it is, and why.

    `path` is the document's; `place` is where it lies below the root, a followed link resolved.
    `reasons` are for people: `content`, `mode 0644 → 0640`. `secret` says that the old content or
    the new holds one: both, and the output of commands that read them, must not be shown.
    `untrusted` says that others can write to a folder on the way.
    """

    path: str
    action: Action
    reasons: tuple[str, ...]
    before: Snapshot | None
    after: Snapshot | None
    place: Place
    check: tuple[str, ...] = ()
    in_place: bool = False
    backup: bool = False
    secret: bool = False
    untrusted: bool = False
    origin: str = ""
    check_origin: str = ""


class Plan(Frozen):
    """All that a commit will do, in order.

    `unchanged` are the paths that are as they shall be; `handlers` the names of those that are
    due; `private` says that some file holds a secret, so that no command's output may be shown;
    `written` are the records to remember once the plan is committed; `notes` words for the log.
    """

    changes: tuple[Change, ...] = ()
    unchanged: tuple[str, ...] = ()
    handlers: tuple[str, ...] = ()
    private: bool = False
    written: tuple[Written, ...] = ()
    notes: tuple[str, ...] = ()
