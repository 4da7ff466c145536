"""All steps from image documents, userData and tags to one validated configuration."""

from __future__ import annotations

from contextlib import suppress

from bootstrap.config import files, keyvault_references, layers, template_policy, userdata
from bootstrap.config.collector import Collector
from bootstrap.config.keyvault_references import VaultRules
from bootstrap.config.model import Configuration
from bootstrap.config.schema.values import ValuesSchema
from bootstrap.config.tags import VALUES, TagLayer
from bootstrap.errors import InvalidDocument, MissingInput, Public
from bootstrap.settings import UserDataSettings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from bootstrap.config.documents import Document
    from bootstrap.config.layers import Merged
    from bootstrap.config.model import FileSpec, SecretReference
    from bootstrap.config.provenance import Part
    from bootstrap.config.schema.lookup import Shape
    from bootstrap.config.template_policy import TemplateOffer
    from bootstrap.document import Path, Source
    from bootstrap.errors import Problem
    from bootstrap.settings import TagSettings


class Resolution:
    """The configuration, and what is wrong with it.

    `error` holds every problem of every layer; None if there are none. With an error the
    configuration must not be applied. It then holds what could be understood, so that the same run
    can find more mistakes, and is None if the values themselves are in doubt. `schema` is the
    image's.
    """

    __slots__ = ("configuration", "error", "schema")

    def __init__(
        self,
        *,
        configuration: Configuration | None,
        error: InvalidDocument | None,
        schema: ValuesSchema | None = None,
    ) -> None:
        self.configuration = configuration
        self.error = error
        self.schema = schema

    def require_valid(self) -> Configuration:
        """Return the configuration; raises InvalidDocument if anything is wrong."""
        if self.error or self.configuration is None:
            raise self.error or InvalidDocument(Public("the configuration is not valid"))
        return self.configuration


ANY_VAULT = VaultRules()
MISSING_HINT = Public("set userData, or turn user_data.required off in the image's agent.yaml")


def resolve(
    *,
    documents: Sequence[tuple[str, str]],
    user_data: str,
    tags: Sequence[tuple[str, str]],
    user_data_trust: UserDataSettings,
    tag_rules: TagSettings,
    document_schema: Mapping[str, Any],
    values_schema: Source | None,
    templates: TemplateOffer,
    vaults: VaultRules = ANY_VAULT,
) -> Resolution:
    """Return what all layers together ask for.

    `documents` are the image's, as names and texts, in the order in which they apply. `user_data`
    is base64 as IMDS gives it. `tags` are names and values. `default` in the image's schema is not
    applied: a value that no layer sets stays unset. `vaults` are the Key Vaults that may be named,
    `templates` the templates that the image offers to userData.

    Raises MissingInput if the settings require a userData that is missing, ImageError if the
    image's schema cannot be used.
    """
    collector = Collector(
        document_schema, ValuesSchema(values_schema) if values_schema else None, vaults
    )
    for name, text in documents:
        collector.read(text, name, "image", user_data_trust)
    notes = _read_user_data(collector, user_data, user_data_trust)
    for document in collector.documents:
        collector.problems += template_policy.check_document(document, templates)
    tag_layer = TagLayer(tags, tag_rules, collector.shape)
    merged = layers.merge(collector.documents, tag_layer)
    values = tag_layer.over(merged.sections.get("values"))
    collector.check_merged(merged, tag_layer)
    collector.check_values(values)
    error = collector.error()
    if collector.lacks_values():
        return Resolution(configuration=None, error=error)
    specs = _files(merged, collector.documents, user_data_trust, templates)
    configuration = _configuration(merged, values, specs, collector.shape, notes + merged.notes)
    return Resolution(configuration=configuration, error=error, schema=collector.values_schema)


def validate(
    text: str,
    name: str,
    *,
    document_schema: Mapping[str, Any],
    values_schema: Source | None = None,
    trust: UserDataSettings | None = None,
    vaults: VaultRules = ANY_VAULT,
    templates: TemplateOffer | None = None,
    on_warning: Callable[[Problem], object] = lambda _: None,
) -> tuple[Problem, ...]:
    """Return every problem of one document by itself, before it is deployed.

    With `trust` it is a userData, limited to what those settings allow and to the `templates` that
    the image offers. Without it, the document is the image's. What other layers may still add (a
    required value, a handler) is not reported as missing. `on_warning` is called with a problem for
    each thing that is valid but probably not meant. Raises ImageError if the image's schema cannot
    be used.
    """
    from bootstrap.config import exposure, systemd_lint  # a boot does not need them

    collector = Collector(
        document_schema, ValuesSchema(values_schema) if values_schema else None, vaults
    )
    collector.read(text, name, "userData" if trust else "image", trust or UserDataSettings())
    for document in collector.documents:
        for problem in (*systemd_lint.lint(document), *exposure.lint(document)):
            on_warning(problem)
        if templates:
            collector.problems += template_policy.check_document(document, templates)
            for problem in template_policy.lint(document, templates):
                on_warning(problem)
        paths: list[Path] = [("environments", entry) for entry in document.environments()]
        for path in [(), *paths]:
            part = document.part((*path, *VALUES))
            if part:
                collector.check_values(part, is_partial=True)
    return tuple(collector.sorted_problems())


def _read_user_data(
    collector: Collector, encoded: str, settings: UserDataSettings
) -> tuple[str, ...]:
    """Read userData as one more layer if it is ours; return the notes for the log if it is not.

    Raises MissingInput if the settings require a userData document and there is none.
    """
    try:
        decoded = userdata.decode(encoded)
    except InvalidDocument as error:
        collector.add_unreadable(userdata.NAME, error.problems)
        return ()
    if decoded.kind == "document":
        collector.read(decoded.text, userdata.NAME, "userData", settings)
        return ()
    if settings.required:
        message = Public(f"the settings require a userData document; userData holds {decoded.what}")
        raise MissingInput(message, hint=MISSING_HINT)
    if decoded.kind == "foreign":
        return (Public(f"userData holds {decoded.what}: left alone"),)
    return ()


def _files(
    merged: Merged, documents: Sequence[Document], trust: UserDataSettings, offer: TemplateOffer
) -> tuple[FileSpec, ...]:
    offered = offer.names
    return tuple(
        _file(path, entry, merged, trust, template_policy.may_include(entry, documents, offered))
        for path, entry in merged.files.items()
        if files.is_whole(entry)
    )


def _file(
    path: str, entry: Part, merged: Merged, trust: UserDataSettings, includes: frozenset[str] | None
) -> FileSpec:
    if path not in merged.of_user_data:
        return files.spec(entry, includes=includes)
    image = merged.of_image.get(path)
    return files.spec(entry, trust.paths, image, trusted=False, includes=includes)


def _configuration(
    merged: Merged,
    values: Part | None,
    specs: tuple[FileSpec, ...],
    shape: Shape,
    notes: tuple[str, ...],
) -> Configuration:
    data = values.to_plain() if values else {}
    handlers = merged.sections["handlers"].to_plain() if "handlers" in merged.sections else {}
    secrets = _value_secrets(values)
    return Configuration(
        environment=merged.environment,
        values=data,
        secrets=_secrets(merged.sections.get("secrets")),
        value_secrets=secrets,
        files=specs,
        handlers={name: tuple(command) for name, command in handlers.items()},
        origins=_origins(merged, values),
        hidden=frozenset((*VALUES, *path) for path in shape.hidden(data)).union(secrets),
        notes=notes,
    )


def _secrets(section: Part | None) -> dict[str, SecretReference]:
    entries = section.value if section else {}
    return {name: keyvault_references.from_entry(entry) for name, entry in entries.items()}


def _value_secrets(values: Part | None) -> dict[Path, SecretReference]:
    """Return the values that are references, by path.

    Those that cannot be parsed are left out: they are among the problems.
    """
    secrets = {}
    for path, part in keyvault_references.references(values) if values else ():
        with suppress(ValueError):
            secrets[(*VALUES, *path)] = keyvault_references.parse(
                part.value, str(part.origin), of_image=part.origin.layer == "image"
            )
    return secrets


def _origins(merged: Merged, values: Part | None) -> dict[Path, str]:
    origins: dict[Path, str] = {}
    if merged.environment_origin:
        origins[("environment",)] = str(merged.environment_origin)
    sections = {**merged.sections, "values": values}
    for name, part in sections.items():
        origins.update(part.origins((name,)) if part else ())
    for index, entry in enumerate(merged.files.values()):
        origins[("files", index)] = str(entry.origin)
        origins.update(entry.origins(("files", index)))
    return origins
