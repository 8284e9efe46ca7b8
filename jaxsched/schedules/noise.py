"""Noise that is a function of the step."""

import math
from typing import Annotated, Any

import jax
import jax.numpy as jnp

from jaxsched.core import checks
from jaxsched.core.arithmetic.steps import unfused
from jaxsched.core.arithmetic.threefry import threefry
from jaxsched.core.schedule import schedule
from jaxsched.core.types import NonNegative, Positive


def _seed(name: str, value: Any) -> Any:
    concrete = checks.known(checks.at_most_int32(name, value))
    if concrete is not None and concrete != int(concrete):
        checks.refuse(name, value, "a whole number")
    return value


@schedule
def noise_schedule(
    count: jax.Array,
    limit: NonNegative,
    std: Positive | None = None,
    seed: Annotated[int | jax.Array, _seed] = 0,
):
    """A random factor about 1, another at each step: to be multiplied with a schedule.

        rate = 1 + n,  n uniform between -limit and limit                     without std
        rate = 1 + n,  n normal with deviation std, given that |n| < limit     with std

    Seeded by the step: the same step and seed give the same factor in every program and on
    every device, up to rounding, so a run that is resumed sees the noise it would have seen.
    Between steps the value of the last one holds.

    Args:
      limit: the largest deviation from 1. Above 1 the factor may be negative.
      std: the standard deviation before the normal distribution is cut at `limit`.
      seed: a whole number from 0 to 2^31-1; each is another sequence.

    Example:
      >>> from jaxsched import cosine_decay_schedule
      >>> noise = noise_schedule(0.1, seed=1)
      >>> print(*(f"{noise(count):.4f}" for count in range(4)))
      0.9236 0.9908 1.0137 1.0662
      >>> rate = cosine_decay_schedule(1e-3, 1000) * noise_schedule(0.67, std=1.0)
      >>> print(f"{rate(500):.3e}")
      2.089e-04
    """
    high = count >> 32 if count.dtype == jnp.int64 else 0
    bits, _ = threefry((0, seed), (high, count))
    # 24 bits as the odd numbers between -2^24 and 2^24: as many on either side, and never 0.
    odd = 2 * (bits >> 8).astype(jnp.int32) - (2**24 - 1)
    uniform = odd.astype(jnp.result_type(float)) / 2**24
    noise = limit * uniform if std is None else _cut_normal(uniform, limit, std)
    # The bounds also keep a product from being fused with the sum in some programs only.
    return 1 + jnp.clip(noise, -limit, limit)


def _cut_normal(uniform: jax.Array, limit: Any, std: Any) -> jax.Array:
    """The quantile of a normal distribution that is cut on either side.

    By what is left to 1, which near it has digits that the number itself has not.
    """
    scale = std * math.sqrt(2)
    known = isinstance(limit, (int, float)) and isinstance(std, (int, float))
    beyond = math.erfc(limit / scale) if known else jax.lax.erfc(limit / scale)
    size = jnp.abs(uniform)
    left = beyond + unfused((1 - beyond) * (1 - size))
    return scale * jnp.sign(uniform) * _inverse_erfc(left, size * (1 - beyond))


# Giles, Approximating the erfinv Function, 2011: the polynomials of single precision.
_MIDDLE = (
    *(2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087),
    *(-0.00125372503, -0.00417768164, 0.246640727, 1.50140941),
)
_TAIL = (
    *(-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773),
    *(-0.0076224613, 0.00943887047, 1.00167406, 2.83297682),
)


def _inverse_erfc(left: jax.Array, size: jax.Array) -> jax.Array:
    """Where the error function is `size`, which is `1 - left`."""
    if left.dtype == jnp.float64:
        return jax.lax.erf_inv(size)
    log = -jnp.log(left * (2 - left))
    tail = log >= 5
    x = jnp.where(tail, jnp.sqrt(jnp.where(tail, log, 9)) - 3, log - 2.5)
    value = jnp.zeros_like(x)
    for middle, outer in zip(_MIDDLE, _TAIL, strict=True):
        value = jnp.where(tail, outer, middle) + unfused(value * x)
    return value * size
