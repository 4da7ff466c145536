"""Stage 3: the layers, from bytes to one validated configuration."""

from __future__ import annotations

import json

from bootstrap.errors import InvalidDocument, Public, RenderError
from bootstrap.image import decode, parse_schema, shipped_templates

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from bootstrap.config.model import Configuration
    from bootstrap.config.resolve import Resolution
    from bootstrap.config.template_policy import TemplateOffer
    from bootstrap.image import Image
    from bootstrap.imds.instance import Instance
    from bootstrap.settings import Settings


def resolve(instance: Instance, image: Image, settings: Settings) -> Resolution:
    """Merge and validate all layers: image documents, environment, userData, tags.

    Raises MissingInput or ImageError; every other mistake is in the result.
    """
    from bootstrap import resources
    from bootstrap.config.keyvault_references import vault_rules
    from bootstrap.config.resolve import resolve as resolve_layers

    schema = image.values_schema
    return resolve_layers(
        documents=[(name, decode(name, content)) for name, content in image.documents],
        user_data=instance.user_data or "",
        tags=instance.tags or (),
        user_data_trust=settings.user_data,
        tag_rules=settings.tags,
        document_schema=json.loads(resources.read("schema/document.schema.json")),
        values_schema=parse_schema(*schema) if schema else None,
        templates=template_offer(settings, image.templates),
        vaults=vault_rules(instance.cloud, settings.vaults.allow),
    )


def template_offer(settings: Settings, own: Collection[str] | None) -> TemplateOffer:
    """Return the templates that userData may use; `own` is None where the image is not here."""
    from bootstrap.config.template_policy import TemplateOffer

    return TemplateOffer(
        patterns=settings.user_data.templates,
        own=None if own is None else frozenset(own),
        shipped=frozenset(shipped_templates()),
    )


def validate(
    resolution: Resolution, instance: Instance, image: Image, settings: Settings
) -> Configuration:
    """Return the configuration if it is valid; else raise InvalidDocument with all that is wrong.

    The templates are tried on an invalid configuration too, as far as its values are known: one
    error reports the mistakes of both.
    """
    if resolution.error and resolution.configuration:
        from bootstrap.render.contents import render_files

        try:
            render_files(resolution.configuration, instance, image, settings)
        except RenderError as error:
            raise InvalidDocument(
                f"{resolution.error.message}, and {error.message}",
                problems=resolution.error.problems + error.problems,
                public=Public(f"{resolution.error.public}, and {error.public}"),
            ) from None
    return resolution.require_valid()
