"""Credentials that only this machine can read, made by `systemd-creds encrypt`."""

from __future__ import annotations

from bootstrap.errors import CommandFailed, Public
from bootstrap.frozen import replace
from bootstrap.fs import read
from bootstrap.fs.path import resolve
from bootstrap.process import runner
from bootstrap.state.manifest import has_content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bootstrap.render.rendered import Rendered
    from bootstrap.state.manifest import Written

PROGRAM = "systemd-creds"
MAX_CREDENTIAL = 1 << 20  # bytes: systemd's own limit for all credentials of a unit
HINT = Public("it comes with systemd 250 and later; `credential: plain` does without")


class Sealer:
    """Seals the credentials of one run.

    Each sealing of the same content gives other bytes, so what the records in `written` say was
    made of the same secret, and still has its content below `root`, is used again. With `dry`
    nothing is sealed and the content stands for what it would be. `timeout` is in seconds.
    """

    def __init__(
        self, root: str, written: Mapping[str, Written], *, timeout: float, dry: bool = False
    ) -> None:
        self._root = root
        self._written = written
        self._timeout = timeout
        self._dry = dry

    def encrypt(self, contents: Iterable[Rendered]) -> tuple[Rendered, ...]:
        """Return the contents, each that has a `source` encrypted. Raises CommandFailed."""
        return tuple(
            replace(one, content=self._encrypt(one.spec.path, one.source, one.content))
            if one.source
            else one
            for one in contents
        )

    def _encrypt(self, path: str, source: str, content: bytes) -> bytes:
        name = path.rpartition("/")[2]
        before = self._written.get(path)
        if before and before.source == source and has_content(before, root=self._root):
            kept = read.read(resolve(path, self._root), MAX_CREDENTIAL)
            if kept is not None:
                return kept
        if not runner.exists(PROGRAM):
            message = f"sealing the credential {name}: there is no {PROGRAM}"
            raise CommandFailed(Public(message), hint=HINT)
        if self._dry:
            return content
        command = [PROGRAM, "encrypt", f"--name={name}", "-", "-"]
        ended, sealed = runner.run_filter(command, content, timeout=self._timeout)
        if ended.failure:
            message = f"sealing the credential {name}: {PROGRAM} {ended.failure}"
            raise CommandFailed(Public(message))
        return sealed
