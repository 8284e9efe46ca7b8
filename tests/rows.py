"""What a row of the tables is, and the numbers that rows draw."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from hypothesis import strategies as st

import jaxsched as js
from tests import formulas

MAX_COUNT = 2**31 - 1
Draw = dict[str, Any]


def nothing(_: Draw) -> list[int]:
    return []


@dataclass(frozen=True, eq=False)
class Row:
    """One schedule.

    Attributes:
      name: of the row.
      draw: strategy for its numbers.
      sample: one draw, for the tests that need no more.
      make: from a draw to the schedule.
      formula: from a count and a draw to the exact value.
      units: the allowed error of a draw in units in the last place, known and traced.
      knots: the steps of a draw where something begins or ends.
      bounds: the least and the greatest value of a draw, in float32.
      falls: whether the value never rises.
      continuous: the hyperparameters in which the value can be differentiated.
      exact: known steps of a draw with the value that must be there to the bit.
    """

    name: str
    draw: st.SearchStrategy[Draw]
    sample: Draw
    make: Callable[[Draw], Any]
    formula: Callable[[Any, Draw], Any]
    units: Callable[[Draw], tuple[float, float]]
    knots: Callable[[Draw], Sequence[int]] = nothing
    bounds: Callable[[Draw], tuple[Any, Any]] | None = None
    falls: bool = False
    continuous: tuple[str, ...] = ()
    exact: Callable[[Draw], Sequence[tuple[int, Any]]] = nothing

    @cached_property
    def schedule(self) -> Any:
        """That of the sample; always the same one, so that JAX compiles it once for all tests."""
        return self.make(self.sample)


def floats(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(float(np.float32(low)), float(np.float32(high)), width=32)


# Away from the subnormal range, where a unit in the last place is not relative.
values = floats(1e-6, 10.0)
ends = st.one_of(st.just(0.0), floats(1e-6, 1.0))
fractions = floats(0.0, 1.0).filter(lambda x: x == 0 or x > 1e-6)
powers = floats(0.25, 4.0)
rates = st.one_of(floats(1e-3, 0.999), floats(0.999, 1.0005))
multipliers = floats(0.25, 1.0)
lengths = st.one_of(st.integers(1, 100), st.integers(1, 10**6), st.integers(1, MAX_COUNT))
short = st.integers(1, 10**6)
begins = st.one_of(st.just(0), st.integers(0, 10**5), st.integers(0, 2**30))
eighths = st.integers(1, 7).map(lambda n: n / 8)


def draws(**strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[Draw]:
    return st.fixed_dictionaries(strategies)


def ends_of(first: str, last: str) -> Callable[[Draw], tuple[Any, Any]]:
    return lambda h: (
        min(np.float32(h[first]), np.float32(h[last])),
        max(np.float32(h[first]), np.float32(h[last])),
    )


def flat(known: float, traced: float | None = None) -> Callable[[Draw], tuple[float, float]]:
    return lambda _: (known, known if traced is None else traced)


def within(h: Draw, small: str, large: str) -> Draw:
    low, high = sorted((h[small], h[large]))
    return {**h, small: low, large: high}


def cooling(h: Draw) -> Any:
    return js.cosine_decay_schedule(h["init_value"], h["decay_steps"], h["alpha"])


def cooling_formula(h: Draw) -> Callable[[Any], Any]:
    return lambda t: formulas.cosine(t, h["init_value"], h["decay_steps"], h["alpha"])


inner = dict(init_value=values, decay_steps=lengths, alpha=fractions)
INNER = dict(init_value=0.5, decay_steps=1000, alpha=0.1)
