"""Warm restarts: from a list of cycles, and without end."""

from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any

import jax
import jax.numpy as jnp

from jaxsched.core import checks
from jaxsched.core.arithmetic.curves import cosine, first_part, transition
from jaxsched.core.arithmetic.cycles import check_cycles, covered, cycle, scaled
from jaxsched.core.arithmetic.steps import after
from jaxsched.core.schedule import Schedule, schedule
from jaxsched.core.types import AtLeastOne, Number, Period, Positive, Steps
from jaxsched.schedules.piecewise import join_schedules
from jaxsched.schedules.warmup import warmup_cosine_decay_schedule


def sgdr_schedule(cosine_kwargs: Iterable[Mapping[str, Any]]) -> Schedule:
    """Warm restarts from a list: `warmup_cosine_decay_schedule`s one after another.

    A thousand cycles are one formula over stacked numbers. For cycles that follow a rule,
    without end, see `cosine_restarts_schedule`.

    Args:
      cosine_kwargs: the arguments of each cycle's `warmup_cosine_decay_schedule`. Its
        `decay_steps` is the length of the cycle, the warm-up included.

    Returns:
      The schedules as `join_schedules` joins them; it prints as that.

    Example:
      >>> cycle = dict(init_value=0.0, peak_value=1.0, warmup_steps=1)
      >>> rate = sgdr_schedule([dict(cycle, decay_steps=3), dict(cycle, decay_steps=5)])
      >>> print(*(f"{rate(count):.2f}" for count in range(8)))
      0.00 1.00 0.50 0.00 1.00 0.85 0.50 0.15

    Reference:
      Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, 2017.
    """
    if not isinstance(cosine_kwargs, Iterable):
        checks.refuse("cosine_kwargs", cosine_kwargs, "a list of dicts", TypeError)
    cycles = list(cosine_kwargs)
    if not cycles:
        checks.refuse("cosine_kwargs", cycles, "a list of at least one dict")
    for i, kwargs in enumerate(cycles):
        if not isinstance(kwargs, Mapping):
            checks.refuse(f"cosine_kwargs[{i}]", kwargs, "a dict", TypeError)
    schedules = [warmup_cosine_decay_schedule(**kwargs) for kwargs in cycles]
    *boundaries, _ = accumulate(kwargs["decay_steps"] for kwargs in cycles)
    return join_schedules(schedules, boundaries)


def _cycles_fit(hyperparams: dict[str, Any]) -> None:
    check_cycles(hyperparams)
    checks.in_order("warmup_steps", hyperparams["warmup_steps"], "period", hyperparams["period"])


@schedule(check=_cycles_fit)
def cosine_restarts_schedule(
    count: jax.Array,
    init_value: Number,
    period: Period,
    period_mult: AtLeastOne = 1,
    peak_mult: Positive = 1.0,
    warmup_steps: Steps = 0,
    end_value: Number = 0.0,
):
    """Warm restarts without end: cosines, each longer and with another peak than the last.

        rate = end_value + (peak - end_value) t / warmup_steps                before warmup_steps
        rate = end_value + (peak - end_value) (1 + cos(pi u)) / 2              from there on
        u    = (t - warmup_steps) / (T - warmup_steps)
        peak = init_value peak_mult ** i, but not beyond end_value
        T    = period period_mult ** i

    in cycle i, t steps after its begin at `period (period_mult ** i - 1) / (period_mult - 1)`.
    A closed form: no list of cycles, and the cycle number is exact at every restart.

    Args:
      init_value: the peak of the first cycle.
      period: the length of the first cycle, its warm-up included.
      period_mult: each cycle's length over that of the one before. A real one begins each
        cycle at the nearest whole step.
      peak_mult: each cycle's peak over that of the one before.
      warmup_steps: the length of the linear warm-up of every cycle, from `end_value`.
      end_value: the value that each cycle approaches; the restart replaces it.

    Raises:
      ValueError: if the warm-up is longer than the period, or `period_mult` is below 1 or so
        near to it that counts reach more than 100,000 cycles.

    Example:
      >>> rate = cosine_restarts_schedule(1.0, period=2, period_mult=2, peak_mult=0.5)
      >>> print(*(f"{rate(count):.3f}" for count in range(8)))
      1.000 0.500 0.500 0.427 0.250 0.073 0.250 0.240

    Reference:
      Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, 2017.
    """
    place = cycle(count, period, period_mult)
    peak = scaled(init_value, peak_mult, place)
    low, high = jnp.minimum(peak, end_value), jnp.maximum(peak, end_value)
    peak = jnp.where(init_value < end_value, low, high)
    decayed, length = after(place.passed, warmup_steps), place.steps - warmup_steps
    share = covered(place, period, warmup_steps)
    falling = transition(peak, end_value, decayed, length, first_part(share, cosine))
    if isinstance(warmup_steps, int) and warmup_steps == 0:
        return falling
    rising = transition(end_value, peak, place.passed, warmup_steps)
    return jnp.where(place.passed < warmup_steps, rising, falling)
