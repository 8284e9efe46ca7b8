"""Keras' callbacks that set the rate once an epoch."""

import inspect
import struct
from typing import Any

from jaxsched.control.controllers.controller import Controller
from jaxsched.control.controllers.reduce import reduce_on
from jaxsched.control.monitors.plateau import plateau
from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.interop.shared.reading import plain, read, whole_steps
from jaxsched.schedules.table import table_schedule


def reduced_on_plateau(callback: Any, learning_rate: Any, faithful: bool) -> Controller:
    """A `ReduceLROnPlateau`, from the rate of the optimizer."""
    cooldown = read(callback, "cooldown", whole_steps)
    return reduce_on(
        plateau(
            patience=read(callback, "patience", whole_steps),
            rtol=0.0,
            # Keras makes it negative at the first epoch.
            atol=abs(read(callback, "min_delta", checks.number)),
            mode=_mode(callback),
            # Keras counts the epoch of the reduction, and so leaves out one fewer.
            cooldown=max(cooldown - 1, 0) if faithful else cooldown,
        ),
        _rate(callback, learning_rate),
        read(callback, "factor", checks.positive),
        min_value=read(callback, "min_lr", checks.non_negative),
    )


def _mode(callback: Any) -> str:
    mode, metric = read(callback, "mode"), read(callback, "monitor")
    if mode in ("min", "max"):
        return mode
    if metric.removeprefix("val_") == "loss":
        return "min"
    compared = getattr(getattr(callback, "monitor_op", None), "__name__", None)
    if compared not in ("less", "greater"):
        label = f"{type(callback).__name__}.mode"
        checks.refuse(label, mode, f"'min' or 'max': it says nothing of {metric!r}")
    return "min" if compared == "less" else "max"


def _rate(callback: Any, learning_rate: Any) -> float:
    """The rate given, or that of the model which the callback belongs to."""
    if learning_rate is None:
        optimizer = getattr(getattr(callback, "model", None), "optimizer", None)
        learning_rate = getattr(optimizer, "learning_rate", None)
    if learning_rate is None:
        name = type(callback).__name__
        raise ValueError(f"`{name}` belongs to no model; pass `learning_rate=`, the optimizer's.")
    value = plain(getattr(learning_rate, "numpy", lambda: learning_rate)())
    return float(checks.positive("learning_rate", value))


def scheduled(callback: Any, learning_rate: Any, steps: int | None) -> Schedule:
    """A `LearningRateScheduler` as a table over its epochs."""
    function = read(callback, "schedule")
    if steps is None:
        raise ValueError(
            f"The function of `{type(callback).__name__}` has no formula:"
            " pass `steps=`, the number of epochs to tabulate."
        )
    last = whole_steps("steps", steps)
    if not _takes_the_rate(function):
        return table_schedule([float(function(epoch)) for epoch in range(last + 1)])
    rates = [_rate(callback, learning_rate)]
    for epoch in range(last + 1):
        rates.append(float(function(epoch, _rounded(rates[-1]))))
    return table_schedule(rates[1:])


def _takes_the_rate(function: Any) -> bool:
    try:
        inspect.signature(function).bind(0, 0.0)
    except TypeError:
        return False
    return True


def _rounded(rate: float) -> float:
    """A rate as the optimizer holds it, in float32."""
    return struct.unpack("f", struct.pack("f", rate))[0]
