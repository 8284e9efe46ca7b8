"""The rows of cycles, tables, products and noise."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

import jaxsched as js
from tests import formulas_series as formulas
from tests.formulas import cosine, linear
from tests.rows import (
    MAX_COUNT,
    Draw,
    Row,
    draws,
    ends,
    ends_of,
    flat,
    floats,
    fractions,
    lengths,
    multipliers,
    powers,
    values,
)


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


def flanks(h: Draw) -> list[int]:
    period = h["up_steps"] + h["down_steps"]
    last = MAX_COUNT // period
    begins = [n * period for n in (0, 1, 2, 1000, last - 1, last) if 0 <= n <= last]
    return [step for begin in begins for step in (begin, begin + h["up_steps"])]


def multiples(h: Draw) -> list[int]:
    last = MAX_COUNT // h["period"]
    return [n * h["period"] for n in (1, 2, 3, 1000, last - 1, last) if 0 <= n <= last]


def rewarmed(h: Draw) -> Any:
    schedule = js.cosine_decay_schedule(h["init_value"], h["decay_steps"], h["alpha"])
    return js.rewarm(schedule, h["period"], h["warmup_steps"], h["start"])


def rewarmed_formula(t: Any, h: Draw) -> Any:
    def schedule(t: Any) -> Any:
        return cosine(t, h["init_value"], h["decay_steps"], h["alpha"])

    return formulas.rewarm(t, schedule, h["period"], h["warmup_steps"], h["start"])


def noise_units(h: Draw) -> tuple[float, float]:
    """Of 1, about which the noise is: of a factor near 0 the digits cancel."""
    return (8 / max(1 - h["limit"], 1e-7),) * 2


sides = st.one_of(st.integers(1, 50), st.integers(1, 2**29))

ROWS = [
    Row(
        "cyclic",
        draws(init_value=values, peak_value=ends, up_steps=sides, down_steps=sides),
        dict(init_value=0.3, peak_value=0.7, up_steps=10, down_steps=21),
        lambda h: js.cyclic_schedule(**h),
        lambda t, h: formulas.cyclic(t, **h),
        flat(4),
        flanks,
        ends_of("init_value", "peak_value"),
        continuous=("init_value", "peak_value"),
        exact=lambda h: [
            (step, h[("init_value", "peak_value")[i % 2]]) for i, step in enumerate(flanks(h)[:8])
        ],
    ),
    Row(
        "cyclic, scaled",
        draws(
            init_value=floats(1e-6, 0.1),
            peak_value=floats(0.1, 10.0),
            up_steps=sides,
            peak_mult=multipliers,
            decay_rate=st.one_of(st.just(1.0), floats(0.9, 1.0)),
        ),
        dict(init_value=0.001, peak_value=0.7, up_steps=10, peak_mult=0.75, decay_rate=0.9999),
        lambda h: js.cyclic_schedule(**h),
        lambda t, h: formulas.cyclic(t, **h),
        flat(10, 18),
        lambda h: flanks({**h, "down_steps": h["up_steps"]}),
        ends_of("init_value", "peak_value"),
        continuous=("init_value", "peak_value", "peak_mult", "decay_rate"),
        exact=lambda h: [(0, h["init_value"]), (20, h["init_value"])],
    ),
    Row(
        "polynomial_cycles",
        draws(init_value=values, period=lengths, power=powers, end_value=ends),
        dict(init_value=0.5, period=1000, power=1.5, end_value=0.001),
        lambda h: js.polynomial_cycles_schedule(**h),
        lambda t, h: formulas.polynomial_cycles(t, **h),
        lambda h: (6 + 4 * max(1, h["power"]),) * 2,
        multiples,
        ends_of("init_value", "end_value"),
        continuous=("init_value", "power", "end_value"),
        exact=lambda h: [(0, h["init_value"]), *((t, h["end_value"]) for t in multiples(h))],
    ),
    Row(
        "rewarm",
        draws(
            init_value=values,
            decay_steps=lengths,
            alpha=fractions,
            period=st.one_of(st.integers(8, 100), st.integers(8, 2**30)),
            warmup_steps=st.integers(0, 8),
            start=ends,
        ),
        dict(init_value=0.5, decay_steps=5000, alpha=0.1, period=700, warmup_steps=50, start=0.01),
        rewarmed,
        rewarmed_formula,
        flat(8),
        lambda h: [step + d for step in multiples(h) for d in (0, h["warmup_steps"])],
        continuous=("init_value", "alpha", "start"),
        exact=lambda h: [(0, h["init_value"]), (700, h["start"]), (1400, h["start"])],
    ),
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
    Row(
        "cumulative_product",
        draws(init_value=values, first=floats(0.5, 1.5), last=floats(0.5, 1.0), steps=gaps),
        dict(init_value=0.5, first=1.1, last=0.7, steps=50),
        lambda h: js.cumulative_product_schedule(
            h["init_value"], js.linear_schedule(h["first"], h["last"], h["steps"]), 60
        ),
        lambda t, h: formulas.cumulative_product(
            t, h["init_value"], lambda t: linear(t, h["first"], h["last"], h["steps"]), 60
        ),
        flat(2, 120),
        lambda h: [1, 50, 60],
        continuous=("init_value", "first", "last"),
        exact=lambda h: [(0, h["init_value"])],
    ),
    Row(
        "noise",
        draws(limit=floats(1e-6, 1.0), seed=st.integers(0, MAX_COUNT)),
        dict(limit=0.3, seed=7),
        lambda h: js.noise_schedule(**h),
        lambda t, h: formulas.noise(t, formulas.mpfr(h["limit"]), seed=h["seed"]),
        noise_units,
        bounds=lambda h: (1 - np.float32(h["limit"]), 1 + np.float32(h["limit"])),
        continuous=("limit",),
    ),
    Row(
        "noise, normal",
        draws(limit=floats(1e-3, 1.0), std=floats(0.01, 1.0), seed=st.integers(0, 100)),
        dict(limit=0.67, std=0.5, seed=7),
        lambda h: js.noise_schedule(**h),
        lambda t, h: formulas.noise(t, *map(formulas.mpfr, (h["limit"], h["std"])), h["seed"]),
        noise_units,
        bounds=lambda h: (1 - np.float32(h["limit"]), 1 + np.float32(h["limit"])),
        continuous=("limit", "std"),
    ),
    Row(
        "reflect",
        draws(init_value=values, alpha=fractions, steps=gaps, period=gaps),
        dict(init_value=0.5, alpha=0.1, steps=50, period=40),
        lambda h: js.reflect(
            js.cosine_decay_schedule(h["init_value"], h["steps"], h["alpha"]), h["period"]
        ),
        lambda t, h: formulas.reflect(
            t, lambda t: cosine(t, h["init_value"], h["steps"], h["alpha"]), h["period"]
        ),
        flat(8),
        lambda h: [h["period"], 2 * h["period"], 3 * h["period"]],
        continuous=("init_value", "alpha"),
        exact=lambda h: [(0, h["init_value"]), (2 * h["period"], h["init_value"])],
    ),
]
