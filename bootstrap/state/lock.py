"""One run at a time: a lock that ends with the process that holds it, however it ends."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from bootstrap import ELEVATE, RUNTIME
from bootstrap.errors import LockHeld, NotPermitted, Public, WriteError
from bootstrap.fs import atomic, write
from bootstrap.fs.path import resolve
from bootstrap.state import paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

POLL_INTERVAL = 0.1  # seconds between two tries
MAX_PID = 32  # bytes of the file that are read


class Lock:
    """The lock of the machine below `root`, held inside a `with` statement.

    It waits for another run for at most `wait` seconds, then raises LockHeld with the process
    id of the holder. Only root can open the file, so nobody else can hold it; it is closed in
    commands that are started meanwhile, so none of them, nor what they leave behind, keeps it.
    Raises NotPermitted or WriteError when it cannot be opened.
    """

    def __init__(
        self,
        *,
        root: str = "/",
        wait: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._root = root
        self._wait = wait
        self._clock = clock
        self._sleep = sleep
        self._descriptor = -1

    def __enter__(self) -> None:
        deadline = self._clock() + self._wait
        while not self._try():
            left = deadline - self._clock()
            if left <= 0:
                raise LockHeld(
                    Public(f"another run ({self._holder()}) is at work"),
                    hint=Public("wait for it to end; its lock ends with it, even if it is killed"),
                )
            self._sleep(min(left, POLL_INTERVAL))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)
        self._descriptor = -1

    def _try(self) -> bool:
        try:
            atomic.make_folders(RUNTIME, paths.PUBLIC_FOLDER, root=self._root)
            place = resolve(paths.LOCK, self._root)
            descriptor = write.try_lock(place, paths.PRIVATE_FILE)
        except PermissionError as error:
            raise NotPermitted(
                Public(f"opening the lock {paths.LOCK}: {error.strerror}"), hint=ELEVATE
            ) from error
        except OSError as error:
            message = Public(f"opening the lock {paths.LOCK}: {error.strerror}")
            raise WriteError(message) from error
        if descriptor is None:
            return False
        self._descriptor = descriptor
        with suppress(OSError):  # the name is for people: a full /run stops no boot
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, f"{os.getpid()}\n".encode())
        return True

    def _holder(self) -> str:
        try:
            with open(resolve(paths.LOCK, self._root).path, "rb") as file:
                pid = file.read(MAX_PID).strip()
        except OSError:
            pid = b""
        return f"process {int(pid)}" if pid.isdigit() else "an unknown process"
