"""Print one rendered file as this machine would get it; values marked as secret show as ***.

PATH is the file's path in the configuration, such as /etc/shop/shop.toml. With --offline the whole
configuration comes from a saved instance document, so a template can be tried on a laptop.
"""

from __future__ import annotations

import sys

from bootstrap.cli.options import add_offline, context_of
from bootstrap.errors import NoSuchValue, nearest
from bootstrap.frozen import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `render`."""
    parser.add_argument("path", metavar="PATH")
    add_offline(parser)


def run(options: argparse.Namespace) -> int:
    """Print the file's content and nothing else."""
    from bootstrap.config.masking import mask_values
    from bootstrap.render.contents import render_files
    from bootstrap.stages import config
    from bootstrap.stages.imds import observe

    context = context_of(options)
    settings, instance = observe(context, offline=options.offline)
    image = context.read_image(settings)
    configuration = mask_values(config.resolve(instance, image, settings).require_valid())
    wanted = [spec for spec in configuration.files if spec.path == options.path]
    if not wanted:
        paths = [spec.path for spec in configuration.files]
        close = nearest(options.path, paths)
        hint = f"did you mean {close}?" if close else f"its files are {', '.join(paths) or 'none'}"
        raise NoSuchValue(f"the configuration has no file {options.path}", hint=hint)
    alone = replace(configuration, files=tuple(wanted))
    contents = render_files(alone, instance, image, settings)
    if not contents:
        raise NoSuchValue(
            f"{options.path} cannot be shown: its template takes a secret apart into several",
            hint="imds-bootstrap run makes it; nothing but the file itself will show it",
        )
    for rendered in contents:
        sys.stdout.buffer.write(rendered.content)
    return 0
