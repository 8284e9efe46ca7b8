"""Lines between milestones, and where a scheduler stands."""

from typing import Any

from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.interop.shared.parts import Part, joined
from jaxsched.interop.shared.reading import (
    read,
    whole_steps,
)
from jaxsched.schedules.compose import shift
from jaxsched.schedules.table import table_schedule


def moved(schedule: Schedule, steps: int) -> Schedule:
    """A schedule from one of its steps on."""
    return shift(schedule, -steps) if steps else schedule


def piecewise(scheduler: Any) -> Schedule:
    """The lines between the milestones, from the first event on."""
    milestones, values = read(scheduler, "milestones"), read(scheduler, "values")
    runs: list[tuple[int, list[int], list[float]]] = [(0, [], [])]
    for step, value in zip(milestones, values, strict=True):
        begin, knots, reached = runs[-1]
        if knots and knots[-1] == step - begin:
            # A jump: up to here the line goes to the value before it.
            runs.append((step, [0], [value]))
        else:
            knots.append(whole_steps("milestones", step) - begin)
            reached.append(checks.number("values", value))
    return joined([Part(begin, table_schedule(values, knots)) for begin, knots, values in runs])
