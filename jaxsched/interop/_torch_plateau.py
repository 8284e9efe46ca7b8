"""PyTorch's reduction on a plateau as a controller."""

from typing import Any

from jaxsched.control.controller import Controller
from jaxsched.control.controllers import reduce_on
from jaxsched.control.monitors.best import plateau
from jaxsched.core import checks
from jaxsched.interop._torch_entry import group_rate
from jaxsched.interop.reading import one_of, read, read_item, whole_steps

_MOST_REDUCTIONS = 10_000


def reduced_on_plateau(scheduler: Any, group: int) -> Controller:
    """A `ReduceLROnPlateau` of a parameter group, from the rate in force."""
    relative = read(scheduler, "threshold_mode", one_of("rel", "abs")) == "rel"
    threshold = read(scheduler, "threshold", checks.non_negative)
    rate, factor = group_rate(scheduler, group, "lr"), read(scheduler, "factor", checks.positive)
    least = read_item(scheduler, "min_lrs", group, checks.non_negative)
    return reduce_on(
        plateau(
            # PyTorch fires at one bad value more than its patience.
            patience=read(scheduler, "patience", whole_steps) + 1,
            rtol=threshold if relative else 0.0,
            atol=0.0 if relative else threshold,
            mode=read(scheduler, "mode", one_of("min", "max")),
            cooldown=read(scheduler, "cooldown", whole_steps),
        ),
        rate,
        factor,
        min_value=least,
        max_reductions=_reductions(rate, factor, least, read(scheduler, "eps", checks.number)),
    )


def _reductions(rate: float, factor: float, least: float, eps: float) -> int | None:
    """How often the rate is lowered: not by `eps` or less. None if more often than matters."""
    for number in range(_MOST_REDUCTIONS):
        lowered = max(rate * factor, least)
        if rate - lowered <= eps:
            return number
        rate = lowered
    return None
