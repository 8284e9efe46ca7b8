"""A run made longer or shorter, without a jump of the rate."""

from typing import Any, overload

from jaxsched.control.controllers.controller import Controller
from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.core.traced import any_traced
from jaxsched.planning.ending import Ending, ending
from jaxsched.planning.jumps import jump
from jaxsched.planning.reacting import inside


@overload
def extend(schedule: Controller, total_steps: int, count: int | None = ...) -> Controller: ...
@overload
def extend(schedule: Schedule, total_steps: int, count: int | None = ...) -> Schedule: ...


def extend(schedule: Any, total_steps: int, count: int | None = None) -> Any:
    """A schedule with its end moved, where the run can go on without a jump of the rate.

    What turns towards its end at a step, as a warm-up-stable-decay, turns later or sooner, with a
    decay as long as before; what is on its way from the beginning, as a cosine, is made longer
    or shorter. That is found inside of `with_warmup`, `join_schedules`, `shift`, products and the
    like, too; of several side by side those move that end last. The state of the optimizer
    goes on as it is, of a controller likewise.

    Args:
      schedule: a schedule that has an end; or a controller with one whose schedule counts the
        updates, such as `reduce_on`.
      total_steps: the step from which on it is to be at its last value.
      count: the step from which on the run goes on, the count of its state; 0 for a run that has
        not begun. If not given, the step at which the old or the new schedule turns towards its
        end, and where there is none, the end of the shorter of the two.

    Raises:
      ValueError: where the rate would jump by more than a thousandth, with the step and the two
        rates; for what has no end; for an end before `count`, or one too soon for the schedule.
      TypeError: for numbers that are traced.

    Example:
      >>> from jaxsched import cosine_decay_schedule, warmup_stable_decay_schedule
      >>> extend(warmup_stable_decay_schedule(0.0, 1.0, 100, 800, decay_steps=200), 5000)
      warmup_stable_decay_schedule(init_value=0.0, peak_value=1.0, warmup_steps=100,
       decay_begin=4800, decay_steps=200)
      >>> extend(cosine_decay_schedule(1.0, 1000), 2000, count=0)
      cosine_decay_schedule(init_value=1.0, decay_steps=2000)
      >>> extend(cosine_decay_schedule(1.0, 1000), 2000)
      Traceback (most recent call last):
      ValueError: The rate would jump at 1000 from 0 to 0.5: `cosine_decay_schedule` depends on its
      length there. Give the `count` from which the run goes on, or `branch` from a constant.
    """
    checks.period("total_steps", checks.whole_number("total_steps", total_steps))
    if isinstance(schedule, Controller):
        return inside(schedule, lambda inner: extend(inner, total_steps, count))
    end = _ending(schedule)
    moved = _moved(end, total_steps)
    here = _going_on(end, moved) if count is None else checks.whole_number("count", count)
    if count is not None and here >= total_steps:
        checks.refuse("total_steps", total_steps, f"above the `count` of {count}")
    far = jump(schedule, moved, int(here))
    if far:
        raise ValueError(
            f"The rate would jump {far}: `{schedule.maker.__name__}` depends on its length there."
            " Give the `count` from which the run goes on, or `branch` from a constant."
        )
    return moved


def _ending(schedule: Any) -> Ending:
    if any_traced(schedule):
        checks.refuse("schedule", schedule, "one whose numbers are known", TypeError)
    end = ending(schedule)
    if end is None:
        checks.refuse("schedule", schedule, "one that has an end, such as a cosine decay")
    return end


def _moved(end: Ending, total_steps: int) -> Schedule:
    try:
        return end.moved(total_steps)
    except ValueError as error:
        raise ValueError(f"`total_steps` is too short, got {total_steps}: {error}") from None


def _going_on(old: Ending, moved: Schedule) -> float:
    return min(old.begin, _ending(moved).begin)
