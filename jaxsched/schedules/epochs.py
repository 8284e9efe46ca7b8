"""A schedule of epochs, by the update."""

import jax

from jaxsched.core.arithmetic.steps import divide
from jaxsched.core.schedule import Operand, at, schedule
from jaxsched.core.types import Period


@schedule
def by_epoch(count: jax.Array, schedule: Operand, steps_per_epoch: Period):
    """A schedule whose clock counts epochs, at each update: `rate = schedule(epoch)`.

        epoch = floor(count / steps_per_epoch)

    The quotient is rounded down by integer division, so the value changes at the first update
    of an epoch and at no other. See `stretch` for a change at every update.

    Args:
      schedule: any schedule, number or function of the epoch.
      steps_per_epoch: the updates in an epoch.

    Example:
      >>> from jaxsched import linear_schedule
      >>> rate = by_epoch(linear_schedule(1.0, 0.0, 4), steps_per_epoch=2)
      >>> print(*map(float, map(rate, range(5))))
      1.0 1.0 0.75 0.75 0.5
    """
    epoch, _ = divide(count, steps_per_epoch)
    return at(schedule, epoch)
