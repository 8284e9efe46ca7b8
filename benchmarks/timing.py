"""Times and ratios of times, with intervals."""

import math
import random
import statistics
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

import numpy as np

Result = TypeVar("Result")
Block = Callable[[], float]
"""Does some work, and returns how long the part of it took that counts, in seconds."""

LEAST_ROUNDS = 6
"""Of fewer, not even the least and the greatest hold the median with a confidence of 95 %."""


class Estimate(NamedTuple):
    """A median, and the bounds that hold it with a confidence of 95 %."""

    median: float
    low: float
    high: float


class Turns(NamedTuple):
    """What blocks took that took turns.

    Attributes:
      baseline: the median time of the baseline, in seconds.
      ratios: by name, the time of a block over that of the baseline around it, in each round.
    """

    baseline: float
    ratios: Mapping[str, np.ndarray]


def timed(action: Callable[[], Result]) -> tuple[float, Result]:
    """How long something takes, in seconds, and what comes out."""
    begin = time.perf_counter()
    result = action()
    return time.perf_counter() - begin, result


def seconds(action: Callable[[], object]) -> float:
    """How long something takes."""
    return timed(action)[0]


def take_turns(baseline: Block, others: Mapping[str, Block], budget: float) -> Turns:
    """Runs blocks in rounds of random order, each between two runs of the baseline.

    So each is compared with its neighbours in time, and a drift of the machine cancels.

    Args:
      baseline: what the others are compared with.
      others: by name.
      budget: the seconds after which no round begins, unless there are too few.
    """
    ends = time.perf_counter() + budget
    around = [baseline()]
    ratios: dict[str, list[float]] = {name: [] for name in others}
    rounds = 0
    while rounds < LEAST_ROUNDS or time.perf_counter() < ends:
        for name in random.sample(list(others), len(others)):
            spent = others[name]()
            around.append(baseline())
            ratios[name].append(2 * spent / (around[-2] + around[-1]))
        rounds += 1
    return Turns(
        statistics.median(around), {name: np.array(sample) for name, sample in ratios.items()}
    )


def estimate(sample: np.ndarray) -> Estimate:
    """The median of a sample, between the order statistics that hold that of its distribution."""
    ordered = np.sort(sample)
    rank = max(math.floor((ordered.size - 1.96 * math.sqrt(ordered.size)) / 2), 1)
    return Estimate(float(np.median(ordered)), float(ordered[rank - 1]), float(ordered[-rank]))
