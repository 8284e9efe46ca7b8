"""Schedules of schedules: repetition, bounds and shifts for any of them."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxsched.core import checks
from jaxsched.core.arithmetic.cycles import check_cycles, cycle, scaled
from jaxsched.core.arithmetic.steps import moved, slowed
from jaxsched.core.schedule import Operand, at, schedule
from jaxsched.core.types import AtLeastOne, Period, Positive, SignedSteps


@schedule(check=check_cycles)
def repeat(
    count: jax.Array,
    schedule: Operand,
    period: Period,
    period_mult: AtLeastOne = 1,
    peak_mult: Positive = 1.0,
):
    """The first `period` steps of any schedule again and again: warm restarts, without end.

        rate = peak_mult ** i schedule(t / period_mult ** i)

    in cycle i, t steps after its begin at `period (period_mult ** i - 1) / (period_mult - 1)`.
    The cycle number is exact at every restart. Where `period_mult` is not 1 the schedule is
    stretched with its cycle, and so called with fractional steps.

    Args:
      schedule: any schedule, number or function of the count.
      period: the length of the first cycle.
      period_mult: each cycle's length over that of the one before. A real one begins each
        cycle at the nearest whole step.
      peak_mult: each cycle's values over those of the one before.

    Example:
      >>> from jaxsched import linear_schedule
      >>> rate = repeat(linear_schedule(1.0, 0.0, 2), period=2, period_mult=2, peak_mult=0.5)
      >>> print(*(f"{rate(count):.3f}" for count in range(7)))
      1.000 0.500 0.500 0.375 0.250 0.125 0.250
    """
    place = cycle(count, period, period_mult)
    value = at(schedule, slowed(place.passed, place.factor))
    return scaled(value, peak_mult, place)


@schedule
def shift(count: jax.Array, schedule: Operand, steps: SignedSteps):
    """A schedule moved in time: `rate = schedule(max(count - steps, 0))`.

    Args:
      schedule: any schedule, number or function of the count.
      steps: how many steps later it runs, its first value held until then. A negative
        number skips its first steps.

    Example:
      >>> from jaxsched import linear_schedule
      >>> line = linear_schedule(1.0, 0.0, 4)
      >>> print(shift(line, 2)(3), shift(line, -2)(1))
      0.75 0.25
    """
    return at(schedule, moved(count, steps))


@schedule
def stretch(count: jax.Array, schedule: Operand, factor: Positive):
    """A schedule that takes longer: `rate = schedule(count / factor)`.

    Where `count / factor` is a whole step it is exact, so stairs stay where they belong;
    between whole steps the schedule sees a fractional one.

    Args:
      schedule: any schedule, number or function of the count.
      factor: how many times longer; below 1 for shorter.

    Example:
      >>> from jaxsched import linear_schedule
      >>> rate = stretch(linear_schedule(1.0, 0.0, 2), 2)
      >>> print(*map(float, map(rate, range(5))))
      1.0 0.75 0.5 0.25 0.0
    """
    return at(schedule, slowed(count, factor))


def _bounds_in_order(hyperparams: dict[str, Any]) -> None:
    low, high = hyperparams["min_value"], hyperparams["max_value"]
    if checks.is_number(low) and checks.is_number(high):
        checks.in_order("min_value", low, "max_value", high)


@schedule(check=_bounds_in_order)
def clip(count: jax.Array, schedule: Operand, min_value: Operand, max_value: Operand):
    """A schedule held between two bounds, each a number or a schedule.

        rate = min(max(schedule(count), min_value), max_value)

    Example:
      >>> from jaxsched import linear_schedule
      >>> rate = clip(linear_schedule(1.0, 0.0, 4), 0.25, 0.75)
      >>> print(*map(float, map(rate, range(5))))
      0.75 0.75 0.5 0.25 0.25
    """
    value = jnp.maximum(at(schedule, count), at(min_value, count))
    return jnp.minimum(value, at(max_value, count))


@schedule
def minimum(count: jax.Array, left: Operand, right: Operand):
    """The smaller of two schedules at each step: `rate = min(left(count), right(count))`.

    Example:
      >>> from jaxsched import linear_schedule
      >>> print(minimum(linear_schedule(1.0, 0.0, 4), 0.6)(0))
      0.6
    """
    return jnp.minimum(at(left, count), at(right, count))


@schedule
def maximum(count: jax.Array, left: Operand, right: Operand):
    """The larger of two schedules at each step: `rate = max(left(count), right(count))`.

    Example:
      >>> from jaxsched import linear_schedule
      >>> print(maximum(linear_schedule(1.0, 0.0, 4), 0.6)(4))
      0.6
    """
    return jnp.maximum(at(left, count), at(right, count))
