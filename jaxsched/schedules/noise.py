"""Noise that is a function of the step."""

from typing import Annotated, Any

import jax
import jax.numpy as jnp

from jaxsched.core import checks
from jaxsched.core.schedule import schedule
from jaxsched.core.threefry import threefry
from jaxsched.core.types import NonNegative, Positive


def _seed(name: str, value: Any) -> Any:
    concrete = checks.known(checks.steps(name, value))
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
    bits, _ = threefry((0, seed), (0, count))
    # 24 bits as the odd numbers between -2^24 and 2^24: as many on either side, and never 0.
    odd = 2 * (bits >> 8).astype(jnp.int32) - (2**24 - 1)
    uniform = odd.astype(jnp.result_type(float)) / 2**24
    noise = limit * uniform if std is None else _cut_normal(uniform, limit, std)
    # The bounds also keep a product from being fused with the sum in some programs only.
    return 1 + jnp.clip(noise, -limit, limit)


def _cut_normal(uniform: jax.Array, limit: Any, std: Any) -> jax.Array:
    """The quantile of a normal distribution that is cut on either side."""
    scale = std * jnp.sqrt(2.0)
    return scale * jax.lax.erf_inv(uniform * jax.lax.erf(limit / scale))
