"""One run at a time: a lock that ends with the process that holds it, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress

from bootstrap.apply import durable
from bootstrap.apply.place import resolve
from bootstrap.errors import LockHeld, NotPermitted, WriteError
from bootstrap.state import paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

GLANCE = 0.1  # seconds between two tries
PID_AT_MOST = 32  # bytes of the file that are read
FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


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
                    f"another run ({self._holder()}) is at work",
                    hint="wait for it to end; its lock ends with it, even if it is killed",
                )
            self._sleep(min(left, GLANCE))

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
            descriptor = self._open()
        except PermissionError as error:
            raise NotPermitted(
                f"opening the lock {paths.LOCK}: {error.strerror}", hint="run it as root"
            ) from error
        except OSError as error:
            raise WriteError(f"opening the lock {paths.LOCK}: {error.strerror}") from error
        if not self._seize(descriptor):
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        with suppress(OSError):  # the name is for people: a full /run stops no boot
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return True

    def _open(self) -> int:
        durable.make_folders(paths.RUNTIME, paths.PUBLIC_FOLDER, root=self._root)
        return os.open(self._path(), FLAGS, paths.PRIVATE_FILE)

    def _path(self) -> str:
        return resolve(paths.LOCK, self._root).path

    def _seize(self, descriptor: int) -> bool:
        """Take the lock, if it is free and still the one that others will find by its name."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return os.path.samestat(os.fstat(descriptor), os.stat(self._path()))
        except (BlockingIOError, FileNotFoundError):
            return False

    def _holder(self) -> str:
        try:
            with open(self._path(), "rb") as file:
                pid = file.read(PID_AT_MOST).strip()
        except OSError:
            pid = b""
        return f"process {int(pid)}" if pid.isdigit() else "an unknown process"
