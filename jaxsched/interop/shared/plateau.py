"""A reduction on a plateau, in PyTorch's meaning, as a controller."""

from typing import Any

from jaxsched.control.controllers.controller import Controller
from jaxsched.control.controllers.reduce import reduce_on
from jaxsched.control.monitors.plateau import plateau
from jaxsched.core import checks
from jaxsched.core.schedule import Operand
from jaxsched.interop.shared.reading import one_of, read, read_item, whole_steps

_MOST_REDUCTIONS = 10_000

# In place of 0, whose powers are no formula: what it leaves is less than any rate.
_SMALLEST = 2.0**-126


def reduced_on_plateau(scheduler: Any, group: int, schedule: Operand, rate: float) -> Controller:
    """PyTorch's `ReduceLROnPlateau` over a schedule that is at a rate when it is lowered."""
    return reduced(
        schedule,
        rate,
        mode=read(scheduler, "mode", one_of("min", "max")),
        factor=max(read(scheduler, "factor", checks.non_negative), _SMALLEST),
        patience=read(scheduler, "patience", whole_steps),
        threshold=read(scheduler, "threshold", checks.non_negative),
        relative=read(scheduler, "threshold_mode", one_of("rel", "abs")) == "rel",
        cooldown=read(scheduler, "cooldown", whole_steps),
        least=read_item(scheduler, "min_lrs", group, checks.non_negative),
        eps=read(scheduler, "eps", checks.number),
    )


def reduced(
    schedule: Operand,
    rate: float,
    *,
    mode: str,
    factor: float,
    patience: int,
    threshold: float,
    relative: bool,
    cooldown: int,
    least: float,
    eps: float,
    metric: str = "value",
) -> Controller:
    """The controller of arguments as PyTorch means them."""
    return reduce_on(
        plateau(
            # PyTorch fires at one bad value more than its patience.
            patience=patience + 1,
            rtol=threshold if relative else 0.0,
            atol=0.0 if relative else threshold,
            mode="min" if mode == "min" else "max",
            cooldown=cooldown,
        ),
        schedule,
        factor,
        min_value=least,
        max_reductions=_reductions(rate, factor, least, eps),
        metric=metric,
    )


def _reductions(rate: float, factor: float, least: float, eps: float) -> int | None:
    """How often the rate is lowered: not by `eps` or less. None if more often than matters."""
    for number in range(_MOST_REDUCTIONS):
        lowered = max(rate * factor, least)
        if rate - lowered <= eps:
            return number
        rate = lowered
    return None
