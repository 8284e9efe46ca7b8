"""Curves over cycles whose length is no whole number of steps, by exact arithmetic."""

import math
from collections.abc import Callable
from fractions import Fraction

from jaxsched.core.schedule import Schedule
from jaxsched.schedules.compose import repeat, shift, stretch
from jaxsched.schedules.piecewise import join_schedules
from jaxsched.schedules.reflect import reflect

Curve = Callable[[int], Schedule]
"""From a number of steps to the schedule that goes from one end to the other in them."""

MOST_CYCLES = 100_000


def fraction(value: float, most: int = 1000) -> Fraction | None:
    """The fraction of a small denominator that a number is, if it is one."""
    near = Fraction(value).limit_denominator(most)
    return near if math.isclose(near, value, rel_tol=1e-15) else None


def wave(curve: Curve, half: Fraction) -> Schedule:
    """A curve to and fro without end, in `half` steps each way."""
    steps, speed = half.as_integer_ratio()
    if speed == 1:
        return reflect(curve(steps), steps)
    # The count times `speed` stays small: the wave repeats itself after whole steps.
    fast = stretch(reflect(curve(steps), steps), 1 / speed)
    return repeat(fast, steps if speed % 2 == 0 else 2 * steps)


def swinging(curve: Callable[[float], Schedule], half: float) -> Schedule:
    """A curve to and fro without end, in a real number of steps each way."""
    exact = fraction(half)
    if exact is None:
        return reflect(curve(half), half)
    return wave(curve, exact)


def restarts(curve: Curve, period: Fraction, begins: list[int]) -> Schedule:
    """A curve that begins at every multiple of `period`, or at the first step after it.

    Args:
      curve: the curve.
      period: the steps from one begin to the next.
      begins: the steps at which each cycle takes over from the one before.
    """
    steps, speed = period.as_integer_ratio()
    clock = [begin * speed for begin in begins]
    parts = [shift(curve(steps), i * steps - begin) for i, begin in enumerate(clock)]
    # One stretch for all: in a table of them its factor would be rounded.
    return stretch(join_schedules(parts, clock[1:]), 1 / speed)


def following(parts: list[tuple[Schedule | float, int]], last: Schedule | float) -> Schedule:
    """Schedules one after another, each for a number of steps, then the last."""
    begins, schedules = [0], []
    for schedule, steps in parts:
        if steps > 0:
            schedules.append(schedule)
            begins.append(begins[-1] + steps)
    return join_schedules([*schedules, last], begins[1:])
