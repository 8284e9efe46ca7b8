"""Hyperparameters that follow the learning rate, also a controlled one."""

from typing import Any

from jaxsched.control.controllers.controller import Controller, Rate, controller, read_rate
from jaxsched.control.controllers.phase import Phase
from jaxsched.core import checks
from jaxsched.core.schedule import Operand, Schedule, at, multiply
from jaxsched.core.types import Number, ScheduleFn
from jaxsched.schedules.mirror import in_order, mirror


@controller()
def _proportional(phase: Phase, schedule: Rate, factor: Number):
    """A multiple of what another controller gives."""
    return phase, factor * at(schedule, phase.count)


@controller(check=in_order)
def _mirrored(
    phase: Phase, schedule: Rate, low: Number, high: Number, floor: Operand, peak: Operand
):
    """What goes down as another controller goes up: `mirror` of it."""
    return phase, mirror.function(phase.count, schedule, low, high, floor, peak)


def coupled(
    schedule: ScheduleFn | float | Controller,
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
      schedule: the learning rate, a schedule, a function of the count, or a controller. What
        follows a controller hears the same metrics and keeps a state of its own, equal to its.
      peak: the rate at which a number has its full value, and a pair its low one; positive.
      floor: the rate at which a pair has its high value, a number or a schedule; needed
        where there is a pair.
      **hyperparams: numbers and pairs, by the optimizer's names for them.

    Returns:
      A dict of schedules, or of controllers, with these names, and `schedule` itself as
      "learning_rate".

    Raises:
      TypeError: for a pair without `floor`, for what is neither a number nor a pair, or if
        there is neither.
      ValueError: for a `peak` that is not positive, and as `mirror` does.

    Example:
      >>> from jaxsched import linear_schedule
      >>> rate = linear_schedule(0.5, 0.0, 4)
      >>> several = coupled(rate, peak=0.5, floor=0.0, b1=(0.5, 1.0), weight_decay=0.25)
      >>> {name: float(value(1)) for name, value in several.items()}
      {'learning_rate': 0.375, 'b1': 0.625, 'weight_decay': 0.1875}
    """
    rate = read_rate("schedule", schedule)
    checks.positive("peak", peak)
    if not hyperparams or "learning_rate" in hyperparams:
        names = ", ".join(map(repr, hyperparams)) or "nothing"
        raise TypeError(f"`coupled` needs other hyperparameters than the rate, got {names}.")
    others = {
        name: _follower(name, value, rate, peak, floor) for name, value in hyperparams.items()
    }
    return {"learning_rate": rate, **others}


def _follower(name: str, value: Any, rate: Any, peak: Any, floor: Any) -> Schedule | Controller:
    controlled = isinstance(rate, Controller)
    if not isinstance(value, (tuple, list)):
        share = checks.number(name, value) / peak
        return _proportional(rate, share) if controlled else multiply(rate, share)
    if len(value) != 2:
        checks.refuse(name, value, "a number, or a pair of the low and the high value", TypeError)
    if floor is None:
        raise TypeError(f"`{name}`, a pair, needs the `floor` of the rate, got none.")
    low, high = (checks.number(f"{name}[{i}]", end) for i, end in enumerate(value))
    make = _mirrored if controlled else mirror
    return make(rate, low, high, floor, peak)
