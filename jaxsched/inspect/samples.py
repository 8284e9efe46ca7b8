"""The values of a schedule over a run, and after it."""

from typing import Any, NamedTuple

import jax
import numpy as np

from jaxsched.core import checks
from jaxsched.core.checks import MAX_COUNT
from jaxsched.core.schedule import Operand, at, schedule

MOST = 1_000_000
"""The most steps that are looked at one by one."""


class Samples(NamedTuple):
    """Steps in ascending order, and the values there in float64."""

    steps: np.ndarray
    values: np.ndarray


@schedule
def _same(count: jax.Array, schedule: Operand):
    """Any schedule, number or function of the count as a `Schedule`."""
    return at(schedule, count)


def sample(schedule: Any, steps: np.ndarray) -> Samples:
    """What a schedule, a number or a function of the count is at some steps, in one call.

    Raises:
      ValueError: if there is more than one value a step, as of a population.
    """
    padded = _padded(steps)
    values = np.asarray(_same(schedule)(padded), float)
    if values.shape != padded.shape:
        checks.refuse("schedule", schedule, "one schedule, not a population")
    return Samples(steps, values[: len(steps)])


def _padded(steps: np.ndarray) -> np.ndarray:
    """With the last step again, up to a power of 2: else each length of a run is compiled anew."""
    size = 1 << (len(steps) - 1).bit_length()
    return np.pad(steps, (0, size - len(steps)), mode="edge")


def run_length(name: str, value: Any) -> int:
    """A whole number of steps of at least 1."""
    if isinstance(value, bool) or int(checks.period(name, value)) != value:
        checks.refuse(name, value, "a whole number of steps")
    return int(value)


def evenly(begin: int, end: int, number: int) -> np.ndarray:
    """Steps from `begin` up to and with `end`: all, or `number` of them at even distances."""
    if end - begin < number:
        return np.arange(begin, end + 1)
    return begin + np.arange(number) * (end - begin) // (number - 1)


def dense_at_ends(total_steps: int) -> np.ndarray:
    """The steps of a run: all, or a million of them, half of those next to the ends."""
    if total_steps <= MOST:
        return np.arange(total_steps)
    begin, end = MOST // 4, total_steps - MOST // 4
    middle = evenly(begin, end - 1, MOST // 2)
    return np.concatenate([np.arange(begin), middle, np.arange(end, total_steps)])


def afterwards(total_steps: int) -> np.ndarray:
    """Steps from the end of a run to the last there is: ever sparser."""
    near = np.arange(total_steps, min(total_steps + 1000, MAX_COUNT) + 1)
    soon = evenly(total_steps, min(4 * total_steps, MAX_COUNT), 3001)
    late = np.geomspace(soon[-1], MAX_COUNT, 1000).astype(np.int64)
    return np.unique(np.concatenate([near, soon, late, [MAX_COUNT]]))


def number(value: float) -> str:
    """A value with four significant digits."""
    return f"{value:.4g}"


def thinned(samples: Samples, parts: int = 1000) -> Samples:
    """Of each of so many parts the first, last, least and greatest sample, which draw the same."""
    steps, values = samples
    if len(steps) <= 4 * parts:
        return samples
    finite = np.isfinite(values)
    low, high = np.where(finite, values, np.inf), np.where(finite, values, -np.inf)
    kept = [
        index
        for part in np.array_split(np.arange(len(steps)), parts)
        for index in (part[0], part[-1], part[low[part].argmin()], part[high[part].argmax()])
    ]
    kept = np.unique(kept)
    return Samples(steps[kept], values[kept])
