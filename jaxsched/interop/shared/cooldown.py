"""A straight way down to 0 in the last steps of a run, as a factor."""

from jaxsched.core.checks import MAX_COUNT
from jaxsched.core.schedule import Schedule
from jaxsched.schedules.decay import linear_schedule


def to_zero(total_steps: float, steps: float, earliest: float = 0) -> Schedule:
    """`(total_steps - count) / steps` between 1 and 0, held before `earliest`."""
    begin = max(total_steps - steps, earliest)
    first = min((total_steps - begin) / steps, 1.0)
    return linear_schedule(first, 0.0, total_steps - begin, begin)


def through_zero(total_steps: float, steps: float, earliest: float = 0) -> Schedule:
    """The same, which goes on below 0."""
    return to_zero(total_steps, steps, earliest) - _beyond(total_steps, steps)


def _beyond(begin: float, steps: float) -> Schedule:
    """A line from 0 at a step, 1 every so many steps, as far as a count goes."""
    times = (MAX_COUNT - begin) // steps
    return linear_schedule(0.0, float(times), times * steps, begin)
