"""Which templates a template may include, extend or import."""

from __future__ import annotations

from bootstrap.render.errors import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    class Findings(Protocol):
        """Whoever knows the templates' texts; `findings` does."""

        def is_written(self, word: str) -> bool:
            """Whether some template holds `word`, so that it may be told."""


class Inclusion:
    """The inline contents of a configuration, each with the templates that it may name.

    `contents` maps the name of each content to those, None where that is not limited: the image's
    own contents, like its templates, choose freely. No template names a content: a layer brings one
    for its own file, not as a part of others.
    """

    def __init__(self, contents: Mapping[str, frozenset[str] | None]) -> None:
        self._contents = contents

    def check(self, name: object, parent: str, findings: Findings) -> None:
        """Raise Refusal unless the template `parent` may name the template `name`."""
        offered = self._contents.get(parent)
        if name in self._contents:
            raise Refusal(
                "the content of a file is no template, so none can include it",
                hint="put what several files need into a template of the image",
            )
        if offered is not None and name not in offered:
            told = f"the template {name}" if findings.is_written(str(name)) else "this template"
            raise Refusal(
                f"userData may not include {told} on this image",
                hint="the setting user_data.templates in the image's agent.yaml says which it may",
            )


ANYTHING = Inclusion({})
