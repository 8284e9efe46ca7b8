"""Warm-ups that follow from Adam's second decay rate: factors to multiply a schedule with."""

import math
from decimal import Decimal, localcontext
from typing import Annotated, Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxsched.core import checks
from jaxsched.core.arithmetic.chosen import from_known
from jaxsched.core.arithmetic.steps import ratio, unfused
from jaxsched.core.schedule import schedule
from jaxsched.core.types import BelowOne
from jaxsched.schedules.saturating import exponential_warmup_schedule


@schedule
def untuned_warmup_schedule(
    count: jax.Array,
    b2: BelowOne,
    shape: Annotated[
        Literal["exponential", "linear"], checks.choice("exponential", "linear")
    ] = "exponential",
):
    """A warm-up as long as Adam's second moment needs: a factor from 0 to 1.

        rate = 1 - exp(-(count + 1) / T),  T = int(1 / (1 - b2))   for the shape 'exponential'
        rate = min((count + 1) / T, 1),    T = int(2 / (1 - b2))   for the shape 'linear'

    It multiplies any schedule. The first step, at count 0, is already above 0. The lengths
    are whole, rounded down as Python computes them: 999 and 1999 for `b2=0.999`.

    Args:
      b2: the decay rate of Adam's second moment, at least 0 and below 1.
      shape: 'exponential' or 'linear'.

    Example:
      >>> from jaxsched import constant_schedule
      >>> rate = untuned_warmup_schedule(0.99, shape="linear") * constant_schedule(0.5)
      >>> print(*(f"{rate(count):.4f}" for count in (0, 98, 1000)))
      0.0025 0.2487 0.5000

    Reference:
      Ma and Yarats, On the Adequacy of Untuned Warmup for Adaptive Optimization, 2021; the
      lengths are those of pytorch-warmup.
    """
    if shape == "exponential":
        return exponential_warmup_schedule.function(count, _whole_length(1.0, b2))
    passed, length = count + 1.0, _whole_length(2.0, b2)
    return jnp.where(passed < length, jnp.minimum(ratio(passed, length), 1), 1)


def _whole_length(numerator: float, b2: Any) -> Any:
    length = from_known(lambda b2: float(int(numerator / (1.0 - b2))), b2)
    return length if length is not None else jnp.floor(numerator / (1 - b2))


@checks.exact
def _second_decay_rate(name: str, value: Any) -> Any:
    concrete = checks.known(checks.number(name, value))
    if concrete is not None and not 0.6 < concrete < 1:
        checks.refuse(name, value, "above 0.6 and below 1")
    return value


SecondDecayRate = Annotated[float | jax.Array, _second_decay_rate]


@schedule
def radam_warmup_schedule(count: jax.Array, b2: SecondDecayRate):
    """The rectification of RAdam as a warm-up: a factor from 0 to 1.

        rate = sqrt((r - 4) (r - 2) R / ((R - 4) (R - 2) r))
        r    = R - 2 t b2 ** t / (1 - b2 ** t)
        R    = 2 / (1 - b2) - 1
        t    = count + d,  d the first t with r > 4

    It multiplies any schedule. R - r is never taken: it would cancel for `b2` near 1.

    Args:
      b2: the decay rate of Adam's second moment, above 0.6 and below 1.

    Example:
      >>> rate = radam_warmup_schedule(0.999)
      >>> print(*(f"{rate(count):.4f}" for count in (0, 100, 1000, 10000)))
      0.0173 0.2209 0.6466 0.9998

    Reference:
      Liu et al., On the Variance of the Adaptive Learning Rate and Beyond, 2020; the offset d
      is that of pytorch-warmup.
    """
    decay, limit = _rate_and_limit(b2)
    gap = _gap(count + _first(b2, decay, limit), decay, limit)
    gap = jnp.maximum(gap, jnp.finfo(gap.dtype).eps)
    return jnp.minimum(jnp.sqrt(_variance(gap) / _variance(limit)), 1)


def _first(b2: Any, decay: jax.Array, limit: jax.Array) -> Any:
    """The first t with r > 4; where `b2` is known in 60 digits, as then r may cancel."""
    known = from_known(_first_of_known, b2)
    if known is not None:
        return known
    before = _gap(jnp.arange(1.0, 129.0), decay, limit) <= 0
    return 1 + jnp.sum(before).astype(decay.dtype)


def _first_of_known(b2: float) -> float:
    t = 1
    with localcontext(prec=60):
        known = Decimal(b2)
        while 2 / (1 - known) - 1 - 2 * t * known**t / (1 - known**t) <= 4:
            t += 1
    return float(t)


def _rate_and_limit(b2: Any) -> tuple[jax.Array, jax.Array]:
    """`-log(b2)` and `R - 4`, in float64 where `b2` is known."""
    known = from_known(lambda b2: -math.log(b2), b2)
    rate = known if known is not None else -jnp.log1p(b2 - 1)
    # Of a `b2` near 0.6 the difference from 1/2 is exact, and 5 b2 is not.
    limit = (5 * (b2 - 0.5) - 0.5) / (1 - b2)
    return jnp.asarray(rate, jnp.result_type(float)), jnp.asarray(limit, jnp.result_type(float))


# Where to go over from one form to the other: the series is cut off at 1e-9 there in float32.
_EARLY = {np.dtype("float32"): 2.5, np.dtype("float64"): 0.5}
_LANGEVIN = (
    *(1 / 3, 1 / 45, 2 / 945, 1 / 4725, 2 / 93555, 1382 / 638512875, 4 / 18243225),
    *(3617 / 162820783125, 87734 / 38979295480125, 349222 / 1531329465290625),
    310732 / 13447856940643125,
)


def _gap(t: jax.Array, rate: jax.Array, limit: jax.Array) -> jax.Array:
    """`r - 4` after t steps.

    With a = -log(b2) it is `2 / a - 2 t / (exp(a t) - 1) + L(a / 2) - 4`, where L is Langevin's
    `coth x - 1 / x`. While a t is small the first two terms are large, and nearly cancel: then
    it is `t - t L(a t / 2) + L(a / 2) - 4`.
    """
    grown = rate * t
    switch = _EARLY[grown.dtype]
    early = (t - 4 + _langevin(rate / 2)) - unfused(t * _langevin(jnp.minimum(grown, switch) / 2))
    late = limit - 2 * t / jnp.expm1(jnp.minimum(grown, 60))
    return jnp.where(grown < switch, early, late)


def _langevin(x: jax.Array) -> jax.Array:
    """`coth x - 1 / x` for x from 0 to 1.25, by its series, whose terms alternate."""
    square, series = x * x, jnp.asarray(0.0, x.dtype)
    for coefficient in reversed(_LANGEVIN):
        series = coefficient - unfused(square * series)
    return x * series


def _variance(gap: jax.Array) -> jax.Array:
    """`(r - 4) (r - 2) / r`."""
    return gap / (gap + 4) * (gap + 2)
