"""How long a schedule warms up."""

from typing import Any

from jaxsched.core.schedule import Schedule
from jaxsched.planning.ending import ending, number_of, rises
from jaxsched.schedules.compose import shift, stretch
from jaxsched.schedules.onecycle import cosine_onecycle_schedule, linear_onecycle_schedule
from jaxsched.schedules.piecewise import join_schedules

_INNER = ("left", "right", "schedule")


def warmed_up(schedule: Any) -> float:
    """The step at which the first warm-up of a schedule is over; 0 where it has none."""
    if not isinstance(schedule, Schedule):
        return 0
    maker, hyperparams = schedule.maker, schedule.hyperparams
    if maker in (cosine_onecycle_schedule, linear_onecycle_schedule):
        return number_of(schedule, "pct_start") * number_of(schedule, "transition_steps")
    if maker is shift:
        return max(number_of(schedule, "steps") + warmed_up(hyperparams["schedule"]), 0)
    if maker is stretch:
        return number_of(schedule, "factor") * warmed_up(hyperparams["schedule"])
    if maker is join_schedules:
        return _of_first(schedule)
    if "warmup_steps" in hyperparams:
        return number_of(schedule, "warmup_steps")
    return max((_side(hyperparams[name]) for name in _INNER if name in hyperparams), default=0)


def _of_first(schedule: Schedule) -> float:
    first = schedule.hyperparams["schedules"].member(0)
    boundaries = schedule.hyperparams["boundaries"].tolist()
    return boundaries[0] if boundaries and rises(first) else warmed_up(first)


def _side(schedule: Any) -> float:
    """Of a factor or a bound, which may be a warm-up itself."""
    end = ending(schedule)
    return end.steps if end and rises(schedule) else warmed_up(schedule)
