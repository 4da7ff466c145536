"""Which instants of a run are worth a second disturbance."""

from victim import kind_of


def sample(points):
    """One call of each kind, the middle one: a kind is the call and what it is done to."""
    kinds = {}
    for call in points:
        kinds.setdefault((call.name, kind_of(call.where)), []).append(call)
    return [calls[len(calls) // 2] for calls in kinds.values()]


def recovering(calls, points):
    """The calls up to where the run goes on as the undisturbed one, which was killed above."""
    alike = 0
    for one, other in zip(reversed(calls), reversed(points), strict=False):
        if (one.name, one.where) != (other.name, other.where):
            break
        alike += 1
    return calls[: len(calls) - alike + 1]
