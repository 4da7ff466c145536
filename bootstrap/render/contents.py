"""The contents of all files of a configuration, and which of them hold a secret."""

from __future__ import annotations

from bootstrap.errors import RenderError
from bootstrap.frozen import replace
from bootstrap.image import decode, shipped_templates

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bootstrap.config.model import Configuration, FileSpec
    from bootstrap.image import Image
    from bootstrap.imds.instance import Instance
    from bootstrap.keyvault.resolve import ResolvedSecrets
    from bootstrap.render.environment import Compiled
    from bootstrap.render.rendered import Rendered, Template
    from bootstrap.settings import Settings


def render_files(
    configuration: Configuration,
    instance: Instance,
    image: Image,
    settings: Settings,
    secrets: ResolvedSecrets | None = None,
) -> tuple[Rendered, ...]:
    """Return the contents of all files, in memory. Raises RenderError with every finding.

    Without `secrets` they are masked, and a file that cannot be made of masks is left out. A file
    holds a secret if it would read differently with other sensitive values: each file is rendered
    once more with these masked. An empty value does not make the file secret.
    """
    from bootstrap.config.masking import mask_values
    from bootstrap.keyvault.resolve import masked_secrets

    run = _Rendering(instance, image, settings, secrets or masked_secrets(configuration))
    contents = run.render(run.secrets.substitute(configuration), masked=secrets is None)
    if not configuration.hidden:
        return contents
    files = tuple(rendered.spec for rendered in contents)
    masked = run.render_masked(mask_values(configuration, also_empty=False), files)
    return tuple(
        replace(one, secret=one.secret or masked.get(one.spec.path) != one.content)
        for one in contents
    )


class _Rendering:
    """What several renderings of one configuration share: templates, compiled once, and context."""

    def __init__(
        self, instance: Instance, image: Image, settings: Settings, secrets: ResolvedSecrets
    ) -> None:
        from bootstrap.render.environment import Compiled

        self.secrets = secrets
        self._instance = instance
        self._image = image
        self._settings = settings
        self._compiled: Compiled = Compiled()

    def render(self, configuration: Configuration, *, masked: bool = False) -> tuple[Rendered, ...]:
        """Return the contents of the configuration's files."""
        from bootstrap.render.rendering import render

        return render(
            configuration.files,
            {
                **template_context(configuration, self._instance),
                "secrets": self.secrets.by_name,
            },
            _templates(self._image),
            max_bytes=self._settings.render.max_bytes,
            seconds=self._settings.render.timeout,
            compiled=self._compiled,
            masked=masked,
            folders=self._settings.templates,
        )

    def render_masked(
        self, configuration: Configuration, files: tuple[FileSpec, ...]
    ) -> dict[str, bytes]:
        """Return the contents by path, without the files in which a mask does not fit."""
        try:
            contents = self.render(replace(configuration, files=files))
        except RenderError:
            if len(files) == 1:
                return {}
            each = [self.render_masked(configuration, (spec,)) for spec in files]
            return {path: content for one in each for path, content in one.items()}
        return {rendered.spec.path: rendered.content for rendered in contents}


def template_context(configuration: Configuration, instance: Instance) -> dict[str, Any]:
    """Return what templates see, without secrets."""
    from bootstrap.imds.tags import TagNames

    return {
        "values": configuration.values,
        "instance": instance.raw,
        "tags": TagNames(instance.tags or ()),
        "environment": configuration.environment,
    }


def _templates(image: Image) -> dict[str, Template]:
    """Return all templates by name; one of the image hides one that ships under its name."""
    from bootstrap.render.rendered import Template

    files = {**shipped_templates(), **image.templates}
    return {name: Template(path, decode(path, content)) for name, (path, content) in files.items()}
