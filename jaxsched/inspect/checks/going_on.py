"""Findings on a run that goes on from a checkpoint with another schedule."""

from typing import Any, NamedTuple

import numpy as np

from jaxsched.core import checks
from jaxsched.core.schedule import Operand, operand
from jaxsched.inspect.checks.view import Finding, View
from jaxsched.inspect.samples import number, sample
from jaxsched.planning.jumps import jump


class Resumed(NamedTuple):
    """Where a run goes on.

    Attributes:
      old: the schedule until then.
      count: the step from which on the new one holds.
    """

    old: Operand
    count: int


def resumed(value: Any) -> Resumed:
    """A pair of the schedule until then and of a count."""
    if not isinstance(value, tuple) or len(value) != 2:
        checks.refuse("resumed_from", value, "a pair `(schedule, count)`", TypeError)
    old, count = value
    checks.whole_number("resumed_from[1]", count)
    return Resumed(operand("resumed_from[0]", old), int(count))


def going_on(view: View, before: Resumed) -> list[Finding]:
    """What is wrong where the run goes on; of several findings, the most telling."""
    return _over_already(view, before) or _warms_up_again(view, before) or _jumps(view, before)


def _over_already(view: View, before: Resumed) -> list[Finding]:
    end, final = view.end, view.whole.values[-1]
    if end is None or end > before.count or final >= 0.999 * view.highest:
        return []
    message = (
        f"The schedule is over at about step {end}, and the run goes on at {before.count}: its rate"
        f" would be {number(final)} to the end. `extend` moves the end."
    )
    return [Finding(before.count, message)]


def _warms_up_again(view: View, before: Resumed) -> list[Finding]:
    lived = np.arange(before.count + 1) if before.count < 1000 else _spread(before.count)
    highest = sample(before.old, lived).values.max()
    here = view.run.steps >= before.count
    steps, values = view.run.steps[here], view.run.values[here]
    now = sample(before.old, np.array([before.count])).values[0]
    if not values.size or values[0] > 0.5 * now or now < 0.5 * highest:
        return []
    top = int(values.argmax())
    if values[top] < 2 * values[0] or np.any(np.diff(values[: top + 1]) < 0):
        return []
    message = (
        f"The run has warmed up to {number(highest)} already, and warms up again: the rate jumps"
        f" {jump(before.old, view.schedule, before.count)}, and is at {number(values[top])} at step"
        f" {steps[top]}. A schedule that goes on needs its old count, or no warm-up."
    )
    return [Finding(before.count, message)]


def _spread(count: int) -> np.ndarray:
    return np.arange(1001) * count // 1000


def _jumps(view: View, before: Resumed) -> list[Finding]:
    far = jump(before.old, view.schedule, before.count)
    if not far:
        return []
    message = (
        f"The rate jumps where the run goes on, {far}: the new schedule is not the old one there,"
        " as happens where a length is changed that the rates before its end depend on."
    )
    return [Finding(before.count, message)]
