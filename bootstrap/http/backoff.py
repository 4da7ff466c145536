"""The wait before the next request, after a failed one."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

BASE = 0.25  # seconds; most failures at boot come from a network that is ready a moment later
# Seconds. Each VM's own host serves its IMDS, so a thousand VMs that boot together do not load one
# server, and a long wait gains nothing. With full jitter the machine notices that IMDS is ready
# 2.5 s late on average and 5 s late at worst, at 0.4 requests a second.
CAP = 5.0

_MAX_EXPONENT = 30  # 2 ** 1024 does not fit a float; the cap is reached long before


def full_jitter(
    failures: int,
    *,
    base: float = BASE,
    cap: float = CAP,
    uniform: Callable[[float, float], float] | None = None,
) -> float:
    """Return the seconds to wait after the `failures`-th failure in a row (counted from 1).

    The wait is random, between 0 and a limit. The limit is `base`, doubled with each failure and
    never above `cap`. This is the "full jitter" of
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
    """
    longest = min(cap, base * 2.0 ** min(failures - 1, _MAX_EXPONENT))
    return (uniform or _uniform)(0.0, longest)


def _uniform(low: float, high: float) -> float:
    import random  # the import takes milliseconds, and only a boot with retries needs it

    return random.uniform(low, high)  # noqa: S311 - jitter need not be secure
