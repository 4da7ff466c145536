"""What a person sees while a service is asked again and again."""

from __future__ import annotations

from bootstrap.report.log import DEBUG, INFO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bootstrap.http.pacing import Attempt
    from bootstrap.report.log import Log


def retry_reporter(
    log: Log, event: str, service: str, *, deadline: float, clock: Callable[[], float]
) -> Callable[[Attempt], None]:
    """Return a function that logs each failed request to `service` as `event`.

    A terminal shows one line that changes, with the seconds until `deadline` (on `clock`).
    """

    def report(attempt: Attempt) -> None:
        if attempt.outcome == "ok":
            return
        left = max(0.0, deadline - clock())
        often = "once" if attempt.number == 1 else f"{attempt.number} times"
        # The line fits into 80 columns for at least an hour.
        line = (
            f"waiting for {service}: {attempt.outcome}; asked {often} in {attempt.elapsed:.0f} s, "
            f"giving up in {left:.0f} s"
        )
        priority = DEBUG if log.progress(line) else INFO
        log.event(
            priority,
            event,
            attempt=attempt.number,
            outcome=attempt.outcome,
            detail=attempt.detail or None,
            wait=attempt.wait,
        )

    return report
