"""Check a document before it is deployed: every mistake at once, each underlined in its place.

FILE is a userData document, plain or in any form that userData may have (gzip, base64, MIME), or
an image document with --image. `-` reads standard input. Nothing is asked and nothing is written.

A warning is about what is valid and hardly meant; it does not change the exit code. With --image
it also tells where a template prints, without a filter, what tags and userData may set to any text.
The templates and the schema are those of the image around a FILE in config.d, else those of --root.

Exit code: 0 it is valid; 1 it is not; 66 there is no such file.
"""

from __future__ import annotations

import json
import os
import sys

from bootstrap.cli.options import columns_of, context_of, print_json, use_color
from bootstrap.errors import ImageError, InvalidDocument, MissingInput, NotPermitted, Problem
from bootstrap.frozen import Frozen
from bootstrap.fs.root import resolve_in_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from bootstrap.document import Source
    from bootstrap.settings import UserDataSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `validate`."""
    parser.add_argument("file", metavar="FILE")
    parser.add_argument(
        "--image", action="store_true", help="it is a document of the image, which may say more"
    )
    parser.add_argument(
        "--schema", metavar="FILE", help="the JSON Schema of values (default: the image's, if any)"
    )


class Verdict(Frozen):
    """The result for a document; `unchecked` is a text about values that could not be checked."""

    problems: Sequence[Problem]
    warnings: Sequence[Problem] = ()
    unchecked: str = ""


def run(options: argparse.Namespace) -> int:
    """Print what is wrong with the document."""
    verdict = _judge(options)
    problems, warnings = verdict.problems, verdict.warnings
    if options.format == "json":
        findings = {"problems": problems, "warnings": warnings}
        lists = {name: [one.as_dict() for one in found] for name, found in findings.items()}
        print_json({"valid": not problems, "values_checked": not verdict.unchecked, **lists})
        return int(bool(problems))
    for one in warnings:
        one.message = f"warning: {one.message}"
    from bootstrap.report.diagnostic import describe_problems

    color = use_color(options.color, sys.stdout)
    columns = columns_of(sys.stdout)
    sys.stdout.write(describe_problems((*problems, *warnings), color=color, columns=columns))
    found = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    sys.stdout.write(f"{options.file}: {found if problems else 'valid'}{verdict.unchecked}\n")
    return int(bool(problems))


def _judge(options: argparse.Namespace) -> Verdict:
    from bootstrap import resources
    from bootstrap.apply.plan.unsafe_links import unsafe_links
    from bootstrap.config.keyvault_references import VaultRules
    from bootstrap.config.resolve import validate
    from bootstrap.document import parse
    from bootstrap.stages.config import template_offer

    context = context_of(options)
    settings = context.load_settings()
    beside = _beside(options) if options.image else None
    own = _own_templates(context.root, settings.templates, beside)
    path = options.schema or resolve_in_root(settings.values_schema, context.root)
    if beside and not options.schema and os.path.lexists(f"{beside}/values.schema.json"):
        path = f"{beside}/values.schema.json"
    schema = _values_schema(path, required=bool(options.schema))
    content = _read(options.file)
    rules = json.loads(resources.read("schema/document.schema.json"))

    def problems(trust: UserDataSettings | None, on_warning: list[Problem]) -> tuple[Problem, ...]:
        return validate(
            text,
            options.file,
            document_schema=rules,
            values_schema=schema,
            trust=trust,
            vaults=VaultRules(allow=settings.vaults.allow),
            templates=template_offer(settings, own),
            on_warning=on_warning.append,
        )

    warnings: list[Problem] = []
    try:
        text = _image_text(content, options.file) if options.image else _text(content)
        data = _data(text, options.file)
        if _is_settings(data, rules):
            return Verdict(problems=(_settings_problem(options.file),))
        unchecked = "" if schema or not _has_values(data) else _unchecked(path)
        found = problems(None if options.image else settings.user_data, warnings)
        if found and not options.image:
            _ask_whose(found, problems(None, []))
        if options.image:
            warnings += _printed_unfiltered(own or {}, data, options.file, schema)
            warnings += unsafe_links(parse(text, options.file), context.root)
    except InvalidDocument as error:
        itself = Problem(error.message, where=options.file, hint=error.hint)
        return Verdict(problems=error.problems or (itself,))
    return Verdict(problems=found, warnings=warnings, unchecked=unchecked)


def _beside(options: argparse.Namespace) -> str | None:
    """Return the folder of an image that holds FILE as its config.d/NAME; else None."""
    folder, parent = os.path.split(os.path.dirname(os.path.abspath(options.file)))
    there = any(os.path.lexists(f"{folder}/{name}") for name in ("templates", "values.schema.json"))
    return folder if parent == "config.d" and there else None


def _own_templates(
    root: str, folders: Sequence[str], beside: str | None
) -> Mapping[str, tuple[str, bytes]] | None:
    """Return the image's own templates, like `Image.templates`; None if there is no image."""
    from bootstrap.image import read_templates
    from bootstrap.layout import CONFIGURATION

    try:
        installed = resolve_in_root(CONFIGURATION, root)
        if beside and os.path.realpath(beside) != os.path.realpath(installed):
            return read_templates("/", [os.path.abspath(f"{beside}/templates")])
        return read_templates(root, folders) if os.path.isdir(installed) else None
    except (ImageError, NotPermitted, OSError):
        return None


def _printed_unfiltered(
    own: Mapping[str, tuple[str, bytes]], data: Mapping[str, Any], name: str, schema: Source | None
) -> Iterator[Problem]:
    """Yield each position where a template, or a content of this document, prints any text.

    The text comes from tags and userData, without a filter.
    """
    from bootstrap.config.schema.lookup import Shape
    from bootstrap.render.rendered import Template
    from bootstrap.render.unfiltered import unfiltered

    templates = [Template(path, content.decode(errors="replace")) for path, content in own.values()]
    environments = data.get("environments")
    for part in (data, *(environments.values() if isinstance(environments, dict) else ())):
        files = part.get("files") if isinstance(part, dict) else None
        templates += [
            Template(f"{name} content of {entry.get('path')}", entry["content"])
            for entry in (files if isinstance(files, list) else ())
            if isinstance(entry, dict) and isinstance(entry.get("content"), str)
        ]
    yield from unfiltered(templates, Shape(schema.data if schema else {}))


def _data(text: str, name: str) -> dict[str, Any]:
    """Return the mapping in a text; an empty one if it holds something else or is invalid."""
    from bootstrap.document import parse

    try:
        data = parse(text, name).data
    except InvalidDocument:  # `validate` reports it with all other problems
        return {}
    return data if isinstance(data, dict) else {}


def _is_settings(data: Mapping[str, Any], rules: Mapping[str, Any]) -> bool:
    """Return whether this is an agent.yaml: it has a setting's key, and none of a document's."""
    from bootstrap.settings.table import rows

    known = {row.name.partition(".")[0] for row in rows()}
    return bool(known & {key.partition(".")[0] for key in data}) and not (
        data.keys() & rules["properties"].keys()
    )


def _settings_problem(name: str) -> Problem:
    hint = f"to check settings: imds-bootstrap --settings {name} show settings"
    return Problem("these are the agent's settings, not a document", where=name, hint=hint)


def _has_values(data: Mapping[str, Any]) -> bool:
    environments = data.get("environments")
    entries = environments.values() if isinstance(environments, dict) else ()
    return any(isinstance(one, dict) and "values" in one for one in (data, *entries))


def _unchecked(path: str) -> str:
    return f"; its values were not checked: there is no {path}, and no --schema"


def _ask_whose(found: Sequence[Problem], of_image: Sequence[Problem]) -> None:
    """Add to each problem that a document of the image does not have the hint to try --image.

    For a document of the image, to allow more to all userData is the wrong fix.
    """
    remaining = {(one.where, one.message) for one in of_image}
    for one in found:
        if (one.where, one.message) not in remaining:
            whose = "is this a document of the image? then add --image"
            one.hint = f"{whose}; else {one.hint}" if one.hint else whose


def _read(path: str) -> bytes:
    try:
        if path == "-":
            return sys.stdin.buffer.read()
        with open(path, "rb") as file:
            return file.read()
    except PermissionError as error:
        doing = f"reading {path}: {error.strerror}"
        raise NotPermitted(doing, hint="run it as a user who may read the file") from error
    except OSError as error:
        raise MissingInput(f"reading {path}: {error.strerror}") from error


def _image_text(content: bytes, name: str) -> str:
    from bootstrap.image import decode

    return decode(name, content)


def _text(content: bytes) -> str:
    """Return the text of a userData, decoded as on the machine."""
    from base64 import b64encode

    from bootstrap.config.userdata import decode

    found = decode(b64encode(content).decode())
    if found.kind != "document":
        raise MissingInput(
            f"this is not a document for imds-bootstrap: it holds {found.what}",
            hint="a document is YAML that begins with #imds-bootstrap and version: 1",
        )
    return found.text


def _values_schema(path: str, *, required: bool) -> Source | None:
    from bootstrap.image import parse_schema

    if not required and not os.path.lexists(path):
        return None
    return parse_schema(path, _read(path))
