"""Schedules given by boundaries: one program for two of them or ten thousand."""

from typing import Annotated, Any, Literal, cast

import jax
import jax.numpy as jnp

from jaxsched.core import checks
from jaxsched.core.arithmetic.curves import Curve, cosine, linear, transition
from jaxsched.core.arithmetic.lookup import begins, lengths, locate, products, since_begin, take
from jaxsched.core.schedule import schedule
from jaxsched.core.stack import Schedules, Stack
from jaxsched.core.tables import Boundaries, Scales, Table
from jaxsched.core.types import Number

_CURVES: dict[str, Curve] = {"linear": linear, "cosine": cosine}


@schedule
def piecewise_constant_schedule(
    count: jax.Array, init_value: Number, boundaries_and_scales: Scales | None = None
):
    """A constant between boundaries, multiplied by a scale at each of them.

        rate = init_value * product of the scales of all boundaries <= count

    Known scales are multiplied in float64 and rounded once.

    Args:
      init_value: the value before the first boundary.
      boundaries_and_scales: a dict from steps to non-negative scales, in any order; None
        or an empty one for a constant.

    Example:
      >>> rate = piecewise_constant_schedule(1.0, {100: 0.1, 200: 0.5})
      >>> print(rate(99), rate(100), rate(200))
      1.0 0.1 0.05
    """
    if boundaries_and_scales is None:
        return jnp.broadcast_to(init_value, count.shape)
    table = cast(Table, boundaries_and_scales)
    value, _ = products(init_value, table.scales, locate(count, table.boundaries))
    return value


@schedule
def piecewise_interpolate_schedule(
    count: jax.Array,
    interpolate_type: Annotated[Literal["linear", "cosine"], checks.interpolation(*_CURVES)],
    init_value: Number,
    boundaries_and_scales: Scales | None = None,
):
    """Values at boundaries, joined by lines or half cosines.

    The value at boundary i is `init_value` times the product of the scales up to and with
    it, and `init_value` at step 0. From the last boundary on the value is held.

    Args:
      interpolate_type: 'linear' or 'cosine'.
      init_value: the value at step 0.
      boundaries_and_scales: a dict from steps to non-negative scales, in any order; None
        or an empty one for a constant. A scale at step 0 applies at once.

    Example:
      >>> rate = piecewise_interpolate_schedule("linear", 1.0, {4: 0.5, 8: 0.1})
      >>> print(*(f"{rate(count):.3f}" for count in range(0, 12, 2)))
      1.000 0.750 0.500 0.275 0.050 0.050
    """
    if boundaries_and_scales is None:
        return jnp.broadcast_to(init_value, count.shape)
    table = cast(Table, boundaries_and_scales)
    index = locate(count, table.boundaries)
    passed = since_begin(count, begins(table.boundaries), index)
    steps = take(lengths(table.boundaries), index)
    before, after = products(init_value, table.scales, index)
    return transition(before, after, passed, steps, _CURVES[interpolate_type])


def _enough_boundaries(hyperparams: dict[str, Any]) -> None:
    schedules, boundaries = len(hyperparams["schedules"]), hyperparams["boundaries"].shape[0]
    if boundaries < schedules - 1:
        raise ValueError(
            f"`boundaries` must be at least one fewer than `schedules`,"
            f" got {boundaries} for {schedules} schedules."
        )


@schedule(check=_enough_boundaries)
def join_schedules(count: jax.Array, schedules: Schedules, boundaries: Boundaries):
    """Schedules one after another, each from its own step 0.

        rate = schedules[i](count - boundaries[i - 1]),  i = number of boundaries <= count

    Schedules of the same form, such as a thousand cosines, become one formula over stacked
    numbers, so the program does not grow with their number; each further form adds one.

    Args:
      schedules: schedules, numbers, or functions of the count.
      boundaries: the steps at which the second and each later schedule begins, in
        ascending order. Those after the last schedule has begun are ignored, as in Optax:
        the end of the last one may be among them.

    Raises:
      ValueError: for no schedules, or boundaries that are unsorted or too few.

    Example:
      >>> from jaxsched import linear_schedule
      >>> rate = join_schedules([0.5, linear_schedule(1.0, 0.0, 4)], boundaries=[10])
      >>> print(rate(9), rate(10), rate(12))
      0.5 1.0 0.5
    """
    stack = cast(Stack, schedules)
    needed = boundaries[: len(stack) - 1]
    index = locate(count, needed)
    return stack.at(index, since_begin(count, begins(needed), index))
