"""What stands between a template and each of its filters and tests."""

from __future__ import annotations

from functools import wraps

from bootstrap.render.filters.table import MAY_BE_MISSING
from bootstrap.render.limits import bounded
from bootstrap.render.masking import is_veiled, through
from bootstrap.render.undefined import Gap

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
    """The `kept` ones of Jinja's functions and our `own`, each on the budget."""
    functions = {name: jinja[name] for name in kept} | dict(own)
    return {
        name: function if name in MAY_BE_MISSING else _guarded(function, budget)
        for name, function in functions.items()
    }


def _guarded(function: Callable[..., Any], budget: Budget) -> Callable[..., Any]:
    """The function on a budget, and not called at all when an argument is missing."""

    @wraps(function)  # Jinja has written on some whether they take the environment
    def call(*args: Any, **kwargs: Any) -> Any:
        given = (*args, *kwargs.values())
        for argument in given:
            if isinstance(argument, Gap):
                argument.use()
                return argument
        budget.check_time()
        if is_veiled(*given):
            return through(function, *args, **kwargs)
        return bounded(function(*args, **kwargs))

    return call
