"""Which templates userData may use: those that the image offers to it.

A pattern of the setting `user_data.templates` is matched against a template's whole name, as
fnmatch(3) without flags does: `*` matches any characters, slashes too, `?` matches one, `[ab]` one
of these; case matters. A pattern with the prefix `image:` only matches templates of the image's own
folders; without it the pattern also matches the examples that ship. The image's own template hides
one that ships under the same name.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from bootstrap.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bootstrap.config.documents import Document
    from bootstrap.config.provenance import Part
    from bootstrap.document import Path
    from bootstrap.errors import Problem

OWN = "image:"


class TemplateOffer(Frozen):
    """The patterns of the settings, and the names of all templates: the image's own, the shipped.

    `own` is None if the image is not available, as when a document is validated on another machine.
    Then nothing is refused that the image may have.
    """

    patterns: tuple[str, ...]
    own: frozenset[str] | None
    shipped: frozenset[str]

    @property
    def names(self) -> frozenset[str]:
        """The templates that userData may use."""
        known = (self.own or frozenset()) | self.shipped
        return frozenset(name for name in known if self._is_offered(name))

    def problems(self, entries: Iterable[Part]) -> Iterator[Problem]:
        """Yield a problem for each template that file entries of a userData may not use.

        A name that no template has is left to the rendering, which suggests the nearest name.
        """
        for entry in entries:
            part = entry.value.get("template")
            if part is None or self._is_offered(part.value) or not self._is_known(part.value):
                continue
            ships = part.value in self.shipped and part.value not in (self.own or ())
            origin = "a template that ships" if ships else "the image's template"
            yield part.origin.problem(
                f"userData may not use {origin}, {part.value}, on this image",
                hint=self.cure(part.value, ships=ships),
            )

    def _is_known(self, name: str) -> bool:
        return self.own is not None and (name in self.own or name in self.shipped)

    def _is_offered(self, name: str) -> bool:
        is_own = self.own is not None and name in self.own
        return any(
            fnmatchcase(name, pattern.removeprefix(OWN))
            for pattern in self.patterns
            if is_own or not pattern.startswith(OWN)
        )

    def cure(self, name: str, *, ships: bool) -> str:
        """Return the hint that says how the image offers the template to userData."""
        wanted = ", ".join((*self.patterns, name))
        copied = "copy it to a template folder of the image, or " if ships else ""
        return f"{copied}set user_data.templates to [{wanted}] in the image's agent.yaml"


def check_document(document: Document, offer: TemplateOffer) -> Iterator[Problem]:
    """Yield a problem for each template that a userData may not use, in its environments too."""
    yield from offer.problems(_entries(document))


def lint(document: Document, offer: TemplateOffer) -> Iterator[Problem]:
    """Yield a problem for each template that a userData may perhaps not use.

    That is one that ships, if the image is not available and so may or may not offer it.
    """
    unsure = offer.shipped - offer.names if offer.own is None else ()
    for entry in _entries(document):
        part = entry.value.get("template")
        if part and part.value in unsure:
            message = f"{part.value} is a template that ships: an image has to offer it to userData"
            yield part.origin.problem(message, hint=offer.cure(part.value, ships=True))


def _entries(document: Document) -> Iterator[Part]:
    """Yield the file entries of a userData, and those of its environments."""
    if document.trust != "userData":
        return
    paths: list[Path] = [("environments", name) for name in document.environments()]
    for path in [(), *paths]:
        if entries := document.part((*path, "files")):
            yield from entries.value


def may_include(
    entry: Part, documents: Iterable[Document], offered: frozenset[str]
) -> frozenset[str] | None:
    """Return the templates that a merged entry's own content may name; None if it may name any.

    A template belongs to the image, which also chooses what the template includes. A content
    belongs to the layer that wrote it.
    """
    content = entry.value.get("content")
    of_user_data = [document.source for document in documents if document.trust == "userData"]
    if content is None or not any(content.origin.source is source for source in of_user_data):
        return None
    return offered
