"""Schedules given by their values."""

from typing import Annotated, Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxsched.core import checks
from jaxsched.core.arithmetic.curves import Curve, linear, transition
from jaxsched.core.arithmetic.lookup import locate, take
from jaxsched.core.arithmetic.monotone import cubic, slopes
from jaxsched.core.arithmetic.steps import not_negative
from jaxsched.core.reach import whole_dtype
from jaxsched.core.schedule import schedule
from jaxsched.core.tables import Boundaries, Values

Kind = Annotated[
    Literal["linear", "constant", "monotone"],
    checks.interpolation("linear", "constant", "monotone"),
]


def _one_value_a_knot(hyperparams: dict[str, Any]) -> None:
    values, knots = hyperparams["values"], hyperparams["knots"]
    if knots is None:
        return
    if knots.shape[0] != values.shape[0]:
        raise ValueError(
            f"`knots` must be as many as `values`,"
            f" got {knots.shape[0]} for {values.shape[0]} values."
        )
    if isinstance(knots, np.ndarray) and not np.all(np.diff(knots) > 0):
        checks.refuse("knots", knots.tolist(), "in strictly ascending order")


@schedule(check=_one_value_a_knot)
def table_schedule(
    count: jax.Array,
    values: Values,
    knots: Boundaries | None = None,
    interpolate_type: Kind = "linear",
):
    """Values by step, or through knots: from a list, a file, or another program's record.

        rate = values[i]                                         at count = knots[i]
        rate = v + (values[i + 1] - v) u,  v = values[i]         between knots, 'linear'
        u    = (count - knots[i]) / (knots[i + 1] - knots[i])

    The first value holds before the first knot, the last from the last knot on. A million
    values are one lookup.

    Args:
      values: one or more numbers.
      knots: the steps at which the values are reached, in strictly ascending order. None is
        one value a step: `values[i]` at step i.
      interpolate_type: 'linear'; 'constant', which holds a value up to the next knot; or
        'monotone', a smooth curve (PCHIP) that stays between the values of neighbouring
        knots and turns only at knots.

    Raises:
      ValueError: for no values, or knots that are unsorted or not as many.

    Example:
      >>> print(*map(float, map(table_schedule([0.5, 1.0, 0.25]), range(5))))
      0.5 1.0 0.25 0.25 0.25
      >>> rate = table_schedule([0.0, 1.0, 0.5], knots=[0, 4, 8])
      >>> print(*map(float, map(rate, range(0, 12, 2))))
      0.0 0.5 1.0 0.75 0.5 0.5
      >>> smooth = rate.replace(interpolate_type="monotone")
      >>> print(*map(float, map(smooth, range(0, 12, 2))))
      0.0 0.71875 1.0 0.90625 0.5 0.5

    Reference:
      Fritsch and Butland, A Method for Constructing Local Monotone Piecewise Cubic
      Interpolants, 1984.
    """
    last = len(values) - 1
    if knots is None:
        left = jnp.minimum(count, last).astype(whole_dtype())
        right = jnp.minimum(left + 1, last)
        passed, steps = count - left, right - left
    else:
        reached = locate(count, knots)
        left, right = jnp.maximum(reached - 1, 0), jnp.minimum(reached, last)
        begin = take(knots, left)
        passed, steps = not_negative(count - begin), take(knots, right) - begin
    value = take(values, left)
    by_step = knots is None and jnp.issubdtype(count.dtype, jnp.integer)
    if by_step or last == 0 or interpolate_type == "constant":
        return value
    curve = linear
    if interpolate_type == "monotone":
        curve = _monotone(values, knots, jnp.minimum(left, last - 1))
    return transition(value, take(values, right), passed, steps, curve)


def _monotone(values: Any, knots: Any, segment: jax.Array) -> Curve:
    known = isinstance(values, np.ndarray) and isinstance(knots, (np.ndarray, type(None)))
    xp = np if known else jnp
    values = xp.asarray(values, xp.result_type(float))
    lengths = xp.ones(values.shape[0] - 1) if knots is None else xp.diff(xp.asarray(knots))
    return cubic(*take(slopes(values, lengths.astype(values.dtype)), segment))
