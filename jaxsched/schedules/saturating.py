"""A warm-up without an end."""

import jax
import jax.numpy as jnp

from jaxsched.core.arithmetic.steps import ratio
from jaxsched.core.schedule import schedule
from jaxsched.core.types import SomeSteps


@schedule
def exponential_warmup_schedule(count: jax.Array, timescale: SomeSteps):
    """A warm-up that slows down as it nears 1: a factor for any schedule.

        rate = 1 - exp(-(count + 1) / timescale)

    The first step, at count 0, is already above 0.

    Args:
      timescale: the steps after which 63 percent are reached, and 95 after three times as many.

    Example:
      >>> from jaxsched import constant_schedule
      >>> rate = exponential_warmup_schedule(100) * constant_schedule(0.5)
      >>> print(*(f"{rate(count):.4f}" for count in (0, 99, 299, 5000)))
      0.0050 0.3161 0.4751 0.5000

    Reference:
      Ma and Yarats, On the Adequacy of Untuned Warmup for Adaptive Optimization, 2021.
    """
    return -jnp.expm1(-ratio(count + 1.0, timescale))
