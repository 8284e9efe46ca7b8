"""Rates that are those of the previous step times a factor."""

from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsched.core import checks
from jaxsched.core.arithmetic.lookup import products
from jaxsched.core.leaves import Whole
from jaxsched.core.reach import whole_dtype
from jaxsched.core.sampled import sampled
from jaxsched.core.schedule import Operand, schedule
from jaxsched.core.types import Number

MOST_STEPS = 10_000_000


def _static_steps(name: str, value: Any) -> Whole:
    """A whole number of steps that is part of the program: so many factors are tabulated."""
    concrete = checks.known(checks.steps(name, value))
    if concrete is None:
        checks.refuse(name, value, "known when the schedule is made", TypeError)
    if concrete != int(concrete) or not 1 <= concrete <= MOST_STEPS:
        checks.refuse(name, value, f"a whole number from 1 to {MOST_STEPS}")
    return Whole(concrete)


@schedule
def cumulative_product_schedule(
    count: jax.Array,
    init_value: Number,
    factor: Operand,
    transition_steps: Annotated[int, _static_steps],
):
    """The rate of the previous step times a factor that is itself a schedule.

        rate = init_value factor(1) factor(2) ... factor(count)

    up to step `transition_steps`, held from there on; between steps the value of the last one
    holds. Known factors are computed and multiplied in float64, and each product is rounded
    once. In a program that takes the factor as an argument they are multiplied in float32,
    which may lose a digit in some hundred steps.

    Args:
      init_value: the value at step 0.
      factor: a schedule, a number, or a function of the count; one that JAX cannot trace is
        called with Python integers when a program is compiled.
      transition_steps: how many factors there are; a table of them is part of the program.
        A whole number from 1 to 10,000,000, and never traced.

    Raises:
      TypeError: if `transition_steps` is traced.
      ValueError: when it is called, for a known factor that is not finite.

    Example:
      >>> rate = cumulative_product_schedule(1.0, lambda t: 0.5 if t % 2 else 1.0, 4)
      >>> print(*map(float, map(rate, range(7))))
      1.0 0.5 0.5 0.25 0.25 0.25 0.25

    Reference:
      `MultiplicativeLR` of PyTorch.
    """
    factors = sampled(factor, transition_steps)
    if factors.ndim != 1:
        checks.refuse("factor", factor, "a number at each count", TypeError)
    if isinstance(factors, np.ndarray) and not np.isfinite(factors).all():
        checks.refuse("factor", factor, f"finite at counts 1 to {transition_steps}")
    reached = jnp.minimum(count, transition_steps).astype(whole_dtype())
    value, _ = products(init_value, factors, reached)
    return value
