"""Findings on single rates: those that are not finite, negative or 0."""

import numpy as np

from jaxsched.inspect.checks.view import Finding, View
from jaxsched.inspect.samples import number


def not_finite(view: View) -> list[Finding]:
    """The first rate that is NaN or infinite."""
    wrong = np.flatnonzero(~np.isfinite(view.run.values))
    if not wrong.size:
        return []
    step, value = int(view.run.steps[wrong[0]]), float(view.run.values[wrong[0]])
    message = (
        f"The rate is {value}, here and at {wrong.size - 1} other steps:"
        " look for a division by 0, or for a table with such a value."
    )
    return [Finding(step, message)]


def negative(view: View) -> list[Finding]:
    """The first rate that is below 0."""
    wrong = np.flatnonzero(view.run.values < 0)
    if not wrong.size:
        return []
    step, value = int(view.run.steps[wrong[0]]), float(view.run.values[wrong[0]])
    message = (
        f"The rate is negative, {number(value)}, here and at {wrong.size - 1} other steps:"
        " a decay goes below 0, or has the wrong sign; `maximum(schedule, 0)` would stop it."
    )
    return [Finding(step, message)]


def zero_at_first(view: View) -> list[Finding]:
    """A first step, or a whole run, that changes nothing."""
    values = view.run.values
    if not values.any():
        return [Finding(0, "The rate is 0 at every step of the run: nothing will be learnt.")]
    if values[0] != 0:
        return []
    message = (
        f"The rate is 0 at the first step, which changes nothing, and {number(values[1])} at the"
        " next: a warm-up begins at 0. `shift(schedule, -1)` skips this step."
    )
    return [Finding(0, message)]
