"""Keras' cosine with restarts, which may be at fractions of a step."""

import math
from itertools import pairwise

from jaxsched.core import checks
from jaxsched.core.checks import MAX_COUNT
from jaxsched.core.schedule import Schedule
from jaxsched.interop.shared.waves import MOST_CYCLES
from jaxsched.schedules.compose import shift
from jaxsched.schedules.cycles import cosine_restarts_schedule
from jaxsched.schedules.decay import cosine_decay_schedule
from jaxsched.schedules.piecewise import join_schedules

_ROUNDING = 1e-9


def restarts(
    init: float, period: float, period_mult: float, peak_mult: float, alpha: float
) -> Schedule:
    """Cosines from `init ((1 - alpha) peak_mult ** i + alpha)` to `alpha init`."""
    low = alpha * init
    at_whole_steps = float(period).is_integer() and float(period_mult).is_integer()
    if period >= 1 and (at_whole_steps or period_mult == 1):
        if low == 0 or peak_mult == 1:
            return cosine_restarts_schedule(init, period, period_mult, peak_mult, 0, low)
        return cosine_restarts_schedule(init - low, period, period_mult, peak_mult) + low
    begins = _begins(period, period_mult)
    steps = [math.ceil(begin * (1 - _ROUNDING)) for begin in begins]
    parts: list[Schedule] = []
    used: list[int] = []
    for i, (step, after) in enumerate(pairwise([*steps, MAX_COUNT + 1])):
        if step < min(after, MAX_COUNT + 1):
            peak = (init - low) * peak_mult**i + low
            curve = cosine_decay_schedule(peak, period * period_mult**i, low / peak)
            parts.append(shift(curve, min(begins[i] - step, 0.0)))
            used.append(step)
    return join_schedules(parts, used[1:])


def _begins(period: float, mult: float) -> list[float]:
    """The begin of every cycle up to the last count."""
    begins, length = [0.0], period
    while begins[-1] + length <= MAX_COUNT:
        begins.append(begins[-1] + length)
        length *= mult
        if len(begins) > MOST_CYCLES:
            checks.refuse("t_mul", mult, f"such that there are at most {MOST_CYCLES} cycles")
    return begins
