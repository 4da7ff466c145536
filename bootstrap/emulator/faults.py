"""The script of what goes wrong, and what a fault makes of the service's answer."""

from __future__ import annotations

import threading

from bootstrap.emulator.fault import NO_FAULT
from bootstrap.emulator.messages import JSON, TEXT, Reply
from bootstrap.frozen import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bootstrap.emulator.fault import Fault

_HTML = "text/html; charset=utf-8"
_LOGIN_PAGE = b"""\
<!DOCTYPE html>
<html><head><title>Sign in to the network</title></head>
<body><form method="post"><input name="user"><input type="submit"></form></body></html>
"""


class FaultScript:
    """The machine's faults, one entry for each request in order; then everything is well."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: Sequence[Fault] = ()
        self._entry = 0
        self._used = 0

    def next(self, faults: Sequence[Fault]) -> Fault:
        """The fault for this request; a script that differs from the last one starts over."""
        with self._lock:
            if faults != self._faults:
                self._faults, self._entry, self._used = faults, 0, 0
            if self._entry == len(self._faults):
                return NO_FAULT
            fault = self._faults[self._entry]
            self._used += 1
            if self._used == fault.times:
                self._entry, self._used = self._entry + 1, 0
            return fault


def spoiled(
    fault: Fault, answer: Callable[[], Reply], failed: Callable[[int], Reply]
) -> Reply | None:
    """The answer that the client shall get, or None when it gets none.

    `answer` is the service's own, `failed` its error for a status that the script alone wants.
    """
    if fault.reset or fault.silence:
        return None
    reply = _replaced(fault, failed) or answer()
    return replace(reply, headers=reply.headers + fault.headers)


def _replaced(fault: Fault, failed: Callable[[int], Reply]) -> Reply | None:
    """What stands in place of the service's answer, if anything does."""
    if fault.html:
        return Reply(status=fault.status or 200, body=_LOGIN_PAGE, content_type=_HTML)
    if fault.redirect:
        location = (("Location", fault.redirect),)
        return Reply(status=fault.status or 302, body=b"", content_type=TEXT, headers=location)
    if fault.body is not None:
        return Reply(status=fault.status or 200, body=fault.body.encode(), content_type=JSON)
    if fault.status is not None:
        return failed(fault.status)
    return None
