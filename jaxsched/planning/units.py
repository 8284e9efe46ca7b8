"""Lengths in epochs, fractions of a run, tokens or examples, as numbers of steps."""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from jaxsched.core import checks

_NEEDS = {
    "epochs": "steps_per_epoch",
    "fraction": "total_steps",
    "tokens": "tokens_per_step",
    "examples": "batch_size",
}


@dataclass(frozen=True, kw_only=True)
class Run:
    """How long a run is, and what a step of it is, to give lengths in other units.

    Where the tokens in a step change during the run, `tokens_per_step` is a nominal number, and
    `scale_by_learning_rate(..., clock="tokens", tokens_per_step=...)` with the same number keeps a
    schedule of these steps right.

    Attributes:
      total_steps: the number of steps, each an update of the optimizer.
      steps_per_epoch: the steps in a pass over the data.
      tokens_per_step: the tokens in a step, over all devices and micro-batches.
      batch_size: the examples in a step, likewise.

    Raises:
      TypeError: for what is not a number.
      ValueError: for a number that is not positive, or less than a step.

    Example:
      >>> run = Run(total_steps=10_000, steps_per_epoch=250, tokens_per_step=2**19)
      >>> run.steps(epochs=5), run.steps(fraction=0.1), run.steps(tokens=2e9)
      (1250, 1000, 3815)
    """

    total_steps: int
    steps_per_epoch: float | None = None
    tokens_per_step: float | None = None
    batch_size: float | None = None

    def __post_init__(self):
        checks.period("total_steps", self.total_steps)
        for name in ("steps_per_epoch", "tokens_per_step", "batch_size"):
            if getattr(self, name) is not None:
                checks.positive(name, getattr(self, name))

    def steps(
        self,
        *,
        epochs: float | None = None,
        fraction: float | None = None,
        tokens: float | None = None,
        examples: float | None = None,
    ) -> int:
        """A length, given in one unit, as the nearest whole number of steps.

            steps = epochs steps_per_epoch         steps = tokens / tokens_per_step
            steps = fraction total_steps           steps = examples / batch_size

        Computed without rounding from the decimal digits of each number, halves up. A
        positive length is at least 1 step. It may be longer than the run.

        Args:
          epochs: a number of passes over the data.
          fraction: a part of the run, from 0 to 1.
          tokens: a number of tokens.
          examples: a number of examples.

        Raises:
          TypeError: if not exactly one length is given.
          ValueError: for a negative length, a fraction above 1, or a unit of which this run
            does not know how long it is.

        Example:
          >>> run = Run(total_steps=10_000, batch_size=256)
          >>> run.steps(examples=1_000_000), run.steps(fraction=0.00001), run.steps(examples=0)
          (3906, 1, 0)
          >>> run.steps(epochs=5)
          Traceback (most recent call last):
          ValueError: `epochs` need a `Run` with `steps_per_epoch`.
        """
        lengths = {"epochs": epochs, "fraction": fraction, "tokens": tokens, "examples": examples}
        given = {name: value for name, value in lengths.items() if value is not None}
        if len(given) != 1:
            one_of = ", ".join(f"`{name}`" for name in lengths)
            raise TypeError(f"Exactly one of {one_of} must be given, got {len(given)} of them.")
        ((name, length),) = given.items()
        (checks.fraction if name == "fraction" else checks.non_negative)(name, length)
        unit = getattr(self, _NEEDS[name])
        if unit is None:
            raise ValueError(f"`{name}` need a `Run` with `{_NEEDS[name]}`.")
        inverted = name in ("tokens", "examples")
        steps = _exact(length) / _exact(unit) if inverted else _exact(length) * _exact(unit)
        return max(math.floor(steps + Fraction(1, 2)), int(steps > 0))


def _exact(value: float) -> Fraction:
    """A number as its shortest decimal digits say it: 0.1 is a tenth."""
    return Fraction(repr(np.asarray(value).item()))
