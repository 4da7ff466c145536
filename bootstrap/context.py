"""The machine that a command works on, and the clock it works by."""

from __future__ import annotations

import os
import time

from bootstrap.frozen import Frozen, field
from bootstrap.image import read_image
from bootstrap.report.log import Log
from bootstrap.settings.load import load
from bootstrap.state import store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bootstrap.image import Image
    from bootstrap.settings import Settings


class Context(Frozen):
    """What every command gets: the root of the file system, the clocks, and the settings' sources.

    `clock` gives monotonic seconds, `now` seconds since 1970, `sleep` waits for seconds; tests
    hand in their own.
    """

    root: str = "/"
    settings_file: str | None = None
    assignments: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    log: Log = field(default_factory=Log)
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def load_settings(self) -> Settings:
        """Return the settings; those of the last run where their sources have not changed."""
        return load(
            root=self.root,
            file=self.settings_file,
            environ=self.environ,
            assignments=self.assignments,
            remembered=store.remembered_settings(root=self.root),
        )

    def read_image(self, settings: Settings) -> Image:
        """Return the image's documents, templates and schema, from where the settings say."""
        return read_image(
            self.root, templates=settings.templates, values_schema=settings.values_schema
        )
