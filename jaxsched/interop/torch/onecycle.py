"""PyTorch's one-cycle policy, whose phases end at real numbers of steps."""

import math
from itertools import pairwise
from typing import Any

from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.interop.shared.parts import Part, as_schedule, joined
from jaxsched.interop.shared.reading import one_of, read, some_whole_steps
from jaxsched.interop.torch.entry import Entry, group_rate
from jaxsched.schedules.compose import shift
from jaxsched.schedules.decay import linear_schedule
from jaxsched.schedules.piecewise import join_schedules
from jaxsched.schedules.reflect import reflect
from jaxsched.schedules.table import table_schedule
from jaxsched.schedules.warmup import warmup_cosine_decay_schedule

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
    knots = [0.0, *(end for end, _, _ in phases)]
    if not all(a < b for a, b in pairwise(knots)):
        return table_schedule([rate_at(scheduler, phases, t) / unit for t in range(total)])
    curve = _half_cosine if strategy_of(scheduler) == "cos" else linear_schedule
    parts = [Part(0, curve(phases[0][1] / unit, phases[0][2] / unit, knots[1]))]
    for (begin, end), (_, first, last) in zip(pairwise(knots[1:]), phases[1:], strict=True):
        left = math.floor(end) - math.floor(begin) - 1
        backwards = curve(last / unit, first / unit, end - begin)
        if left >= 0:
            parts.append(Part(math.floor(begin) + 1, _mirrored(backwards, left, end % 1)))
    return joined(parts)


def _mirrored(backwards: Schedule, left: int, rest: float) -> Schedule:
    """A phase that ends between two steps, counted from its end: there it may be next to 0."""
    schedule = shift(backwards, -rest) if rest else backwards
    return shift(reflect(schedule, left), -left) if left else as_schedule(float(schedule(0)))


def _half_cosine(init: float, end: float, steps: float) -> Schedule:
    return warmup_cosine_decay_schedule(init, init, 0, steps, end)


def strategy_of(scheduler: Any) -> str:
    """Its curve, "cos" or "linear"."""
    if not hasattr(scheduler, "_anneal_func_type") and hasattr(scheduler, "anneal_func"):
        # Before PyTorch 2.4 it kept the function.
        return "cos" if "cos" in scheduler.anneal_func.__name__ else "linear"
    return read(scheduler, "_anneal_func_type", one_of("cos", "linear"))


def phases_of(scheduler: Any, group: int) -> Phases:
    """Its phases for a parameter group, in whose rates the optimizer keeps their ends."""
    if not hasattr(scheduler, "_schedule_phases") and hasattr(scheduler, "step_size_up"):
        # Before PyTorch 1.7 there were always two.
        up, down = (read(scheduler, f"step_size_{way}", checks.number) for way in ("up", "down"))
        first, top, last = (
            group_rate(scheduler, group, name) for name in ("initial_lr", "max_lr", "min_lr")
        )
        return [(up, first, top), (up + down, top, last)]
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
