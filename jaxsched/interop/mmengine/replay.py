"""mmengine's recursion in plain Python, from where schedulers stand: for what has no formula."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from jaxsched.interop.mmengine.movers import MOVERS, base_of, least_of
from jaxsched.interop.shared.reading import read

Rule = Callable[[Any, int, float, int], float]


def replay(
    schedulers: Sequence[tuple[str, Any]],
    group: int,
    value: float,
    steps: int,
    updates_per_epoch: int | None,
) -> list[float]:
    """The value in force, and those after each of some updates more.

    Without `updates_per_epoch` every update is a step of every scheduler.
    """
    clocks = [read(scheduler, "_global_step") for _, scheduler in schedulers]
    by_epoch = [updates_per_epoch and read(scheduler, "by_epoch") for _, scheduler in schedulers]
    done = max((c for c, epochs in zip(clocks, by_epoch, strict=True) if not epochs), default=0)
    values = [value]
    for update in range(done + 1, done + steps + 1):
        # The hook steps those that count updates first, at the end of an epoch the others.
        for i in sorted(range(len(schedulers)), key=lambda i: bool(by_epoch[i])):
            kind, scheduler = schedulers[i]
            if by_epoch[i] and update % (updates_per_epoch or 1):
                continue
            clocks[i] += 1
            if scheduler.begin <= clocks[i] < scheduler.end:
                value = _RULES[kind](scheduler, group, value, clocks[i] - scheduler.begin)
        values.append(value)
    return values


def _step(s: Any, group: int, value: float, n: int) -> float:
    return value * s.gamma if n and n % s.step_size == 0 else value


def _constant(s: Any, group: int, value: float, n: int) -> float:
    if n == 0:
        return value * s.factor
    return value / s.factor if n == s.total_iters else value


def _linear(s: Any, group: int, value: float, n: int) -> float:
    start, change = s.start_factor, s.end_factor - s.start_factor
    if n == 0:
        return value * start
    return value * (1 + change / (s.total_iters * start + (n - 1) * change))


def _polynomial(s: Any, group: int, value: float, n: int) -> float:
    if n == 0:
        return value
    return (value - s.eta_min) * (1 - 1 / (s.total_iters - n + 1)) ** s.power + s.eta_min


def _cosine(s: Any, group: int, value: float, n: int) -> float:
    base, steps = base_of(s, group), s.T_max
    end = least_of(s, base)
    if n == 0:
        return value
    if (n - 1 - steps) % (2 * steps) == 0:
        return value + (base - end) * (1 - math.cos(math.pi / steps)) / 2
    now, before = (1 + math.cos(math.pi * time / steps) for time in (n, n - 1))
    return now / before * (value - end) + end


def _restarts(s: Any, group: int, value: float, n: int) -> float:
    i = next((i for i, end in enumerate(s.cumulative_periods) if n < end), None)
    if i is None:
        return value
    base, step = base_of(s, group), n - (s.cumulative_periods[i] - s.periods[i])
    if step == 0:
        return base * s.restart_weights[i]
    end = least_of(s, base)
    now, before = (1 + math.cos(math.pi * time / s.periods[i]) for time in (step, step - 1))
    return now / before * (value - end) + end


_RULES: dict[str, Rule] = {
    "Step": _step,
    "MultiStep": lambda s, group, value, n: value * s.gamma ** s.milestones.get(n, 0),
    "Constant": _constant,
    "Linear": _linear,
    "Exponential": lambda s, group, value, n: value * s.gamma if n else value,
    "Poly": _polynomial,
    "CosineAnnealing": _cosine,
    "CosineRestart": _restarts,
    "OneCycle": lambda s, group, value, n: MOVERS["OneCycle"](s, group, True).value(value, n),
}
