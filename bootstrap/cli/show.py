"""Show what this agent knows.

instance: the machine's metadata, as IMDS gave it; its JSON can be saved for --offline.
tags: the machine's tags.
config: the merged configuration; with --origin where each value comes from.
settings: the agent's settings; with --origin where each comes from.
secrets: where the secrets lie that the configuration uses (vault/name/version), never their values.
"""

from __future__ import annotations

import json
import sys

from bootstrap.cli.options import add_offline, add_patience, context_of, print_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from typing import Any

    from bootstrap.config.model import Configuration, FileSpec
    from bootstrap.document import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `show`."""
    parser.add_argument("what", choices=("instance", "tags", "config", "settings", "secrets"))
    parser.add_argument("--origin", action="store_true", help="say where each value comes from")
    add_patience(parser)
    add_offline(parser)


def run(options: argparse.Namespace) -> int:
    """Print what was asked for."""
    from bootstrap.stages import config
    from bootstrap.stages.imds import observe

    context = context_of(options)
    if options.what == "settings":
        _show_settings(options)
        return 0
    settings, instance = observe(context, offline=options.offline, deadline=options.deadline)
    if options.what == "instance":
        print_json(instance.raw)
    elif options.what == "tags":
        _show_flat(dict(instance.tags or ()), {}, options)
    else:
        image = context.read_image(settings)
        configuration = config.resolve(instance, image, settings).require_valid()
        _show_configuration(configuration, options)
    return 0


def _show_settings(options: argparse.Namespace) -> None:
    from bootstrap.settings.load import value_of
    from bootstrap.settings.table import rows

    settings = context_of(options).load_settings()
    values = {row.name: value_of(settings, row.name) for row in rows()}
    _show_flat(values, {name: settings.origins.get(name, "default") for name in values}, options)


def _show_configuration(configuration: Configuration, options: argparse.Namespace) -> None:
    from bootstrap.config.masking import mask_values

    if options.what == "secrets":
        _show_secrets(configuration, options)
        return
    seen = mask_values(configuration)
    tree = {
        "environment": seen.environment,
        "values": seen.values,
        "files": [_file(spec) for spec in seen.files],
        "handlers": {name: list(command) for name, command in seen.handlers.items()},
    }
    if options.format == "json":
        origins = {_name(path): origin for path, origin in seen.origins.items()}
        print_json(tree | ({"origins": origins} if options.origin else {}))
    elif options.origin:
        _show_flat(*_flat(tree, seen), options)
    else:
        from bootstrap.document import dump

        sys.stdout.write(dump(tree))


def _show_secrets(configuration: Configuration, options: argparse.Namespace) -> None:
    """Print where each secret is: vault, name, and the version if it is a fixed one."""
    from bootstrap.keyvault.resolve import references

    places, origins = {}, {}
    for path, one in references(configuration).items():
        name = _name(path[1:] if path[0] == "secrets" else path)
        places[name] = "/".join(filter(None, (one.vault, one.name, one.version)))
        origins[name] = one.origin
    _show_flat(places, origins, options)


def _show_flat(
    values: dict[str, Any], origins: dict[str, str], options: argparse.Namespace
) -> None:
    """Print a line `name = value` for each value, with its origin if asked for; or all as JSON."""
    if options.format == "json":
        print_json({"values": values, "origins": origins} if options.origin else values)
        return
    lines = [(f"{name} = {_text(value)}", origins.get(name, "")) for name, value in values.items()]
    width = max((len(line) for line, _ in lines), default=0)
    for line, origin in lines:
        text = f"{line:<{width}}  # {origin}" if options.origin and origin else line
        sys.stdout.write(f"{text}\n")


def _flat(
    tree: dict[str, Any], configuration: Configuration
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the leaves of the configuration by their dotted paths, and their origins."""
    origins = {_name(path): origin for path, origin in configuration.origins.items()}
    leaves = {_name(path): value for path, value in _leaves(tree)}
    return leaves, {name: _nearest_origin(name, origins) for name in leaves}


def _leaves(tree: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(tree, dict) and tree:
        for key, value in tree.items():
            yield from _leaves(value, (*path, key))
    elif isinstance(tree, list) and any(isinstance(one, dict) for one in tree):
        for index, value in enumerate(tree):
            yield from _leaves(value, (*path, index))
    else:
        yield path, tree


def _nearest_origin(name: str, origins: dict[str, str]) -> str:
    return origins.get(name) or origins.get(f"{name}[0]") or "default"


def _file(spec: FileSpec) -> dict[str, Any]:
    """Return a file as a document would declare it, without the defaults."""
    keys = ("template", "content", "owner", "group", "when", "symlink", "in_place", "backup")
    usual = type(spec)(path=spec.path)
    options = {key: getattr(spec, key) for key in keys if getattr(spec, key) != getattr(usual, key)}
    commands = {key: list(getattr(spec, key)) for key in ("check", "notify") if getattr(spec, key)}
    mode = {} if spec.mode is None else {"mode": f"{spec.mode:04o}"}
    return {"path": spec.path, **mode, **options, **commands}


def _name(path: Path) -> str:
    from bootstrap.document import format_path

    return format_path(path)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
