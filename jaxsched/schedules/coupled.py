"""Hyperparameters that follow the learning rate."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxsched.core import checks
from jaxsched.core.arithmetic.curves import transition
from jaxsched.core.schedule import Operand, Schedule, at, multiply, operand, schedule
from jaxsched.core.types import Number, ScheduleFn


def _in_order(hyperparams: dict[str, Any]) -> None:
    checks.in_order("low", hyperparams["low"], "high", hyperparams["high"])
    ends = [hyperparams["floor"], hyperparams["peak"]]
    if all(map(checks.is_number, ends)):
        checks.in_order("floor", ends[0], "peak", ends[1])
        floor, peak = map(checks.known, ends)
        if floor is not None and floor == peak:
            checks.refuse("peak", peak, "above `floor`")


@schedule(check=_in_order)
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


def coupled(
    schedule: ScheduleFn | float,
    *,
    peak: float,
    floor: ScheduleFn | float | None = None,
    **hyperparams: float | tuple[float, float],
) -> dict[str, Any]:
    """One schedule for the learning rate, and with it for other hyperparameters.

    For `optax.inject_hyperparams`:

        optax.inject_hyperparams(optax.adamw)(
            **coupled(schedule, peak=1e-3, floor=0.0, b1=(0.85, 0.95), weight_decay=0.1)
        )

    A number is in proportion to the rate, `value schedule(count) / peak`. A pair `(low, high)`
    is mirrored against it: low where the rate is at its peak, high at its floor; see `mirror`.

    Args:
      schedule: the learning rate, a schedule or a function of the count. Not a controller.
      peak: the rate at which a number has its full value, and a pair its low one; positive.
      floor: the rate at which a pair has its high value, a number or a schedule; needed
        where there is a pair.
      **hyperparams: numbers and pairs, by the optimizer's names for them.

    Returns:
      A dict of schedules with these names, and `schedule` itself as "learning_rate".

    Raises:
      TypeError: for a controller, for a pair without `floor`, for what is neither a number nor
        a pair, or if there is neither.
      ValueError: for a `peak` that is not positive, and as `mirror` does.

    Example:
      >>> from jaxsched import linear_schedule
      >>> rate = linear_schedule(0.5, 0.0, 4)
      >>> several = coupled(rate, peak=0.5, floor=0.0, b1=(0.5, 1.0), weight_decay=0.25)
      >>> {name: float(value(1)) for name, value in several.items()}
      {'learning_rate': 0.375, 'b1': 0.625, 'weight_decay': 0.1875}
    """
    rate = operand("schedule", schedule)
    checks.positive("peak", peak)
    if not hyperparams or "learning_rate" in hyperparams:
        names = ", ".join(map(repr, hyperparams)) or "nothing"
        raise TypeError(f"`coupled` needs other hyperparameters than the rate, got {names}.")
    others = {
        name: _follower(name, value, rate, peak, floor) for name, value in hyperparams.items()
    }
    return {"learning_rate": rate, **others}


def _follower(name: str, value: Any, rate: Any, peak: Any, floor: Any) -> Schedule:
    if not isinstance(value, (tuple, list)):
        return multiply(rate, checks.number(name, value) / peak)
    if len(value) != 2:
        checks.refuse(name, value, "a number, or a pair of the low and the high value", TypeError)
    if floor is None:
        raise TypeError(f"`{name}`, a pair, needs the `floor` of the rate, got none.")
    low, high = (checks.number(f"{name}[{i}]", end) for i, end in enumerate(value))
    return mirror(rate, low, high, floor, peak)
