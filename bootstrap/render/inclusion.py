"""Which templates a template may include, extend or import."""

from __future__ import annotations

from bootstrap.render.errors import FilterError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    class Findings(Protocol):
        """An object that knows the templates' texts, such as `findings.Findings`."""

        def is_written(self, word: str) -> bool:
            """Return whether some template holds `word`, so that a message may show it."""


class Inclusion:
    """The inline contents of a configuration, each with the templates that it may use.

    `contents` maps the name of each content to the names of these templates. None means that there
    is no limit: the image's own contents may use any template, as may its templates. No template
    may use a content: a layer brings a content for its own file, not as a part of other files.
    """

    def __init__(self, contents: Mapping[str, frozenset[str] | None]) -> None:
        self._contents = contents

    def check(self, name: object, parent: str, findings: Findings) -> None:
        """Raise FilterError unless the template `parent` may use the template `name`."""
        offered = self._contents.get(parent)
        if name in self._contents:
            raise FilterError(
                "the content of a file is no template, so none can include it",
                hint="put what several files need into a template of the image",
            )
        if offered is not None and name not in offered:
            shown = f"the template {name}" if findings.is_written(str(name)) else "this template"
            raise FilterError(
                f"userData may not include {shown} on this image",
                hint="the setting user_data.templates in the image's agent.yaml says which it may",
            )


ANYTHING = Inclusion({})
