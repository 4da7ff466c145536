"""Check a document before it is deployed: every mistake at once, each underlined in its place.

FILE is a userData document, plain or in any form that userData may have (gzip, base64, MIME), or
an image document with --image. `-` reads standard input. Nothing is asked and nothing is written.

A warning is about what is valid and hardly meant; it does not change the exit code.

Exit code: 0 it is valid; 1 it is not; 66 there is no such file.
"""

from __future__ import annotations

import json
import os
import sys

from bootstrap.cli.options import columns_of, machine_of, print_json, use_color
from bootstrap.errors import InvalidDocument, MissingInput, NotPermitted, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from bootstrap.source import Source


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `validate` may be told."""
    parser.add_argument("file", metavar="FILE")
    parser.add_argument(
        "--image", action="store_true", help="it is a document of the image, which may say more"
    )
    parser.add_argument(
        "--schema", metavar="FILE", help="the JSON Schema of values (default: the image's, if any)"
    )


def run(options: argparse.Namespace) -> int:
    """Print what is wrong with the document."""
    warnings: list[Problem] = []
    problems = _problems(options, warnings)
    if options.format == "json":
        told = {"problems": problems, "warnings": warnings}
        lists = {name: [one.as_dict() for one in found] for name, found in told.items()}
        print_json({"valid": not problems, **lists})
        return int(bool(problems))
    for one in warnings:
        one.message = f"warning: {one.message}"
    from bootstrap.report.diagnostic import describe_problems

    color = use_color(options.color, sys.stdout)
    columns = columns_of(sys.stdout)
    sys.stdout.write(describe_problems((*problems, *warnings), color=color, columns=columns))
    found = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    sys.stdout.write(f"{options.file}: {found if problems else 'valid'}\n")
    return int(bool(problems))


def _problems(options: argparse.Namespace, warnings: list[Problem]) -> Sequence[Problem]:
    from bootstrap import observation, shipped
    from bootstrap.config.references import VaultRules
    from bootstrap.config.resolve import validate

    machine = machine_of(options)
    settings = observation.settings_of(machine)
    schema = _values_schema(
        options.schema or os.path.join(machine.root, settings.values_schema.lstrip("/")),
        required=bool(options.schema),
    )
    content = _read(options.file)
    try:
        return validate(
            _image_text(content, options.file) if options.image else _text(content),
            options.file,
            document_schema=json.loads(shipped.read("schema/document.schema.json")),
            values_schema=schema,
            trust=None if options.image else settings.user_data,
            vaults=VaultRules(allow=settings.vaults.allow),
            doubt=warnings.append,
        )
    except InvalidDocument as error:
        return error.problems or (Problem(error.message, where=options.file, hint=error.hint),)


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
    """The text of a userData, unwrapped as it would be on the machine."""
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
    from bootstrap.decision import read_schema

    if not required and not os.path.lexists(path):
        return None
    return read_schema(path, _read(path))
