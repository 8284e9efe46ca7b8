"""Findings on lengths that count something else than updates."""

import numpy as np

from jaxsched.inspect.checks.lengths import lengths
from jaxsched.inspect.checks.view import Finding, View
from jaxsched.inspect.samples import number


def epochs_for_steps(view: View, steps_per_epoch: float) -> list[Finding]:
    """A decay that is over within an epoch, and has no length above the number of epochs."""
    epochs = view.total_steps / steps_per_epoch
    over = _over(view)
    given = lengths(view.schedule)
    name, longest = max(given, key=lambda one: one[1], default=("", over or 0))
    if epochs < 2 or over is None or over > steps_per_epoch or longest > epochs:
        return []
    named = f" The longest length, `{name}`, is {longest:.0f}." if given else ""
    message = (
        f"The schedule, or its first cycle, is over here, in the first of {number(epochs)} epochs"
        f" of {number(steps_per_epoch)} steps: lengths seem to be in epochs.{named}"
        " `Run.steps(epochs=...)` turns epochs into steps."
    )
    return [Finding(over, message)]


def _over(view: View) -> int | None:
    """The step of the first restart, or else the one from which on a decay is at its end."""
    lows = view.lows
    if lows and lows[0] < len(view.run.steps):
        return int(view.run.steps[lows[0]])
    steps, values = view.run
    moving = np.flatnonzero(abs(values - values[-1]) > 1e-3 * view.highest)
    falls = values[-1] < 0.5 * values.max()
    return int(steps[moving[-1] + 1]) if moving.size and falls else None


def micro_batches(view: View, accumulation_steps: int) -> list[Finding]:
    """A schedule that ends after as many steps as the run has micro-batches."""
    end = view.end
    whole = accumulation_steps * view.total_steps
    if accumulation_steps == 1 or end is None or abs(end / whole - 1) > 0.1:
        return []
    message = (
        f"The schedule ends at about step {end}, {accumulation_steps} times as long as the run:"
        f" its lengths count micro-batches, but it is asked once in {accumulation_steps} of"
        f" them. Divide them by {accumulation_steps}."
    )
    return [Finding(view.total_steps - 1, message)]
