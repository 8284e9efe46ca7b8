"""A hyperparameter that goes against the learning rate."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxsched.core import checks
from jaxsched.core.arithmetic.curves import transition
from jaxsched.core.schedule import Operand, at, schedule
from jaxsched.core.types import Number


def in_order(hyperparams: dict[str, Any]) -> None:
    """Raises for a low end above the high one, of the values or of the rates."""
    checks.in_order("low", hyperparams["low"], "high", hyperparams["high"])
    ends = [hyperparams["floor"], hyperparams["peak"]]
    if all(map(checks.is_number, ends)):
        checks.in_order("floor", ends[0], "peak", ends[1])
        floor, peak = map(checks.known, ends)
        if floor is not None and floor == peak:
            checks.refuse("peak", peak, "above `floor`")


@schedule(check=in_order)
def mirror(
    count: jax.Array, schedule: Operand, low: Number, high: Number, floor: Operand, peak: Operand
):
    """A value that goes down as a rate goes up, and up as it goes down.

        value = high - (high - low) (rate - floor) / (peak - floor),  rate = schedule(count)

    held between the two: `low` where the rate is at or above its peak, `high` where it is at
    or below its floor, exactly. For the momentum of a one-cycle policy, whose floor is the
    first rate before its peak and the last rate behind it:

        floor = join_schedules([init_value, end_value], [peak_step])

    Args:
      schedule: the rate; a schedule, a number, or a function of the count.
      low: the value where the rate is at its peak.
      high: the value where it is at its floor.
      floor: the lowest rate; a number, or a schedule of them.
      peak: the highest rate; likewise.

    Raises:
      ValueError: for a `low` above `high`, or a `peak` that is not above `floor`.

    Example:
      >>> from jaxsched import linear_schedule
      >>> rate = linear_schedule(1.0, 0.0, 4)
      >>> momentum = mirror(rate, low=0.5, high=1.0, floor=0.0, peak=1.0)
      >>> print(*(f"{momentum(count):.3f}" for count in range(6)))
      0.500 0.625 0.750 0.875 1.000 1.000

    Reference:
      `cycle_momentum` of PyTorch's `OneCycleLR` and `CyclicLR`; Smith, A Disciplined Approach to
      Neural Network Hyper-Parameters, 2018.
    """
    bottom, top = (jnp.asarray(at(end, count), jnp.result_type(float)) for end in (floor, peak))
    return transition(high, low, at(schedule, count) - bottom, top - bottom)
