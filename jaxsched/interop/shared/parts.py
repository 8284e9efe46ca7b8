"""Schedules one after another, whose beginnings another library computes in real numbers."""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

from jaxsched.core.checks import MAX_COUNT
from jaxsched.core.schedule import Operand, Schedule, add, operand
from jaxsched.schedules.compose import shift, stretch
from jaxsched.schedules.decay import constant_schedule
from jaxsched.schedules.piecewise import join_schedules


class Part(NamedTuple):
    """What is in force from a step on.

    Attributes:
      begin: the first step at which it is.
      schedule: it, on a clock of its own.
      passed: where that clock stands at `begin`.
    """

    begin: int
    schedule: Operand
    passed: float = 0


def joined(parts: Sequence[Part]) -> Schedule:
    """Parts in ascending order as one schedule, without those that end where they begin."""
    ends = [*(part.begin for part in parts[1:]), MAX_COUNT + 1]
    kept = [part for part, end in zip(parts, ends, strict=True) if part.begin < end]
    # Parts of one form make one formula, so all of them are shifted if one is.
    moved = any(part.passed for part in kept)
    schedules: list[Any] = [_from(part, moved) for part in kept]
    if len(kept) > 1:
        return join_schedules(schedules, [part.begin for part in kept[1:]])
    return as_schedule(schedules[0])


def _from(part: Part, moved: bool) -> Operand:
    return (
        shift(part.schedule, -part.passed) if moved and callable(part.schedule) else part.schedule
    )


def as_schedule(value: Operand) -> Schedule:
    """A number or a function of the count as a schedule."""
    checked: Any = operand("value", value)
    if isinstance(checked, Schedule):
        return checked
    return add(0.0, cast(Any, checked)) if callable(checked) else constant_schedule(checked)


def in_reach(curve: Callable[[Any], Schedule], steps: float) -> Schedule:
    """A curve over some steps; over more than an int32 count can reach, a stretched one."""
    if steps <= MAX_COUNT:
        return curve(steps)
    return stretch(curve(steps / _STRETCH), _STRETCH)


_STRETCH = 2.0**20


def first_step(reached: Callable[[int], bool], low: int = 0, high: int = MAX_COUNT) -> int:
    """The first step from `low` on at which something holds that then goes on to, or `high`."""
    return bisect_left(range(high), True, lo=low, key=reached)


def whole_if_near(value: float) -> float:
    """The nearest whole number, where only rounding lies between."""
    nearest = round(value)
    return nearest if math.isclose(value, nearest, rel_tol=1e-9) else value
