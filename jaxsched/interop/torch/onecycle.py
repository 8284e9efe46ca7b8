"""PyTorch's one-cycle policy, whose phases end at real numbers of steps."""

import math
from itertools import pairwise
from typing import Any

from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.interop._torch_entry import Entry, group_rate
from jaxsched.interop.reading import one_of, read, some_whole_steps
from jaxsched.schedules.compose import shift
from jaxsched.schedules.decay import constant_schedule, cosine_decay_schedule, linear_schedule
from jaxsched.schedules.piecewise import join_schedules, piecewise_interpolate_schedule
from jaxsched.schedules.reflect import reflect
from jaxsched.schedules.table import table_schedule

Phases = list[tuple[float, float, float]]
"""The last step of each phase, its first and its last rate."""


def onecycle(scheduler: Any, entry: Entry) -> Schedule:
    """A `OneCycleLR` from its step 0.

    Known rates end at `total_steps - 1`. At `total_steps` PyTorch has one more, beyond the end
    of the last phase, and after that raises; here the last rate is held.
    """
    total = read(scheduler, "total_steps", some_whole_steps)
    phases = phases_of(scheduler, entry.group)
    rates = [rate_at(scheduler, phases, step) / entry.unit for step in (total - 1, total)]
    schedule = _through(scheduler, phases, entry.unit, total)
    if not entry.faithful or rates[0] == rates[1]:
        return join_schedules([schedule, rates[0]], [total])
    return join_schedules([schedule, rates[1], rates[0]], [total, total + 1])


def _through(scheduler: Any, phases: Phases, unit: float, total: int) -> Schedule:
    knots, values = [end for end, _, _ in phases], [start / unit for _, start, _ in phases]
    values = [*values, phases[-1][2] / unit]
    if values[0] == values[-1] == max(values):
        return constant_schedule(values[0])
    regular = all(a < b for a, b in pairwise([0.0, *knots])) and min(values) > 0
    if not regular:
        return table_schedule([rate_at(scheduler, phases, t) / unit for t in range(total)])
    scales: Any = {knot: b / a for knot, (a, b) in zip(knots, pairwise(values), strict=True)}
    cosine = strategy_of(scheduler) == "cos"
    before = piecewise_interpolate_schedule("cosine" if cosine else "linear", values[0], scales)
    # The last phase begins between two steps but ends at one: counted from there it is exact.
    begin, length = math.ceil(knots[-2]), total - 1 - knots[-2]
    if begin >= total - 1:
        return before
    start, end = values[-2:]
    rising = linear_schedule(end, start, length)
    if cosine:
        rising = cosine_decay_schedule(end, length, alpha=start / end)
    left = total - 1 - begin
    return join_schedules([before, shift(reflect(rising, left), -left)], [begin])


def strategy_of(scheduler: Any) -> str:
    """Its curve, "cos" or "linear"."""
    return read(scheduler, "_anneal_func_type", one_of("cos", "linear"))


def phases_of(scheduler: Any, group: int) -> Phases:
    """Its phases for a parameter group, in whose rates the optimizer keeps their ends."""
    return [
        (
            checks.number(f"{type(scheduler).__name__}._schedule_phases", phase["end_step"]),
            group_rate(scheduler, group, phase["start_lr"]),
            group_rate(scheduler, group, phase["end_lr"]),
        )
        for phase in read(scheduler, "_schedule_phases")
    ]


def rate_at(scheduler: Any, phases: Phases, step: int) -> float:
    """The rate at a step, as PyTorch computes it; that of the end where it cannot."""
    begin = 0.0
    for i, (end, first, last) in enumerate(phases, start=1):
        if step <= end or i == len(phases):
            done = (step - begin) / (end - begin) if end != begin else 1.0
            if strategy_of(scheduler) == "linear":
                return (last - first) * done + first
            return last + (first - last) / 2 * (math.cos(math.pi * done) + 1)
        begin = end
    raise ValueError(f"`{type(scheduler).__name__}._schedule_phases` must not be empty.")
