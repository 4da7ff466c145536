"""The fault script, and the reply that a fault makes of the service's answer."""

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
    """The machine's faults, in the order of the requests; after the last, none fails."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: Sequence[Fault] = ()
        self._entry = 0
        self._used = 0

    def next(self, faults: Sequence[Fault]) -> Fault:
        """Return the fault for this request; a script that has changed starts over."""
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


def apply_fault(
    fault: Fault, answer: Callable[[], Reply], failed: Callable[[int], Reply]
) -> Reply | None:
    """Return the reply to send to the client, or None to send none.

    `answer` returns the service's own reply, `failed` its error for a status of the script.
    """
    if fault.reset or fault.silence:
        return None
    reply = _replaced(fault, failed) or answer()
    return replace(reply, headers=reply.headers + fault.headers)


def _replaced(fault: Fault, failed: Callable[[int], Reply]) -> Reply | None:
    """Return the reply that replaces the service's answer, or None to keep the answer."""
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
