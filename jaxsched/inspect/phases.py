"""The phases of a schedule, found from its values: constant, rising, falling, jumping."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from jaxsched.inspect.samples import Samples

ROUNDING = 4e-6
"""What rounding to float32 can do to a monotone curve, as a share of its highest value."""

_GRADUAL, _CONSTANT, _JUMP, _STAIRS = range(4)


class Phase(NamedTuple):
    """A part of a run; the next one begins at the step at which it ends.

    Attributes:
      kind: 'constant', 'rises', 'falls' or 'jumps'.
      begin: its first step; of a jump, the step before it.
      end: its last step; of a jump, the step after it.
      first: the value at `begin`.
      last: the value at `end`.
      stairs: in how many stairs it rises or falls; 0 if it does so gradually.
    """

    kind: str
    begin: int
    end: int
    first: float
    last: float
    stairs: int = 0


def phases(samples: Samples) -> list[Phase]:
    """The phases of a schedule, from the first step of the samples to the last."""
    steps, values = samples
    if len(steps) == 1:
        return [_phase(samples, 0, 0, _CONSTANT)]
    legs, kinds = _cells(values, ROUNDING * float(np.abs(values).max()))
    new = (np.diff(legs) != 0) | (np.diff(kinds) != 0)
    edges = [0, *(np.flatnonzero(new) + 1).tolist(), len(kinds)]
    return [_phase(samples, begin, end, int(kinds[begin])) for begin, end in pairwise(edges)]


def _phase(samples: Samples, begin: int, end: int, kind: int) -> Phase:
    steps, values = samples
    first, last = float(values[begin]), float(values[end])
    moves = "rises" if last > first else "falls" if last < first else "constant"
    name = "jumps" if kind == _JUMP else moves
    stairs = np.count_nonzero(np.diff(values[begin : end + 1])) if kind == _STAIRS else 0
    return Phase(name, int(steps[begin]), int(steps[end]), first, last, int(stairs))


def _cells(values: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Between each two values: the number of the monotone part it is in, and what happens."""
    change = np.abs(np.diff(values))
    pivots = turns(values, tolerance)
    legs = np.repeat(np.arange(len(pivots) - 1), np.diff(pivots))
    around = np.pad(change, 1)
    around = np.maximum(around[:-2], around[2:])
    jumps = (change > 8 * around) & (change > tolerance)
    isolated = np.add.reduceat(jumps & (around == 0), pivots[:-1])
    moving = np.add.reduceat(change > 0, pivots[:-1])
    stairs = (isolated >= 4) & (isolated >= 0.9 * moving)
    kinds = np.where(jumps, _JUMP, np.where(_long_rests(change), _CONSTANT, _GRADUAL))
    return legs, np.where(stairs[legs], _STAIRS, kinds)


def _long_rests(change: np.ndarray) -> np.ndarray:
    """Where nothing changes for a hundredth of all steps or longer."""
    edges = np.flatnonzero(np.diff(np.pad((change == 0).astype(np.int8), 1)))
    begins, lengths = edges[::2], edges[1::2] - edges[::2]
    kept = lengths >= max(2, len(change) / 100)
    marks = np.zeros(len(change) + 1, np.int64)
    np.add.at(marks, begins[kept], 1)
    np.add.at(marks, (begins + lengths)[kept], -1)
    return np.cumsum(marks[:-1]) > 0


def turns(values: np.ndarray, tolerance: float) -> list[int]:
    """The indices at which the values turn by more than the tolerance, and both ends."""
    change = np.diff(values)
    moves = np.flatnonzero(change)
    up = change[moves] > 0
    # Each is where the last move of a monotone part has ended.
    extremes = [*(moves[:-1][up[1:] != up[:-1]] + 1).tolist(), *(moves[-1:] + 1).tolist()]
    at = values[extremes].tolist()
    pivots, low, high, direction = [0], (values[0], 0), (values[0], 0), 0
    for place in zip(at, extremes, strict=True):
        low, high = min(low, place), max(high, place, key=lambda one: one[0])
        if direction >= 0 and high[0] - place[0] > tolerance:
            pivots += [high[1]] if direction else []
            direction, low = -1, place
        elif direction <= 0 and place[0] - low[0] > tolerance:
            pivots += [low[1]] if direction else []
            direction, high = 1, place
    return [*pivots, len(values) - 1]
