"""mmengine's schedulers one by one: each moves the value it finds."""

import math
from bisect import bisect_right
from collections.abc import Callable
from typing import Any, NamedTuple

from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.interop.shared.parts import Part, as_schedule, joined
from jaxsched.interop.shared.reading import read, read_item, some_whole_steps, whole_steps
from jaxsched.interop.torch.descendants import one_cycle
from jaxsched.schedules.decay import exponential_decay, linear_schedule, polynomial_schedule
from jaxsched.schedules.piecewise import piecewise_constant_schedule
from jaxsched.schedules.reflect import reflect
from jaxsched.schedules.warmup import warmup_cosine_decay_schedule

Curve = Callable[[float], Schedule]


class Mover(NamedTuple):
    """What a scheduler does within its window, on a clock that begins with it.

    Attributes:
      curve: its values, given the one it found.
      value: the same at one step, in float64.
      end: the value towards which it moves the one it found: a factor moves towards 0.
      base: the value from which it moves, if it does not take what it finds.
      limit: the step from which on it forgets what it found.
    """

    curve: Curve
    value: Callable[[float, int], float]
    end: float = 0.0
    base: float | None = None
    limit: float = math.inf

    def found(self, value: float, step: int) -> float:
        """What it must have found to be at a value at a step."""
        share = self.value(self.end + 1, step) - self.end
        return self.end + (value - self.end) / share if share else self.end


def half_cosine(init: float, end: float, steps: float) -> Schedule:
    """Half a cosine from one value to another."""
    return warmup_cosine_decay_schedule(init, init, 0, steps, end)


def _step(scheduler: Any, group: int, faithful: bool) -> Mover:
    steps = read(scheduler, "step_size", some_whole_steps)
    gamma = read(scheduler, "gamma", checks.positive)
    return Mover(
        lambda init: exponential_decay(init, steps, gamma, staircase=True),
        lambda init, n: init * gamma ** (n // steps),
    )


def _multi_step(scheduler: Any, group: int, faithful: bool) -> Mover:
    gamma = read(scheduler, "gamma", checks.non_negative)
    counts = read(scheduler, "milestones")
    scales = {whole_steps("milestones", step): gamma ** counts[step] for step in sorted(counts)}
    times = [step for step in sorted(counts) for _ in range(counts[step])]
    return Mover(
        lambda init: piecewise_constant_schedule(init, scales or None),
        lambda init, n: init * gamma ** bisect_right(times, n),
    )


def _constant(scheduler: Any, group: int, faithful: bool) -> Mover:
    factor = read(scheduler, "factor", checks.positive)
    steps = read(scheduler, "total_iters", whole_steps) or math.inf
    return Mover(
        lambda init: joined(
            [Part(0, init * factor), Part(int(min(steps, checks.MAX_COUNT + 1)), init)]
        ),
        lambda init, n: init * factor if n < steps else init,
    )


def _linear(scheduler: Any, group: int, faithful: bool) -> Mover:
    start = read(scheduler, "start_factor", checks.positive)
    end = read(scheduler, "end_factor", checks.number)
    steps = read(scheduler, "total_iters", whole_steps)
    return Mover(
        lambda init: (
            linear_schedule(init * start, init * end, steps) if steps else as_schedule(init * start)
        ),
        lambda init, n: init * (start + (end - start) * n / max(steps, 1)),
    )


def _exponential(scheduler: Any, group: int, faithful: bool) -> Mover:
    gamma = read(scheduler, "gamma", checks.positive)
    return Mover(lambda init: exponential_decay(init, 1, gamma), lambda init, n: init * gamma**n)


def _polynomial(scheduler: Any, group: int, faithful: bool) -> Mover:
    end, power = (
        read(scheduler, "eta_min", checks.number),
        read(scheduler, "power", checks.positive),
    )
    steps = read(scheduler, "total_iters", whole_steps)
    return Mover(
        lambda init: polynomial_schedule(init, end, power, steps) if steps else as_schedule(init),
        lambda init, n: end + (init - end) * (1 - n / max(steps, 1)) ** power,
        end,
    )


def least_of(scheduler: Any, base: float) -> float:
    """The value towards which a cosine moves."""
    share = read(scheduler, "eta_min_ratio")
    if share is None:
        return read(scheduler, "eta_min", checks.number)
    return base * checks.number("eta_min_ratio", share)


def base_of(scheduler: Any, group: int) -> float:
    """The value from which a scheduler began."""
    return read_item(scheduler, "base_values", group, checks.number)


def _cosine(scheduler: Any, group: int, faithful: bool) -> Mover:
    base, steps = base_of(scheduler, group), read(scheduler, "T_max", some_whole_steps)
    end = least_of(scheduler, base)

    def curve(init: float) -> Schedule:
        if not faithful:
            return half_cosine(init, end, steps)
        again = reflect(half_cosine(base, end, steps), steps)
        if math.isclose(init, base, rel_tol=1e-12):
            return again
        return joined([Part(0, half_cosine(init, end, steps)), Part(steps, again, steps)])

    def value(init: float, n: int) -> float:
        if n > steps:
            init, n = base, n if faithful else steps
        return end + (init - end) * (1 + math.cos(math.pi * n / steps)) / 2

    return Mover(curve, value, end, limit=steps)


def _restarts(scheduler: Any, group: int, faithful: bool) -> Mover:
    base, periods = base_of(scheduler, group), read(scheduler, "periods")
    end, weights = least_of(scheduler, base), read(scheduler, "restart_weights")
    begins = [0, *read(scheduler, "cumulative_periods")]

    def value(init: float, n: int) -> float:
        n = min(n, begins[-1] - 1)
        i = bisect_right(begins, n) - 1
        share = (1 + math.cos(math.pi * (n - begins[i]) / periods[i])) / 2
        return end + (base * weights[i] - end) * share

    cycles = [
        Part(begin, half_cosine(base * weight, end, some_whole_steps("periods", period)))
        for begin, weight, period in zip(begins[:-1], weights, periods, strict=True)
    ]
    last = value(0.0, begins[-1]) if faithful else end
    schedule = joined([*cycles, Part(begins[-1], last)])
    return Mover(lambda init: schedule, value, end, base)


def _onecycle(scheduler: Any, group: int, faithful: bool) -> Mover:
    total, phases = read(scheduler, "total_steps", some_whole_steps), read(scheduler, _PHASES)
    groups = scheduler.optimizer.param_groups[group]
    values = [groups[phase["start_lr"]] for phase in phases] + [groups[phases[-1]["end_lr"]]]
    ends = [checks.number(_PHASES, phase["end_step"]) for phase in phases]
    curve = "cos" if "cos" in read(scheduler, "anneal_func").__name__ else "linear"
    schedule = one_cycle(total, ends, values, curve, faithful)
    return Mover(lambda init: schedule, lambda init, n: float(schedule(n)), base=values[0])


_PHASES = "_schedule_phases"
MOVERS: dict[str, Callable[[Any, int, bool], Mover]] = {
    "Step": _step,
    "MultiStep": _multi_step,
    "Constant": _constant,
    "Linear": _linear,
    "Exponential": _exponential,
    "Poly": _polynomial,
    "CosineAnnealing": _cosine,
    "CosineRestart": _restarts,
    "OneCycle": _onecycle,
}
