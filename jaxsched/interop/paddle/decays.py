"""The decays of Paddle that have a closed form."""

import math
from collections.abc import Callable
from typing import Any

from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.interop.shared.parts import Part, joined
from jaxsched.interop.shared.reading import (
    read,
    some_whole_steps,
    whole_steps,
)
from jaxsched.schedules.cycles import cosine_restarts_schedule
from jaxsched.schedules.cyclic import polynomial_cycles_schedule
from jaxsched.schedules.decay import exponential_decay, linear_schedule, polynomial_schedule
from jaxsched.schedules.inverse import inverse_sqrt_schedule, inverse_time_schedule
from jaxsched.schedules.piecewise import piecewise_constant_schedule


def _noam(scheduler: Any, base: float) -> Schedule:
    steps = read(scheduler, "warmup_steps", some_whole_steps)
    peak = base * read(scheduler, "d_model", checks.positive) ** -0.5 * steps**-0.5
    return joined(
        [
            Part(0, linear_schedule(0.0, peak, steps)),
            Part(steps, inverse_sqrt_schedule(peak, steps)),
        ]
    )


def _piecewise(scheduler: Any, base: float) -> Schedule:
    del base
    values, begins = read(scheduler, "values"), read(scheduler, "boundaries")
    values = [checks.number("values", value) for value in values]
    # The first boundary above the step counts, so one below an earlier boundary never does.
    parts, begin = [], 0
    for value, end in zip(values, begins, strict=False):
        if end > begin:
            parts.append(Part(begin, value))
            begin = math.ceil(checks.steps("boundaries", end))
    return joined([*parts, Part(begin, values[-1])])


def _multi_step(scheduler: Any, base: float) -> Schedule:
    gamma = read(scheduler, "gamma", checks.non_negative)
    steps = read(scheduler, "milestones")
    scales: dict[int, float] = {whole_steps("milestones", step): gamma for step in steps}
    return piecewise_constant_schedule(base, scales or None)


def _step(scheduler: Any, base: float) -> Schedule:
    gamma = read(scheduler, "gamma", checks.positive)
    size = read(scheduler, "step_size", some_whole_steps)
    return exponential_decay(base, size, gamma, staircase=True)


def _polynomial(scheduler: Any, base: float) -> Schedule:
    steps, end = read(scheduler, "decay_steps", some_whole_steps), read(scheduler, "end_lr")
    power = read(scheduler, "power", checks.positive)
    if read(scheduler, "cycle"):
        return polynomial_cycles_schedule(base, steps, power, checks.number("end_lr", end))
    return polynomial_schedule(base, checks.number("end_lr", end), power, steps)


def _natural(scheduler: Any, base: float) -> Schedule:
    gamma = read(scheduler, "gamma", checks.positive)
    # A power of 1/2, whose exponent is in full digits.
    return exponential_decay(base, math.log(2) / gamma, 0.5)


def _restarts(scheduler: Any, base: float) -> Schedule:
    period, mult = (read(scheduler, name, some_whole_steps) for name in ("T_0", "T_mult"))
    end = read(scheduler, "eta_min", checks.number)
    return cosine_restarts_schedule(base, period, mult, end_value=end)


def _linear(scheduler: Any, base: float) -> Schedule:
    start, end = read(scheduler, "start_factor", checks.positive), read(scheduler, "end_factor")
    steps = read(scheduler, "total_steps", some_whole_steps)
    return linear_schedule(base * start, base * checks.number("end_factor", end), steps)


CLOSED: dict[str, Callable[[Any, float], Schedule]] = {
    "NoamDecay": _noam,
    "PiecewiseDecay": _piecewise,
    "NaturalExpDecay": _natural,
    "InverseTimeDecay": lambda s, base: inverse_time_schedule(
        base, 1, read(s, "gamma", checks.non_negative)
    ),
    "PolynomialDecay": _polynomial,
    "ExponentialDecay": lambda s, base: exponential_decay(
        base, 1, read(s, "gamma", checks.positive)
    ),
    "MultiStepDecay": _multi_step,
    "StepDecay": _step,
    "LinearLR": _linear,
    "CosineAnnealingWarmRestarts": _restarts,
}
