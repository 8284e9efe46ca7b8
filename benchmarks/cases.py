"""Schedules of many segments, made alike from jaxsched and from Optax.

Segments are uneven and values differ: XLA would fold a table of equal numbers into one
constant, and one of equal steps into a product.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Rate = Callable[[Any], Any]
HORIZON = 1_000_000
PEAK = 1e-3


def lengths(n: int) -> np.ndarray:
    """The steps of `n` uneven segments that cover about the horizon."""
    mean = HORIZON // n
    return np.random.default_rng(0).integers(mean // 2, mean + mean // 2, n)


def boundaries(n: int) -> list[int]:
    """The last steps of `n` uneven segments."""
    return np.cumsum(lengths(n)).tolist()


def values(n: int) -> list[float]:
    """Different rates between half of the peak and the peak."""
    return (PEAK * np.random.default_rng(1).uniform(0.5, 1, n)).tolist()


def scales(n: int) -> dict[int, float]:
    """Boundaries, and scales whose products stay between half of the first value and twice."""
    levels = np.array([PEAK, *values(n)])
    return dict(zip(boundaries(n), (levels[1:] / levels[:-1]).tolist(), strict=True))


def piecewise_constant(library: Any, n: int) -> Rate:
    """Constants."""
    return library.piecewise_constant_schedule(PEAK, scales(n))


def piecewise_linear(library: Any, n: int) -> Rate:
    """Lines from boundary to boundary."""
    return library.piecewise_interpolate_schedule("linear", PEAK, scales(n))


def join_linear(library: Any, n: int) -> Rate:
    """A join of lines."""
    lines = [
        library.linear_schedule(value, value / 2, steps)
        for value, steps in zip(values(n), lengths(n).tolist(), strict=True)
    ]
    return library.join_schedules(lines, boundaries(n)[:-1])


def join_mixed(library: Any, n: int) -> Rate:
    """A join of lines and cosines in turn."""
    members = [
        library.cosine_decay_schedule(value, steps, 0.1)
        if i % 2
        else library.linear_schedule(value, value / 2, steps)
        for i, (value, steps) in enumerate(zip(values(n), lengths(n).tolist(), strict=True))
    ]
    return library.join_schedules(members, boundaries(n)[:-1])


def sgdr(library: Any, n: int) -> Rate:
    """Uneven cycles, each with a warm-up."""
    cycles = [
        {
            "init_value": value / 20,
            "peak_value": value,
            "warmup_steps": steps // 10,
            "decay_steps": steps,
            "end_value": value / 50,
        }
        for value, steps in zip(values(n), lengths(n).tolist(), strict=True)
    ]
    return library.sgdr_schedule(cycles)


def equal_restarts(library: Any, n: int) -> Rate:
    """Equal cycles without end, `n` of them up to the horizon."""
    period = HORIZON // n
    return library.cosine_restarts_schedule(
        PEAK, period, peak_mult=0.9999, warmup_steps=period // 10, end_value=PEAK / 50
    )


def growing_restarts(library: Any, n: int) -> Rate:
    """Cycles that grow, `n` of them up to the horizon and more beyond it."""
    period = HORIZON // (2 * n)
    return library.cosine_restarts_schedule(
        PEAK,
        period,
        growth(n),
        peak_mult=0.9999,
        warmup_steps=period // 10,
        end_value=PEAK / 50,
    )


def growth(n: int) -> float:
    """The factor `m` by which `n` growing cycles of mean 1 begin at half of it.

    It solves `(m^n - 1) / (m - 1) = 2 n` by bisection.
    """
    low, high = 1 + 1e-9, 1 + 2 / n
    for _ in range(100):
        middle = (low + high) / 2
        if math.expm1(n * math.log(middle)) < 2 * n * (middle - 1):
            low = middle
        else:
            high = middle
    return low


@dataclass(frozen=True)
class Case:
    """A schedule to measure.

    Attributes:
      name: how the tables name it.
      make: makes it from a library and the number of its segments.
      most: the target for its optimized instructions.
      in_optax: whether Optax has it.
    """

    name: str
    make: Callable[[Any, int], Rate]
    most: int = 80
    in_optax: bool = True


CASES = (
    Case("`piecewise_constant_schedule`", piecewise_constant),
    Case("`piecewise_interpolate_schedule`", piecewise_linear),
    Case("`join_schedules`, linear", join_linear),
    Case("`join_schedules`, linear and cosine", join_mixed, most=80 + 40),
    Case("`sgdr_schedule`", sgdr, most=120),
    Case("`cosine_restarts_schedule`, equal cycles", equal_restarts, in_optax=False),
    Case("`cosine_restarts_schedule`, growing cycles", growing_restarts, in_optax=False),
)
