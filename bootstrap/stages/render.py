"""Stage 5: the contents of all files, in memory."""

from __future__ import annotations

from bootstrap.errors import Public
from bootstrap.frozen import replace
from bootstrap.image import DOCUMENT_FOLDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.config.model import Configuration
    from bootstrap.image import Image
    from bootstrap.imds.instance import Instance
    from bootstrap.keyvault.resolve import ResolvedSecrets
    from bootstrap.render.rendered import Rendered
    from bootstrap.settings import Settings


def render(
    configuration: Configuration,
    instance: Instance,
    image: Image,
    settings: Settings,
    secrets: ResolvedSecrets,
) -> tuple[Configuration, tuple[Rendered, ...]]:
    """Return the contents of all files and credentials, and the configuration with new notes.

    Raises RenderError with every finding, or InvalidDocument for a file with a secret that
    userData opens to more than its owner.
    """
    from bootstrap.config import exposure
    from bootstrap.render.contents import render_files
    from bootstrap.render.credentials import render_credentials

    contents = (
        *render_files(configuration, instance, image, settings, secrets),
        *render_credentials(configuration, secrets),
    )
    notes = (*configuration.notes, *secrets.notes)
    if not contents:
        unnamed = f"neither documents in {DOCUMENT_FOLDER} nor userData name one"
        notes += (Public(f"no file is asked for: {unnamed}"),)
    notes += exposure.check_files(one.spec for one in contents if one.secret)
    return replace(configuration, notes=notes), contents
