"""The rates of a run, one a step."""

from typing import Any

import jax
import numpy as np

from jaxsched.core import checks
from jaxsched.core.sampled import sampled
from jaxsched.core.schedule import Operand
from jaxsched.core.traced import is_traced

Rates = Operand | np.ndarray | jax.Array
"""A schedule, a number or a function of the count; or an array of one rate a step."""


def rates_of(schedule: Rates, steps: int) -> Any:
    """The rates at steps 0 to `steps - 1`: float64 on the host where known, else traced.

    Raises:
      ValueError: for a length that is no whole number, an array of another length, or a rate that
        is negative or not finite; the message names the step.
    """
    whole_steps("steps", steps)
    if isinstance(schedule, (np.ndarray, jax.Array)) and schedule.ndim:
        rates = schedule if is_traced(schedule) else np.asarray(schedule, np.float64)
    else:
        rates = sampled(schedule, steps, first=0)
    if rates.shape != (steps,):
        raise ValueError(
            f"`schedule` must give one rate a step, {steps} of them, got the shape {rates.shape}."
        )
    return in_range("schedule", rates, 0)


def in_range(name: str, values: Any, least: float, open_end: bool = False) -> Any:
    """Values that are finite and at least, or above, a number."""
    if is_traced(values):
        return values
    good = np.isfinite(values) & ((values > least) if open_end else (values >= least))
    if not good.all():
        step = int(np.argmin(good))
        wanted = f"{'above' if open_end else 'at least'} {least:g} and finite"
        raise ValueError(f"`{name}` must be {wanted}, got {values[step]} at step {step}.")
    return values


def whole_steps(name: str, value: Any) -> int:
    """A whole number of steps of at least 1."""
    if isinstance(value, bool) or int(checks.period(name, value)) != value:
        checks.refuse(name, value, "a whole number of steps")
    return int(value)
