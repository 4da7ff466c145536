"""What this machine shall look like: its instance and its image, to the contents of files."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256

from bootstrap import __version__
from bootstrap.errors import ImageError, InvalidDocument, RenderError, SecretsUnsupported
from bootstrap.image import DOCUMENT_FOLDER, decode, shipped_templates

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bootstrap.config.configuration import Configuration
    from bootstrap.config.resolve import Resolution
    from bootstrap.image import Image
    from bootstrap.metadata.instance import Instance
    from bootstrap.render.environment import Compiled
    from bootstrap.render.rendered import Rendered, Template
    from bootstrap.settings import Settings
    from bootstrap.source import Path, Source

MASK = "***"


def fingerprint(instance: Instance, image: Image, settings: Settings) -> str:
    """A digest of everything that a run is made from; equal means that nothing can differ.

    The whole instance counts, for templates may use any of it, but not the order of its lists,
    which IMDS does not promise.
    """
    whole = [__version__, _unordered(instance.raw), image.digest, settings.digest]
    return sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def decide(instance: Instance, image: Image, settings: Settings) -> Configuration:
    """The validated configuration of the layers: image, environment, userData, tags.

    Raises InvalidDocument with every finding, MissingInput, ImageError or SecretsUnsupported.
    """
    return _usable(_resolve(instance, image, settings))


def _usable(resolution: Resolution) -> Configuration:
    configuration = resolution.sound()
    if configuration.secrets:
        raise SecretsUnsupported(
            f"the configuration names secrets ({', '.join(configuration.secrets)}), and this "
            "version cannot fetch any",
            hint="remove `secrets` from the documents",
        )
    return configuration


def decide_and_render(
    instance: Instance, image: Image, settings: Settings
) -> tuple[Configuration, tuple[Rendered, ...]]:
    """The configuration and the contents of its files; all mistakes of both in one error.

    Templates are tried even when a document is not valid, as far as its values are beyond doubt:
    nobody has to mend one mistake to be told of the next. Raises what `decide` and `render_all` do.
    """
    resolution = _resolve(instance, image, settings)
    if resolution.error and resolution.configuration:
        try:
            render_all(resolution.configuration, instance, image, settings)
        except RenderError as error:
            raise InvalidDocument(
                f"{resolution.error.message}, and {error.message}",
                problems=resolution.error.problems + error.problems,
            ) from None
    configuration = _usable(resolution)
    if not configuration.files:
        nothing = (
            f"no file is asked for: neither documents in {DOCUMENT_FOLDER} nor userData name one"
        )
        configuration = replace(configuration, notes=(*configuration.notes, nothing))
    return configuration, render_all(configuration, instance, image, settings)


def _resolve(instance: Instance, image: Image, settings: Settings) -> Resolution:
    from bootstrap import shipped
    from bootstrap.config.resolve import resolve

    schema = image.values_schema
    return resolve(
        documents=[(name, decode(name, content)) for name, content in image.documents],
        user_data=instance.user_data or "",
        tags=instance.tags or (),
        user_data_trust=settings.user_data,
        tag_rules=settings.tags,
        document_schema=json.loads(shipped.read("schema/document.schema.json")),
        values_schema=read_schema(*schema) if schema else None,
    )


def read_schema(name: str, content: bytes) -> Source:
    """A JSON Schema for values, from its file; raises ImageError when it is no JSON and no YAML."""
    from bootstrap.source import parse

    try:
        return parse(decode(name, content), name)
    except InvalidDocument as error:
        raise ImageError(
            "the image's schema for values cannot be read", problems=error.problems
        ) from None


def render_all(
    configuration: Configuration, instance: Instance, image: Image, settings: Settings
) -> tuple[Rendered, ...]:
    """The contents of all files, in memory. Raises RenderError with every finding.

    A file that would read differently if the hidden values were others holds a secret: it is known
    by rendering all files once more with the values masked.
    """
    from bootstrap.render.environment import Compiled

    compiled = Compiled()
    contents = _render(configuration, instance, image, settings, compiled)
    if not configuration.hidden:
        return contents
    try:
        others = _render(masked(configuration), instance, image, settings, compiled)
    except RenderError:  # a mask need not fit where the value does: nothing can be told apart
        return tuple(replace(one, secret=True) for one in contents)
    return tuple(
        replace(one, secret=one.secret or one.content != other.content)
        for one, other in zip(contents, others, strict=True)
    )


def masked(configuration: Configuration) -> Configuration:
    """The configuration with every hidden value replaced by `***`."""
    values: Any = configuration.values
    for path in configuration.hidden:
        values = _with_mask(values, path[1:])
    return replace(configuration, values=values)


def _with_mask(tree: Any, path: Path) -> Any:
    if not path:
        return MASK
    step, *rest = path
    below = _with_mask(tree[step], tuple(rest))
    if isinstance(tree, list):
        return [below if at == step else one for at, one in enumerate(tree)]
    return {**tree, step: below}


def _render(
    configuration: Configuration,
    instance: Instance,
    image: Image,
    settings: Settings,
    compiled: Compiled,
) -> tuple[Rendered, ...]:
    from bootstrap.render.rendering import render

    return render(
        configuration.files,
        context_of(configuration, instance),
        _templates(image),
        max_bytes=settings.render.max_bytes,
        seconds=settings.render.timeout,
        compiled=compiled,
    )


def context_of(configuration: Configuration, instance: Instance) -> dict[str, Any]:
    """What templates see."""
    return {
        "values": configuration.values,
        "secrets": {},
        "instance": instance.raw,
        "tags": dict(instance.tags or ()),
        "environment": configuration.environment,
    }


def _templates(image: Image) -> dict[str, Template]:
    """The image's templates by name, and those that ship where the image has none of that name."""
    from bootstrap.render.rendered import Template

    found = {**shipped_templates(), **image.templates}
    return {name: Template(path, decode(path, content)) for name, (path, content) in found.items()}


def _unordered(value: Any) -> Any:
    """The value with each list in an order of its own, whatever order it came in."""
    if isinstance(value, dict):
        return {key: _unordered(member) for key, member in value.items()}
    if isinstance(value, list):
        return sorted(map(_unordered, value), key=lambda one: json.dumps(one, sort_keys=True))
    return value
