"""The layers, lowest first: image documents, the chosen environment, userData, tags."""

from __future__ import annotations

from bootstrap.config import files, policy, secret_policy
from bootstrap.config.provenance import TagOrigin, merge_parts
from bootstrap.config.windows_paths import folded
from bootstrap.errors import Public, nearest
from bootstrap.imds.tags import fold_case
from bootstrap.problem import is_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bootstrap.config.documents import Document, Trust
    from bootstrap.config.keyvault_references import VaultRules
    from bootstrap.config.provenance import Origin, Part
    from bootstrap.config.tags import TagLayer
    from bootstrap.document import Path
    from bootstrap.errors import Problem
    from bootstrap.settings import UserDataSettings

MERGED = ("values", "secrets", "handlers")


class Merged:
    """The layers of documents, merged section by section; every part has its origin."""

    def __init__(self) -> None:
        self.sections: dict[str, Part] = {}
        self.files: dict[str, Part] = {}
        self.of_image: dict[str, Part] = {}  # the files as the image declares them, by path
        self.of_user_data: set[str] = set()  # the paths of files that userData declares or changes
        self.beyond: list[Problem] = []  # changes of the image's files that userData may not make
        self.environment: str | None = None
        self.environment_origin: Origin | None = None
        self.problem: Problem | None = None  # set if the chosen environment does not exist
        self.notes: tuple[str, ...] = ()

    def add(self, document: Document, path: Path) -> None:
        """Merge the sections at `path` of a document over those so far."""
        for name in MERGED:
            if part := document.part((*path, name)):
                self.sections[name] = merge_parts(self.sections.get(name), part)
        if (entries := document.part((*path, "files"))) and entries.value:
            self.files = files.overlay_files(self.files, entries.value)
            self._trace(document.trust, entries.value)

    def _trace(self, layer: Trust, entries: Sequence[Part]) -> None:
        """Record which files the image declares, and check what userData changes in those."""
        for entry in entries:
            path = folded(entry.value["path"].value)
            if layer == "image":
                self.of_image[path] = self.files[path]
            else:
                self.of_user_data.add(path)
                if path in self.of_image:
                    self.beyond += policy.check_over_image(entry, self.of_image[path])


def merge(documents: Sequence[Document], tags: TagLayer) -> Merged:
    """Return all layers merged, except the values of the tags."""
    merged = Merged()
    _choose(merged, documents, tags)
    for document in documents:
        if document.trust == "image":
            merged.add(document, ())
    if merged.environment is not None:
        for document in documents:
            merged.add(document, ("environments", merged.environment))
    for document in documents:
        if document.trust == "userData":
            merged.add(document, ())
    return merged


def check_layers(
    document: Document, settings: UserDataSettings, vaults: VaultRules
) -> Iterator[Problem]:
    """Yield a problem for what a document may not ask for, and for entries that contradict."""
    yield from policy.check_document(document, settings)
    paths: list[Path] = [("environments", name) for name in document.environments()]
    for path in [(), *paths]:
        entries = document.part((*path, "files"))
        if entries and entries.value:
            yield from files.repeated(entries.value)
            yield from policy.check_paths(entries.value, document.trust, settings)
        secrets, values = (document.part((*path, name)) for name in ("secrets", "values"))
        yield from secret_policy.check_entries(secrets, document.trust, settings, vaults)
        yield from secret_policy.check_values(values, document.trust, vaults)


def _choose(merged: Merged, documents: Sequence[Document], tags: TagLayer) -> None:
    """Choose the environment: the tag's comes first, then userData's, then the image's."""
    for document in documents:
        if part := document.part(("environment",)):
            merged.environment, merged.environment_origin = part.value, part.origin
    if tags.environment and tags.environment[1]:
        name, merged.environment = tags.environment
        merged.environment_origin = TagOrigin(name, merged.environment, ("environment",))
    known = [name for document in documents for name in document.environments()]
    if known and merged.environment is None:
        note = _not_chosen(known, tags)
        merged.notes = (Public(note) if all(map(is_name, known)) else note,)
    if merged.environment is None or merged.environment_origin is None or not known:
        return
    match = _match(merged.environment, known)
    if match is None:
        merged.problem = _unknown(merged.environment, known, merged.environment_origin)
    merged.environment = match


def _match(wanted: str, known: Sequence[str]) -> str | None:
    """Return the environment of that name; None if there is none.

    A name in another case matches too, because people type tags.
    """
    if wanted in known:
        return wanted
    folded = {fold_case(name): name for name in reversed(known)}
    return folded.get(fold_case(wanted))


def _not_chosen(known: Sequence[str], tags: TagLayer) -> str:
    """Return the note that no environment was chosen.

    The choice is optional, but a misspelled name of the tag must be reported.
    """
    wanted = tags.rules.environment
    none = f"none of {', '.join(map(_printable, dict.fromkeys(known)))} is in force"
    if not wanted:
        return f"no document picks an environment: {none}"
    if tags.environment:
        return f"the tag `{wanted}` is empty: {none}"
    near = nearest(wanted, tags.others)
    meant = f" (is the tag `{_printable(near)}` meant?)" if near else ""
    return f"no tag `{wanted}`: {none}{meant}"


def _printable(name: str) -> str:
    """Return a name for the log, escaped if it is not printable, so that it stays on its line."""
    return name if name.isprintable() else repr(name)


def _unknown(wanted: str, known: Sequence[str], origin: Origin) -> Problem:
    near = nearest(wanted, known)
    names = ", ".join(dict.fromkeys(known))
    hint = f"did you mean {near}?" if near else f"the environments are {names}"
    return origin.problem(f"there is no environment {wanted!r}", hint=hint)
