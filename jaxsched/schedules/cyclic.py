"""Cycles of one length without end: triangles, polynomials with ever later ends, re-warm-ups."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxsched.core import checks
from jaxsched.core.arithmetic.between import where
from jaxsched.core.arithmetic.chosen import whole
from jaxsched.core.arithmetic.curves import Curve, raised, transition
from jaxsched.core.arithmetic.powers import exponential
from jaxsched.core.arithmetic.steps import after, divide
from jaxsched.core.reach import reach
from jaxsched.core.schedule import Operand, at, schedule
from jaxsched.core.types import NonNegative, Number, Period, Positive, Steps


def _some_steps_a_cycle(hyperparams: dict[str, Any]) -> None:
    up, down = hyperparams["up_steps"], hyperparams["down_steps"]
    up, down = checks.known(up), checks.known(up if down is None else down)
    if up is not None and down is not None:
        checks.period("up_steps + down_steps", up + down)


@schedule(check=_some_steps_a_cycle)
def cyclic_schedule(
    count: jax.Array,
    init_value: Number,
    peak_value: Number,
    up_steps: Steps,
    down_steps: Steps | None = None,
    peak_mult: Positive = 1.0,
    decay_rate: Positive = 1.0,
):
    """Triangles without end: up to a peak in a straight line, and down again.

        rate = init_value + (peak - init_value) t / up_steps                 before up_steps
        rate = peak + (init_value - peak) (t - up_steps) / down_steps         from there on
        peak = init_value + (peak_value - init_value) peak_mult ** i decay_rate ** count

    in cycle i, t steps after its begin at `i (up_steps + down_steps)`. `peak_mult=0.5` is the
    policy 'triangular2', a `decay_rate` below 1 'exp_range'. A peak beyond every float is the
    greatest of them.

    Args:
      init_value: the value at which each cycle begins.
      peak_value: the value at step `up_steps`, without `decay_rate`.
      up_steps: the steps from the begin of a cycle to its peak; 0 is at the peak at once.
      down_steps: the steps from there to the next cycle; None is as many. With 0 the next
        cycle begins instead of the peak.
      peak_mult: the height of each cycle over that of the one before.
      decay_rate: what the height is multiplied by at each step.

    Raises:
      ValueError: for a cycle of no steps, or of more than 2^31-1.

    Example:
      >>> rate = cyclic_schedule(0.0, 1.0, up_steps=2, peak_mult=0.5)
      >>> print(*map(float, map(rate, range(9))))
      0.0 0.5 1.0 0.5 0.0 0.25 0.5 0.25 0.0

    Reference:
      Smith, Cyclical Learning Rates for Training Neural Networks, 2017.
    """
    up, down = whole(up_steps), whole(up_steps if down_steps is None else down_steps)
    number, passed = divide(count, up + down)
    peak = _scaled(init_value, peak_value, _power(peak_mult, number) * _power(decay_rate, count))
    rising = transition(init_value, peak, passed, up)
    falling = transition(peak, init_value, after(passed, up), down)
    return jnp.where(passed < up, rising, falling)


def _power(rate: Any, exponent: jax.Array) -> Any:
    known_one = isinstance(rate, (int, float)) and rate == 1
    return 1 if known_one else _held(exponential(1.0, rate, exponent, 1))


def _scaled(init: Any, peak: Any, scale: Any) -> Any:
    """The peak of a height that was scaled; exactly the one given while the scale is 1."""
    if isinstance(scale, int):
        return peak
    return jnp.where(scale == 1, peak, init + _held((peak - init) * _held(scale)))


def _held(value: jax.Array) -> jax.Array:
    """A value held within the finite floats: 0 times infinity would not be a number."""
    greatest = jnp.finfo(value.dtype).max
    return jax.lax.clamp(-greatest, value, greatest)


@schedule
def polynomial_cycles_schedule(
    count: jax.Array,
    init_value: Number,
    period: Period,
    power: NonNegative = 1.0,
    end_value: Number = 0.0,
):
    """A polynomial decay whose end is put off by a period whenever it is reached.

        rate = end_value + (init_value - end_value) (1 - count / N) ** power
        N    = period max(1, ceil(count / period))

    At each multiple of `period` the value is `end_value`; the next step follows the
    polynomial of the next N, so that the peaks fall as `init_value / k ** power` where
    `end_value` is 0.

    Args:
      init_value: the value at step 0.
      period: the steps to the first end, and from each end to the next.
      power: 1 is a straight line; above 1 most of the way is early, below 1 late.
      end_value: the value at the multiples of `period`.

    Example:
      >>> rate = polynomial_cycles_schedule(1.0, period=4)
      >>> print(*map(float, map(rate, range(9))))
      1.0 0.75 0.5 0.25 0.0 0.375 0.25 0.125 0.0

    Reference:
      `PolynomialDecay(cycle=True)` of Keras.
    """
    ended, rest = divide(count, period)
    passed = where((count > 0) & (rest == 0), whole(period), rest)
    return transition(init_value, end_value, passed, period, _last_of(ended, raised(power)))


def _last_of(ended: jax.Array, curve: Curve) -> Curve:
    """The last part of a curve, after some parts of the same length."""
    return lambda left, gone: curve(left / (ended + 1), (ended + gone) / (ended + 1))


def _warmup_within_period(hyperparams: dict[str, Any]) -> None:
    checks.in_order("warmup_steps", hyperparams["warmup_steps"], "period", hyperparams["period"])


@schedule(check=_warmup_within_period)
def rewarm(
    count: jax.Array,
    schedule: Operand,
    period: Period,
    warmup_steps: Steps,
    init_value: Number = 0.0,
):
    """A schedule interrupted by warm-ups at regular steps, while its clock goes on.

        rate = init_value + (v - init_value) t / warmup_steps   before t = warmup_steps, i > 0
        rate = schedule(count)                                  elsewhere
        v    = schedule(i period + warmup_steps)

    t steps after multiple i of `period`. Each warm-up ends at the value that the schedule has
    at that step, so there is no jump but the one down to `init_value`. Up to step `period` the
    schedule is as it is, with the beginning it has of its own.

    Args:
      schedule: any schedule, number or function of the count.
      period: the steps from one warm-up to the next.
      warmup_steps: the length of each.
      init_value: the value at each multiple of `period` from the first on.

    Raises:
      ValueError: if the warm-up is longer than the period.

    Example:
      >>> from jaxsched import linear_schedule
      >>> rate = rewarm(linear_schedule(1.0, 0.0, 16), period=8, warmup_steps=2)
      >>> print(*map(float, map(rate, range(6, 12))))
      0.625 0.5625 0.0 0.1875 0.375 0.3125

    Reference:
      Lialin et al., ReLoRA: High-Rank Training Through Low-Rank Updates, 2023.
    """
    warmup_steps = whole(warmup_steps)
    number, passed = divide(count, period)
    warming = (number > 0) & (passed < warmup_steps)
    ahead = jnp.minimum(warmup_steps - passed, reach() - count)
    value = at(schedule, count + jnp.where(warming, ahead, 0))
    rising = transition(init_value, value, passed, warmup_steps)
    return jnp.where(warming, rising, value)
