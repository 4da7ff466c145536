"""How long to wait before asking again."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

BASE = 0.25  # seconds; most failures at boot are a network that is a moment late
# Seconds. IMDS is served by the VM's own host, so a thousand VMs that boot together do not meet at
# one server, and there is no reason to stay away long: with full jitter the machine notices that
# IMDS came up 2.5 s later on average and 5 s later at worst, at 0.4 requests a second.
CAP = 5.0

_MAX_EXPONENT = 30  # 2 ** 1024 does not fit a float; the cap is reached long before


def full_jitter(
    failures: int,
    *,
    base: float = BASE,
    cap: float = CAP,
    uniform: Callable[[float, float], float] | None = None,
) -> float:
    """Seconds to wait after the `failures`-th failure in a row (from 1).

    Anything between nothing and `base` doubled with each failure, never above `cap`: "full
    jitter" of https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
    """
    longest = min(cap, base * 2.0 ** min(failures - 1, _MAX_EXPONENT))
    return (uniform or _uniform)(0.0, longest)


def _uniform(low: float, high: float) -> float:
    import random  # milliseconds that only a boot with retries pays

    return random.uniform(low, high)  # noqa: S311 - jitter is no secret
