"""The cosines of Transformers, from their first step after the warm-up."""

import math
from collections.abc import Callable
from fractions import Fraction

from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.interop.shared.waves import MOST_CYCLES, following, fraction, restarts, wave
from jaxsched.schedules.cycles import cosine_restarts_schedule
from jaxsched.schedules.decay import constant_schedule, cosine_decay_schedule
from jaxsched.schedules.piecewise import join_schedules
from jaxsched.schedules.reflect import reflect


def falling(peak: float, alpha: float = 0.0) -> Callable[[float], Schedule]:
    """From a peak to a part of it in half a cosine, held from there on."""
    return lambda steps: cosine_decay_schedule(peak, steps, alpha)


def swinging(
    peak: float, cycles: float, steps: int, alpha: float = 0.0, faithful: bool = True
) -> Schedule:
    """So many whole waves in a number of steps; `faithful` goes on after them."""
    if cycles == 0:
        return constant_schedule(peak)
    if not faithful and abs(cycles) == 0.5:
        return falling(peak, alpha)(steps)
    exact = fraction(2 * abs(cycles))
    if exact is None:
        half = steps / (2 * abs(cycles))
        going = reflect(falling(peak, alpha)(half), half)
    else:
        going = wave(falling(peak, alpha), steps / exact)
    return going if faithful else join_schedules([going, float(going(steps))], [steps])


def restarting(peak: float, cycles: float, steps: int, faithful: bool = True) -> Schedule:
    """Half cosines to 0, so many in a number of steps, and 0 from there on."""
    checks.positive("num_cycles", cycles)
    exact = fraction(cycles)
    if exact is None or exact > MOST_CYCLES:
        checks.refuse("num_cycles", cycles, f"a fraction, or a whole number up to {MOST_CYCLES}")
    period = steps / exact
    begins = [_begin(i, period) for i in range(math.ceil(exact))]
    if faithful:
        begins = [_begin_in_floats(i, step, cycles, steps) for i, step in enumerate(begins)]
    if begins == [i * period for i in range(len(begins))]:
        return following([(cosine_restarts_schedule(peak, int(period)), steps)], 0.0)
    return following([(restarts(falling(peak), period, begins), steps)], 0.0)


def _begin(cycle: int, period: Fraction) -> int:
    return math.ceil(cycle * period)


def _begin_in_floats(cycle: int, step: int, cycles: float, steps: int) -> int:
    """The step at which Transformers, which divides before it multiplies, begins a cycle."""
    return step if float(cycles) * (step / steps) >= cycle else step + 1
