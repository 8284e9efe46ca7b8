"""All that the findings on a schedule are drawn from."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from jaxsched.inspect.phases import Phase, phases, turns
from jaxsched.inspect.samples import Samples, afterwards, dense_at_ends, sample


class Finding(NamedTuple):
    """Something that looks wrong with a schedule.

    Attributes:
      step: where.
      message: what it is, and what may be the cause.
    """

    step: int
    message: str


@dataclass(frozen=True)
class View:
    """A schedule over a run and after it.

    Attributes:
      schedule: the schedule.
      total_steps: the length of the run.
      run: its values in the run.
      later: its values from the step on that follows the run, those that are finite.
      whole: both.
    """

    schedule: Any
    total_steps: int
    run: Samples
    later: Samples
    whole: Samples

    @cached_property
    def highest(self) -> float:
        """The greatest magnitude of a rate in the run."""
        return float(np.abs(self.run.values).max())

    @cached_property
    def phases(self) -> list[Phase]:
        """The phases of the run."""
        return phases(self.run)

    @cached_property
    def pivots(self) -> list[int]:
        """Where the whole turns by a tenth of the highest rate of the run; both ends too."""
        return turns(self.whole.values, 0.1 * self.highest)

    @cached_property
    def lows(self) -> list[int]:
        """Those of the turns that go from a fall to a rise."""
        values = self.whole.values
        return [
            here for before, here in pairwise(self.pivots[:-1]) if values[here] < values[before]
        ]

    @cached_property
    def end(self) -> int | None:
        """About the first step of the last value, which then holds; None if there is none.

        A value that only nears 0, until it is no longer told from 0, has no end.
        """
        steps, values = self.whole
        moving = np.flatnonzero(values != values[-1])
        if not moving.size:
            return int(steps[0])
        last = moving[-1]
        held = len(values) - 1 - last
        way = abs(values[last] - values[-1])
        return int(steps[last + 1]) if held >= 20 and way > 1e-20 * self.highest else None


def view(schedule: Any, total_steps: int) -> View:
    """A schedule at the steps of a run and at later ones, evaluated in one call."""
    steps = dense_at_ends(total_steps)
    taken = sample(schedule, np.concatenate([steps, afterwards(total_steps)]))
    within = np.arange(len(taken.steps)) < len(steps)
    run, later, whole = (
        Samples(taken.steps[part], taken.values[part])
        for part in (
            within,
            ~within & np.isfinite(taken.values),
            within | np.isfinite(taken.values),
        )
    )
    return View(schedule, total_steps, run, later, whole)
