"""A schedule to and fro."""

import jax
import jax.numpy as jnp

from jaxsched.core.arithmetic.steps import divide
from jaxsched.core.schedule import Operand, at, schedule
from jaxsched.core.types import Period


@schedule
def reflect(count: jax.Array, schedule: Operand, period: Period):
    """The first `period` steps of any schedule forwards and backwards again, without end.

        rate = schedule(t)            in every cycle of even number, from 0
        rate = schedule(period - t)   in every one of odd number
        t    = count mod period

    What PyTorch's cosine annealing does after its end.

    Args:
      schedule: any schedule, number or function of the count.
      period: the number of steps one way.

    Example:
      >>> from jaxsched import linear_schedule
      >>> rate = reflect(linear_schedule(1.0, 0.0, 2), period=2)
      >>> print(*map(float, map(rate, range(6))))
      1.0 0.5 0.0 0.5 1.0 0.5
    """
    cycle, passed = divide(count, period)
    return at(schedule, jnp.where(cycle % 2 == 1, period - passed, passed))
