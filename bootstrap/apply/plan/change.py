"""The values that a plan consists of."""

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

    `content` is None when the file is too long to be kept in memory; `link` is the target of a
    symbolic link, and then the content is empty. `attributes` are the extended attributes that
    count, by name; `stamp` changes when the file changes after it was read.
    """

    content: bytes | None = field(repr=False)
    access: Access
    link: str | None = None
    attributes: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    stamp: tuple[int, ...] = field(default=(), repr=False)


class Change(Frozen):
    """One file that is going to change, and the reasons.

    `path` is the one in the document; `place` is its position below the root, with a followed
    link resolved. `reasons` are for people: `content`, `mode 0644 → 0640`. `secret` says that the
    old or the new content holds a secret: neither of them, nor the output of commands that read
    them, may be shown. `untrusted` says that others can write to a folder of the path.
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

    `unchanged` are the paths that are already as wanted; `handlers` the names of those that are
    due; `private` says that some file holds a secret, so that no command's output may be shown;
    `written` are the records to save once the plan is committed; `notes` are texts for the log.
    """

    changes: tuple[Change, ...] = ()
    unchanged: tuple[str, ...] = ()
    handlers: tuple[str, ...] = ()
    private: bool = False
    written: tuple[Written, ...] = ()
    notes: tuple[str, ...] = ()
