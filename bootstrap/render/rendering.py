"""Rendering of every file of a configuration in memory, or a report of everything that is wrong."""

from __future__ import annotations

import time

from bootstrap.errors import Problem, Public, RenderError, nearest
from bootstrap.render import template_errors
from bootstrap.render.environment import Environment
from bootstrap.render.errors import LimitExceeded
from bootstrap.render.findings import Findings
from bootstrap.render.inclusion import Inclusion
from bootstrap.render.limits import Budget
from bootstrap.render.masking import mask_all
from bootstrap.render.rendered import Rendered, Template
from bootstrap.render.secret_tracking import TrackedSecrets, reveal_values
from bootstrap.render.suggestions import Names
from bootstrap.render.tag_text import without_control

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from bootstrap.config.model import FileSpec
    from bootstrap.render.environment import CompiledCache


def render(
    files: Sequence[FileSpec],
    context: Mapping[str, Any],
    templates: Mapping[str, Template],
    *,
    max_bytes: int,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
    compiled: CompiledCache | None = None,
    masked: bool = False,
    folders: Sequence[str] = (),
) -> tuple[Rendered, ...]:
    """Return the contents of `files`, in their order.

    `context` is what templates see: values, secrets, instance, tags, environment. `templates` maps
    the names that `template`, `include`, `extends` and `import` use. No file may become larger than
    `max_bytes`, and all files together may take `seconds`. Renderings with the same `compiled`
    compile each template once. `folders` are the directories of the templates, for messages.

    With `masked`, each mask among the values and the secrets replaces an unknown value. An
    operation that fails with it is no problem. A file that cannot be rendered with it is left out.

    The text of a template is printed as it is. Values are data, and are never read as templates.

    Raises RenderError with every problem of every file: each missing name, and the error that ended
    the rendering of a file.
    """
    budget = Budget(seconds=seconds, max_bytes=max_bytes, clock=clock)
    rendering = _Rendering(
        files, context, templates, budget, compiled, masked=masked, folders=folders
    )
    return rendering.run()


class _Rendering:
    def __init__(
        self,
        files: Sequence[FileSpec],
        context: Mapping[str, Any],
        templates: Mapping[str, Template],
        budget: Budget,
        compiled: CompiledCache | None,
        *,
        masked: bool,
        folders: Sequence[str],
    ) -> None:
        self._files = files
        self._masked = masked
        self._templates = templates
        self._folders = folders
        show = mask_all if masked else reveal_values
        self._secrets = TrackedSecrets(context.get("secrets", {}), show)
        seen = without_control(
            {**context, "secrets": self._secrets, "values": show(context.get("values", {}))}
        )
        sources = {**templates, **_inline(files)}
        self._findings = Findings(sources, Names(seen))
        self._budget = budget
        self._environment = Environment(
            sources,
            seen,
            findings=self._findings,
            budget=budget,
            inclusion=Inclusion(
                {_name(spec): spec.includes for spec in files if spec.content is not None}
            ),
            compiled=compiled,
        )

    def run(self) -> tuple[Rendered, ...]:
        rendered = []
        for spec in self._files:
            try:
                result = self._render(spec)
            except LimitExceeded:
                break  # already reported; no time is left for the files that follow
            if result is not None:
                rendered.append(result)
        if self._findings.problems:
            raise RenderError(
                "the templates do not fit the values", problems=self._findings.problems
            )
        return tuple(rendered)

    def _render(self, spec: FileSpec) -> Rendered | None:
        """Return the rendered file, or None if there is none.

        The problem is then among the findings, except when a masked value is the cause.
        """
        self._findings.destination = spec.path
        name = _name(spec)
        if spec.template is not None and name not in self._templates:
            self._report_unknown(spec, name)
            return None
        self._secrets.used = False
        try:
            content = self._content(name, spec.newline)
        except Exception as error:  # a template can raise any exception of Python
            if self._masked and type(error) is ValueError:
                return None  # `a, b = …`: the number of items in a masked value is unknown
            template_errors.report(error, name, self._findings, self._templates)
            if isinstance(error, LimitExceeded):
                raise
            return None
        return Rendered(spec=spec, content=content, secret=self._secrets.used)

    def _content(self, name: str, newline: str) -> bytes:
        self._budget.begin_file()
        template = self._environment.get_template(name)
        chunks = []
        length = 0
        for chunk in template.root_render_func(template.new_context()):
            chunks.append(chunk)
            length += len(chunk)
            self._budget.require_file(length)
        # Only a secret can hold bytes that are not text: see `keyvault.encoding`.
        errors = "surrogateescape" if self._secrets.used else "strict"
        content = _ended("".join(chunks), newline).encode(errors=errors)
        self._budget.require_file(len(content))
        return content

    def _report_unknown(self, spec: FileSpec, name: str) -> None:
        meant = nearest(name, self._templates)
        hints = [f"did you mean {meant}?"] if meant else []
        if self._folders:
            places = f"{', '.join(self._folders)} and among the templates that ship"
            hints.append(f"it was looked for in {places}")
        self._findings.problems.append(
            Problem(
                f"there is no template `{name}`",
                where=spec.origin,
                path=Public(spec.path),
                hint=" ".join(hints),
            )
        )


def _ended(text: str, newline: str) -> str:
    """Return the text with the line ends `newline`: `lf` or `crlf`; if empty, unchanged."""
    if not newline:
        return text
    text = text.replace("\r\n", "\n")
    return text.replace("\n", "\r\n") if newline == "crlf" else text


def _inline(files: Sequence[FileSpec]) -> dict[str, Template]:
    """Return the templates that documents hold inline; messages call them by their place."""
    return {
        _name(spec): Template(f"{spec.origin} content", spec.content)
        for spec in files
        if spec.content is not None
    }


def _name(spec: FileSpec) -> str:
    """Return the name by which the loader finds a file's template."""
    return spec.template if spec.template is not None else f"content of {spec.path}"
