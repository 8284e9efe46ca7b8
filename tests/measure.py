"""Steps worth testing, and distances in units in the last place."""

import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from tests.rows import MAX_COUNT, Draw, Row

SIZE = 512
DTYPE = np.float64 if jax.config.jax_enable_x64 else np.float32
WHOLE = np.int64 if jax.config.jax_enable_x64 else np.int32
REACH = 2**53 if jax.config.jax_enable_x64 else 2**31 - 1


def interesting(row: Row, draw: Draw, seed: int = 0, last: int = MAX_COUNT) -> np.ndarray:
    """Always as many counts: the knots and their neighbours, the last 200 steps, others."""
    knots = [k for k in row.knots(draw) if 0 <= k <= last]
    near = [k + d for k in knots for d in (-2, -1, 0, 1, 2)]
    tail = [max(knots, default=200) - d for d in range(3, 201)]
    fixed = [0, 1, 2, 3, 2**24 - 1, 2**24, 2**24 + 1, MAX_COUNT - 1, MAX_COUNT]
    counts = [c for c in dict.fromkeys((*fixed, *near, *tail)) if 0 <= c <= last][:SIZE]
    generator = np.random.default_rng(seed)
    reach = max([*knots, 1000])
    spread = reach * 2.0 ** -generator.uniform(0, 16, SIZE - len(counts))
    spread = np.minimum(spread * generator.choice([1, 1, 2], spread.size), last)
    return np.sort(np.array([*counts, *spread.astype(np.int64)], np.int64)).astype(np.int32)


def as_seen(draw: Draw) -> Draw:
    """The numbers of a draw as a jitted function sees them: floats rounded to the dtype."""
    return {
        name: float(DTYPE(value)) if isinstance(value, float) else value
        for name, value in draw.items()
    }


def exact(row: Row, draw: Draw, counts: Sequence[int]) -> list[Any]:
    return [row.formula(int(count), draw) for count in counts]


def distance(values: Any, references: Sequence[Any]) -> np.ndarray:
    """The error in units in the last place of float32.

    Below its normal range anything as small is right, above its range infinity is.
    """
    return np.asarray(
        [_distance(float(v), r) for v, r in zip(np.asarray(values), references, strict=True)]
    )


def _distance(value: float, reference: Any) -> float:
    size = abs(float(reference))
    if max(size, abs(value)) < 2.0**-126 or (size > 2.0**128 and math.isinf(value)):
        return 0.0
    unit = 2.0 ** (math.floor(math.log2(max(size, 2.0**-126))) - 23)
    return abs(float(reference - value)) / unit
