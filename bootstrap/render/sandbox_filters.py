"""The checks around each filter and test: its arguments, its result and the time."""

from __future__ import annotations

from functools import wraps

from bootstrap.render.filters.table import MAY_BE_MISSING
from bootstrap.render.limits import bounded
from bootstrap.render.masking import is_masked, through
from bootstrap.render.undefined import MissingValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from bootstrap.render.limits import Budget


def guard(
    jinja: Mapping[str, Any],
    kept: Iterable[str],
    own: Mapping[str, Callable[..., Any]],
    budget: Budget,
) -> dict[str, Any]:
    """Return the `kept` functions of Jinja and the `own` ones by name, with their checks.

    Each call checks the time of `budget`. Functions that accept a missing value have no checks.
    """
    functions = {name: jinja[name] for name in kept} | dict(own)
    return {
        name: function if name in MAY_BE_MISSING else _guarded(function, budget)
        for name, function in functions.items()
    }


def _guarded(function: Callable[..., Any], budget: Budget) -> Callable[..., Any]:
    """Return the function with a check of the budget; a missing argument prevents the call."""

    @wraps(function)  # copies Jinja's attributes that say whether it takes the environment
    def call(*args: Any, **kwargs: Any) -> Any:
        given = (*args, *kwargs.values())
        for argument in given:
            if isinstance(argument, MissingValue):
                argument.use()
                return argument
        budget.check_time()
        if is_masked(*given):
            return through(function, *args, **kwargs)
        return bounded(function(*args, **kwargs))

    return call
