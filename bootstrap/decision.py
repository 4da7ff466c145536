"""What this machine shall look like: its instance and its image, to the contents of files."""

from __future__ import annotations

import json
from hashlib import sha256

from bootstrap import __version__
from bootstrap.errors import ImageError, InvalidDocument, MetadataRefused, Public, RenderError
from bootstrap.frozen import replace
from bootstrap.image import DOCUMENT_FOLDER, decode, shipped_templates

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from bootstrap.config.keyvault_references import VaultRules
    from bootstrap.config.model import Configuration, FileSpec
    from bootstrap.config.resolve import Resolution
    from bootstrap.config.template_policy import TemplateOffer
    from bootstrap.credentials import Seal
    from bootstrap.disclosure import Disclosed
    from bootstrap.document import Path, Source
    from bootstrap.image import Image
    from bootstrap.imds.instance import Instance
    from bootstrap.render.environment import Compiled
    from bootstrap.render.rendered import Rendered, Template
    from bootstrap.settings import Settings


def fingerprint(instance: Instance, image: Image, settings: Settings) -> str:
    """A digest of everything that a run is made from; equal means that nothing can differ.

    The whole instance counts, for templates may use any of it, but not the order of its lists,
    which IMDS does not promise.
    """
    whole = [__version__, _unordered(instance.raw), image.digest, settings.digest]
    return sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def decide(instance: Instance, image: Image, settings: Settings) -> Configuration:
    """The validated configuration of the layers: image, environment, userData, tags.

    Raises InvalidDocument with every finding, MissingInput or ImageError.
    """
    return _resolve(instance, image, settings).sound()


def decide_and_render(
    instance: Instance,
    image: Image,
    settings: Settings,
    disclose: Callable[[Configuration], Disclosed],
    seal: Seal,
) -> tuple[Configuration, tuple[Rendered, ...]]:
    """The configuration and the contents of its files; all mistakes of both in one error.

    Templates are tried even when a document is not valid, as far as its values are beyond doubt:
    nobody has to mend one mistake to be told of the next. `disclose` fetches the secrets of a
    configuration that is sound, `seal` encrypts those that are wanted sealed. Raises what they
    raise, what `decide` and `render_all` do, and InvalidDocument where userData opens a secret.
    """
    from bootstrap.credentials import credentials

    resolution = _resolve(instance, image, settings)
    if resolution.error and resolution.configuration:
        try:
            render_all(resolution.configuration, instance, image, settings)
        except RenderError as error:
            raise InvalidDocument(
                f"{resolution.error.message}, and {error.message}",
                problems=resolution.error.problems + error.problems,
                public=Public(f"{resolution.error.public}, and {error.public}"),
            ) from None
    configuration = resolution.sound()
    disclosed = disclose(configuration)
    if resolution.schema and configuration.value_secrets:
        disclosed.check(configuration, resolution.schema)
    contents = render_all(configuration, instance, image, settings, disclosed)
    contents += tuple(credentials(configuration, disclosed, seal))
    notes = (*configuration.notes, *disclosed.notes, *_nothing_asked(contents))
    notes += _exposed(contents)
    return replace(configuration, notes=notes), contents


def _exposed(contents: tuple[Rendered, ...]) -> tuple[str, ...]:
    """Words for each file with a secret that the image opens to others than its owner.

    Raises InvalidDocument for those that userData opens.
    """
    from bootstrap.config import exposure

    secret = [one.spec for one in contents if one.secret]
    if problems := list(filter(None, map(exposure.refusal, secret))):
        raise InvalidDocument("userData opens files that hold a secret", problems=problems)
    return tuple(filter(None, map(exposure.warning, secret)))


def _nothing_asked(contents: tuple[Rendered, ...]) -> tuple[str, ...]:
    if contents:
        return ()
    nobody = f"neither documents in {DOCUMENT_FOLDER} nor userData name one"
    return (Public(f"no file is asked for: {nobody}"),)


def _resolve(instance: Instance, image: Image, settings: Settings) -> Resolution:
    from bootstrap import resources
    from bootstrap.config.resolve import resolve

    schema = image.values_schema
    return resolve(
        documents=[(name, decode(name, content)) for name, content in image.documents],
        user_data=instance.user_data or "",
        tags=instance.tags or (),
        user_data_trust=settings.user_data,
        tag_rules=settings.tags,
        document_schema=json.loads(resources.read("schema/document.schema.json")),
        values_schema=read_schema(*schema) if schema else None,
        templates=template_offer(settings, image.templates),
        vaults=_vault_rules(instance, settings),
    )


def template_offer(settings: Settings, own: Collection[str] | None) -> TemplateOffer:
    """Return the templates that userData may use, where the image has its `own`.

    `own` is None where the image is not here to be asked.
    """
    from bootstrap.config.template_policy import TemplateOffer

    return TemplateOffer(
        patterns=settings.user_data.templates,
        own=None if own is None else frozenset(own),
        resources=frozenset(shipped_templates()),
    )


def _vault_rules(instance: Instance, settings: Settings) -> VaultRules:
    """The vaults that documents may name: of a cloud that is not known, those of the settings."""
    from bootstrap.config.keyvault_references import VaultRules
    from bootstrap.imds.clouds import cloud_of

    try:
        suffixes: tuple[str, ...] = (cloud_of(instance.cloud).vault_suffix,)
    except MetadataRefused:
        suffixes = ()
    return VaultRules(allow=settings.vaults.allow, suffixes=suffixes)


def read_schema(name: str, content: bytes) -> Source:
    """A JSON Schema for values, from its file; raises ImageError when it is no JSON and no YAML."""
    from bootstrap.document import parse

    try:
        return parse(decode(name, content), name)
    except InvalidDocument as error:
        raise ImageError(
            Public("the image's schema for values cannot be read"), problems=error.problems
        ) from None


def render_all(
    configuration: Configuration,
    instance: Instance,
    image: Image,
    settings: Settings,
    disclosed: Disclosed | None = None,
) -> tuple[Rendered, ...]:
    """The contents of all files, in memory. Raises RenderError with every finding.

    Without `disclosed`, secrets are masked, and a file that cannot be made of masks is left out. A
    file that would read differently if the hidden values were others holds a secret: it is known by
    rendering each file once more with the values masked. An empty text is none: a key that is not
    set yet makes no file a secret one.
    """
    from bootstrap.disclosure import veiled
    from bootstrap.render.environment import Compiled

    told = disclosed or veiled(configuration)
    compiled = Compiled()
    contents = _render(
        told.fill(configuration),
        instance,
        image,
        settings,
        disclosed=told,
        compiled=compiled,
        masked=disclosed is None,
    )
    if not configuration.hidden:
        return contents
    veil = masked(configuration, also_empty=False)

    def veiled_contents(*files: FileSpec) -> dict[str, bytes]:
        """What the files would hold; nothing for one in which a mask does not fit."""
        alone = replace(veil, files=files)
        try:
            made = _render(alone, instance, image, settings, disclosed=told, compiled=compiled)
        except RenderError:
            one_by_one = map(veiled_contents, files) if len(files) > 1 else ()
            return {path: content for one in one_by_one for path, content in one.items()}
        return {one.spec.path: one.content for one in made}

    others = veiled_contents(*(one.spec for one in contents))
    return tuple(
        replace(one, secret=one.secret or others.get(one.spec.path) != one.content)
        for one in contents
    )


def masked(configuration: Configuration, *, also_empty: bool = True) -> Configuration:
    """The configuration with every hidden value replaced by `***`, an empty text only if asked."""
    from bootstrap.disclosure import replaced
    from bootstrap.secret import MASK

    values: Any = configuration.values
    for path in sorted(configuration.hidden, key=len, reverse=True):
        if also_empty or _at(configuration.values, path[1:]) != "":
            values = replaced(values, path[1:], MASK)
    return replace(configuration, values=values)


def _at(tree: Any, path: Path) -> Any:
    for step in path:
        tree = tree[step]
    return tree


def _render(
    configuration: Configuration,
    instance: Instance,
    image: Image,
    settings: Settings,
    *,
    disclosed: Disclosed,
    compiled: Compiled,
    masked: bool = False,
) -> tuple[Rendered, ...]:
    from bootstrap.render.rendering import render

    return render(
        configuration.files,
        {**context_of(configuration, instance), "secrets": disclosed.by_name},
        _templates(image),
        max_bytes=settings.render.max_bytes,
        seconds=settings.render.timeout,
        compiled=compiled,
        masked=masked,
        folders=settings.templates,
    )


def context_of(configuration: Configuration, instance: Instance) -> dict[str, Any]:
    """What templates see, but for secrets."""
    from bootstrap.imds.tags import TagNames

    return {
        "values": configuration.values,
        "instance": instance.raw,
        "tags": TagNames(instance.tags or ()),
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
