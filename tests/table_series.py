"""The rows of cycles, tables, products and noise."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

import jaxsched as js
from tests import formulas_series as formulas
from tests.rows import Draw, Row, draws, ends, flat, values


def levels(h: Draw) -> list[Any]:
    return [h["v0"], h["v1"], h["v2"], h["v3"]]


def level_knots(h: Draw) -> list[int]:
    return [h["a"], h["a"] + h["b"], h["a"] + h["b"] + h["c"], h["a"] + h["b"] + h["c"] + h["d"]]


def level_bounds(h: Draw) -> tuple[Any, Any]:
    return min(map(np.float32, levels(h))), max(map(np.float32, levels(h)))


def level_units(h: Draw) -> tuple[float, float]:
    """Where a slope at an end nearly is what it is limited to, its digits cancel in a program."""
    lengths, rises = np.array([h["b"], h["c"], h["d"]]), np.diff(np.array(levels(h), float))
    rises = rises / lengths
    condition = 1.0
    for (own, other), (length, following) in (
        (rises[:2], lengths[:2]),
        (rises[:0:-1], lengths[:0:-1]),
    ):
        size = (length + following) * abs(own) + length * abs(other)
        slope = ((2 * length + following) * own - length * other) * np.sign(own)
        rest = 3 * (length + following) * abs(own) - slope
        condition = max(condition, size / max(min(abs(slope), abs(rest)), 1e-30))
    return 6, 12 + 8 * condition


gaps = st.one_of(st.integers(1, 100), st.integers(1, 2**29))
levelled = draws(v0=values, v1=ends, v2=values, v3=ends)
LEVELS = dict(v0=0.3, v1=0.7, v2=0.1, v3=0.01)
NAMES = ("v0", "v1", "v2", "v3")

ROWS = [
    *(
        Row(
            f"table, {kind}",
            draws(v0=values, v1=ends, v2=values, v3=ends, a=gaps, b=gaps, c=gaps, d=gaps),
            dict(**LEVELS, a=10, b=100, c=2**24, d=1001),
            lambda h, kind=kind: js.table_schedule(levels(h), level_knots(h), kind),
            lambda t, h, kind=kind: formulas.table(t, levels(h), level_knots(h), kind),
            units,
            level_knots,
            level_bounds,
            continuous=NAMES,
            exact=lambda h: list(zip([0, *level_knots(h)], [h["v0"], *levels(h)], strict=True)),
        )
        for kind, units in (
            ("linear", flat(4)),
            ("constant", flat(0.5)),
            ("monotone", level_units),
        )
    ),
    Row(
        "table, by step",
        levelled,
        LEVELS,
        lambda h: js.table_schedule(levels(h)),
        lambda t, h: formulas.table(t, levels(h)),
        flat(0.5),
        lambda h: [0, 1, 2, 3],
        level_bounds,
        continuous=NAMES,
        exact=lambda h: list(enumerate([*levels(h), h["v3"]])),
    ),
]
