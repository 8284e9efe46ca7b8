"""Every schedule once: how to draw it, make it, compute it otherwise, and what to expect of it."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

import jaxsched as js
from tests import formulas, table_families, table_series
from tests.rows import (
    INNER,
    MAX_COUNT,
    Draw,
    Row,
    begins,
    cooling,
    cooling_formula,
    draws,
    eighths,
    ends,
    ends_of,
    flat,
    floats,
    inner,
    lengths,
    multipliers,
    powers,
    rates,
    short,
    values,
    within,
)


def three_scales(h: Draw) -> dict[int, Any]:
    steps = (h["a"], h["a"] + h["b"], h["a"] + h["b"] + h["c"])
    return dict(zip(steps, (h["x"], h["y"], h["z"]), strict=True))


thirds = st.integers(1, 2**29)
scales = draws(
    init_value=values, a=thirds, b=thirds, c=thirds, x=multipliers, y=multipliers, z=multipliers
)
SCALES = dict(init_value=0.5, a=7, b=100, c=2**24, x=0.1, y=0.3, z=0.7)


def cycles_of(h: Draw) -> list[dict[str, Any]]:
    """Three warm-up cosines; the first warms up, the second does not, the third ends above 0."""
    first = dict(
        init_value=0.0, peak_value=h["p"], warmup_steps=h["w"], decay_steps=h["a"] + h["w"]
    )
    second = dict(init_value=h["p"], peak_value=h["q"], warmup_steps=0, decay_steps=h["b"])
    third = dict(
        init_value=h["e"], peak_value=h["p"], warmup_steps=h["w"], decay_steps=h["c"] + h["w"]
    )
    second, third = {**second, "end_value": 0.0}, {**third, "end_value": h["e"]}
    return [{**first, "end_value": 0.0}, second, third]


def join_boundaries(h: Draw) -> list[int]:
    return [h["a"], h["a"] + h["b"], h["a"] + h["b"] + 2 * h["c"]]


def join_members(h: Draw) -> list[Any]:
    """A line, a cosine, another line and a number."""
    return [
        js.linear_schedule(h["p"], h["q"], h["a"]),
        js.cosine_decay_schedule(h["q"], h["b"]),
        js.linear_schedule(h["q"], h["e"], h["c"]),
        h["e"],
    ]


def join_formulas(h: Draw) -> list[Callable[[Any], Any]]:
    return [
        lambda t: formulas.linear(t, h["p"], h["q"], h["a"]),
        lambda t: formulas.cosine(t, h["q"], h["b"]),
        lambda t: formulas.linear(t, h["q"], h["e"], h["c"]),
        lambda _: formulas.mpfr(h["e"]),
    ]


joined = draws(p=values, q=values, e=ends, a=short, b=short, c=short, w=short)
JOINED = dict(p=0.9, q=0.3, e=0.01, a=100, b=1000, c=37, w=10)


def restart_knots(h: Draw) -> list[int]:
    period, mult = h["period"], h.get("period_mult", 1)
    if mult == 1:
        last = MAX_COUNT // period
        numbers = [1, 2, 3, 1000, last - 1, last]
        return [n * period for n in numbers if 0 <= n <= last]
    firsts = [period * (mult**n - 1) // (mult - 1) for n in range(40)]
    return [step for step in firsts if step <= MAX_COUNT]


ROWS = [
    Row(
        "constant",
        draws(value=values),
        dict(value=0.1),
        lambda h: js.constant_schedule(**h),
        lambda t, h: formulas.constant(t, **h),
        flat(0.5),
        bounds=ends_of("value", "value"),
        falls=True,
        continuous=("value",),
        exact=lambda h: [(0, h["value"]), (MAX_COUNT, h["value"])],
    ),
    Row(
        "linear",
        draws(init_value=values, end_value=ends, transition_steps=lengths, transition_begin=begins),
        dict(init_value=0.3, end_value=0.001, transition_steps=1000, transition_begin=10),
        lambda h: js.linear_schedule(**h),
        lambda t, h: formulas.linear(t, **h),
        flat(4),
        lambda h: [h["transition_begin"], h["transition_begin"] + h["transition_steps"]],
        ends_of("init_value", "end_value"),
        continuous=("init_value", "end_value", "transition_steps", "transition_begin"),
        exact=lambda h: [
            (h["transition_begin"], h["init_value"]),
            (h["transition_begin"] + h["transition_steps"], h["end_value"]),
        ],
    ),
    Row(
        "polynomial",
        draws(
            init_value=values,
            end_value=ends,
            power=powers,
            transition_steps=lengths,
            transition_begin=begins,
        ),
        dict(init_value=0.1, end_value=1e-4, power=0.9, transition_steps=1000, transition_begin=0),
        lambda h: js.polynomial_schedule(**h),
        lambda t, h: formulas.polynomial(t, **h),
        lambda h: (4 + 2 * max(1, h["power"]),) * 2,
        lambda h: [h["transition_begin"], h["transition_begin"] + h["transition_steps"]],
        ends_of("init_value", "end_value"),
        continuous=("init_value", "end_value", "power", "transition_steps"),
        exact=lambda h: [
            (h["transition_begin"], h["init_value"]),
            (h["transition_begin"] + h["transition_steps"], h["end_value"]),
        ],
    ),
    Row(
        "exponential",
        draws(
            init_value=values, transition_steps=lengths, decay_rate=rates, transition_begin=begins
        ),
        dict(init_value=0.7, transition_steps=100, decay_rate=0.9, transition_begin=5),
        lambda h: js.exponential_decay(**h),
        lambda t, h: formulas.exponential(t, **h),
        flat(4, 8),
        lambda h: [h["transition_begin"]],
        continuous=("init_value", "decay_rate", "transition_steps"),
        exact=lambda h: [(h["transition_begin"], h["init_value"])],
    ),
    Row(
        "exponential, staircase",
        draws(
            init_value=values,
            transition_steps=lengths,
            decay_rate=rates,
            transition_begin=begins,
            staircase=st.just(True),
            end_value=ends,
        ),
        dict(
            init_value=0.7,
            transition_steps=41,
            decay_rate=0.5,
            transition_begin=0,
            staircase=True,
            end_value=1e-3,
        ),
        lambda h: js.exponential_decay(**h),
        lambda t, h: formulas.exponential(t, **h),
        flat(4, 8),
        lambda h: [h["transition_begin"] + n * h["transition_steps"] for n in (1, 2, 3, 10, 1000)],
        continuous=("init_value", "decay_rate"),
    ),
    Row(
        "cosine",
        draws(**inner, exponent=st.one_of(st.just(1.0), powers)),
        dict(**INNER, exponent=1.5),
        lambda h: js.cosine_decay_schedule(**h),
        lambda t, h: formulas.cosine(t, **h),
        lambda h: (8 * max(1, h["exponent"]),) * 2,
        lambda h: [h["decay_steps"]],
        lambda h: (
            np.float32(h["alpha"]) * np.float32(h["init_value"]),
            np.float32(h["init_value"]),
        ),
        falls=True,
        continuous=("init_value", "decay_steps", "alpha", "exponent"),
        exact=lambda h: [(0, h["init_value"])],
    ),
    Row(
        "warmup_constant",
        draws(init_value=ends, peak_value=values, warmup_steps=lengths),
        dict(init_value=0.0, peak_value=0.3, warmup_steps=100),
        lambda h: js.warmup_constant_schedule(**h),
        lambda t, h: formulas.warmup_constant(t, **h),
        flat(4),
        lambda h: [h["warmup_steps"]],
        ends_of("init_value", "peak_value"),
        continuous=("init_value", "peak_value", "warmup_steps"),
        exact=lambda h: [(0, h["init_value"]), (h["warmup_steps"], h["peak_value"])],
    ),
    Row(
        "warmup_cosine",
        draws(
            init_value=ends,
            peak_value=values,
            warmup_steps=lengths,
            decay_steps=lengths,
            end_value=ends,
        ).map(lambda h: within(h, "warmup_steps", "decay_steps")),
        dict(init_value=0.0, peak_value=0.3, warmup_steps=100, decay_steps=1000, end_value=0.01),
        lambda h: js.warmup_cosine_decay_schedule(**h),
        lambda t, h: formulas.warmup_cosine(t, **h),
        flat(8),
        lambda h: [h["warmup_steps"], h["decay_steps"]],
        lambda h: (
            min(map(np.float32, (h["init_value"], h["peak_value"], h["end_value"]))),
            max(map(np.float32, (h["init_value"], h["peak_value"], h["end_value"]))),
        ),
        continuous=("init_value", "peak_value", "warmup_steps", "decay_steps", "end_value"),
        exact=lambda h: [(h["decay_steps"], h["end_value"]), (MAX_COUNT, h["end_value"])],
    ),
    Row(
        "warmup_exponential",
        draws(
            init_value=ends,
            peak_value=values,
            warmup_steps=lengths,
            transition_steps=lengths,
            decay_rate=rates,
            transition_begin=begins,
        ),
        dict(
            init_value=0.0,
            peak_value=0.3,
            warmup_steps=100,
            transition_steps=50,
            decay_rate=0.8,
            transition_begin=7,
        ),
        lambda h: js.warmup_exponential_decay_schedule(**h),
        lambda t, h: formulas.warmup_exponential(t, **h),
        flat(4, 8),
        lambda h: [h["warmup_steps"], h["warmup_steps"] + h["transition_begin"]],
        continuous=("init_value", "peak_value", "warmup_steps", "transition_steps", "decay_rate"),
        exact=lambda h: [(h["warmup_steps"], h["peak_value"])],
    ),
    Row(
        "linear_onecycle",
        draws(
            transition_steps=st.integers(1, 2**18),
            peak_value=values,
            pct_start=eighths,
            pct_final=eighths,
            div_factor=floats(1.0, 50.0),
            final_div_factor=floats(1.0, 1e5),
        ).map(lambda h: within(h, "pct_start", "pct_final")),
        dict(transition_steps=1000, peak_value=0.3),
        lambda h: js.linear_onecycle_schedule(**h),
        lambda t, h: formulas.linear_onecycle(t, **h),
        flat(6),
        lambda h: [0, h["transition_steps"]],
        exact=lambda h: [(0, h["peak_value"] / 25), (300, h["peak_value"])],
    ),
    Row(
        "cosine_onecycle",
        draws(
            transition_steps=st.integers(1, 2**18),
            peak_value=values,
            pct_start=eighths,
            div_factor=floats(1.0, 50.0),
            final_div_factor=floats(1.0, 1e5),
        ),
        dict(transition_steps=1000, peak_value=0.3),
        lambda h: js.cosine_onecycle_schedule(**h),
        lambda t, h: formulas.cosine_onecycle(t, **h),
        flat(10),
        lambda h: [0, h["transition_steps"]],
        exact=lambda h: [(0, h["peak_value"] / 25), (300, h["peak_value"])],
    ),
    Row(
        "piecewise_constant",
        scales,
        SCALES,
        lambda h: js.piecewise_constant_schedule(h["init_value"], three_scales(h)),
        lambda t, h: formulas.piecewise_constant(t, h["init_value"], three_scales(h)),
        flat(2, 4),
        lambda h: list(three_scales(h)),
        falls=True,
        continuous=("init_value", "x", "y", "z"),
    ),
    *(
        Row(
            f"piecewise_interpolate, {kind}",
            scales,
            SCALES,
            lambda h, kind=kind: js.piecewise_interpolate_schedule(
                kind, h["init_value"], three_scales(h)
            ),
            lambda t, h, kind=kind: formulas.piecewise_interpolate(
                t, kind, h["init_value"], three_scales(h)
            ),
            flat(*units),
            lambda h: list(three_scales(h)),
            continuous=("init_value", "x", "y", "z"),
        )
        for kind, units in (("linear", (6, 8)), ("cosine", (10, 12)))
    ),
    Row(
        "join",
        joined,
        JOINED,
        lambda h: js.join_schedules(join_members(h), join_boundaries(h)),
        lambda t, h: formulas.join(t, join_formulas(h), join_boundaries(h)),
        flat(8),
        join_boundaries,
        continuous=("p", "q", "e"),
    ),
    Row(
        "select",
        draws(index=st.integers(0, 3), p=values, q=values, e=ends, a=short, b=short, c=short),
        dict(JOINED, index=1),
        lambda h: js.select(h["index"], join_members(h)),
        lambda t, h: join_formulas(h)[h["index"]](t),
        flat(8),
        lambda h: [h["a"], h["b"], h["c"]],
        continuous=("p", "q", "e"),
    ),
    Row(
        "sgdr",
        joined,
        JOINED,
        lambda h: js.sgdr_schedule(cycles_of(h)),
        lambda t, h: formulas.sgdr(t, cycles_of(h)),
        flat(8),
        lambda h: [h["w"], h["a"] + h["w"], h["a"] + h["w"] + h["b"]],
        continuous=("p", "q", "e"),
    ),
    Row(
        "cosine_restarts",
        draws(
            init_value=values,
            period=st.one_of(st.integers(2, 50), st.integers(2, 10**6)),
            period_mult=st.integers(2, 5),
            peak_mult=multipliers,
            end_value=ends,
        ),
        dict(
            init_value=0.5, period=10, period_mult=2, peak_mult=0.75, warmup_steps=3, end_value=0.01
        ),
        lambda h: js.cosine_restarts_schedule(**h),
        lambda t, h: formulas.cosine_restarts(t, **h),
        flat(12),
        restart_knots,
        continuous=("init_value", "peak_mult", "end_value"),
        exact=lambda h: [(0, h["end_value"]), (3, h["init_value"]), (13, h["init_value"] * 0.75)],
    ),
    Row(
        "cosine_restarts, equal",
        draws(
            init_value=values,
            period=st.one_of(st.integers(8, 50), st.integers(8, MAX_COUNT)),
            period_mult=st.just(1),
            warmup_steps=st.integers(0, 8),
            end_value=ends,
        ),
        dict(init_value=0.5, period=1000, period_mult=1, warmup_steps=10, end_value=0.01),
        lambda h: js.cosine_restarts_schedule(**h),
        lambda t, h: formulas.cosine_restarts(t, **h),
        flat(8),
        restart_knots,
        ends_of("init_value", "end_value"),
        continuous=("init_value", "end_value"),
    ),
    Row(
        "repeat",
        draws(**inner, period=st.integers(1, 10**6)),
        dict(**INNER, period=700),
        lambda h: js.repeat(cooling(h), h["period"]),
        lambda t, h: formulas.repeat(t, cooling_formula(h), h["period"]),
        flat(8),
        restart_knots,
        continuous=("init_value", "alpha"),
        exact=lambda h: [(0, h["init_value"]), (700, h["init_value"]), (1400, h["init_value"])],
    ),
    Row(
        "repeat, stretched",
        draws(
            init_value=values,
            period=st.integers(1, 1000),
            period_mult=st.integers(2, 5),
            peak_mult=multipliers,
        ),
        dict(init_value=0.5, period=20, period_mult=3, peak_mult=0.5),
        lambda h: js.repeat(
            js.cosine_decay_schedule(h["init_value"], 2000, 0.25),
            h["period"],
            h["period_mult"],
            h["peak_mult"],
        ),
        lambda t, h: formulas.repeat(
            t,
            lambda u: formulas.cosine(u, h["init_value"], 2000, 0.25),
            h["period"],
            h["period_mult"],
            h["peak_mult"],
        ),
        flat(16),
        restart_knots,
        continuous=("init_value", "peak_mult"),
    ),
    Row(
        "with_warmup",
        draws(**inner, warmup_steps=lengths, start=ends),
        dict(**INNER, warmup_steps=100, start=0.0),
        lambda h: js.with_warmup(cooling(h), h["warmup_steps"], h["start"]),
        lambda t, h: formulas.with_warmup(t, cooling_formula(h), h["warmup_steps"], h["start"]),
        flat(8),
        lambda h: [h["warmup_steps"], min(h["warmup_steps"] + h["decay_steps"], MAX_COUNT)],
        continuous=("init_value", "alpha", "start", "warmup_steps"),
        exact=lambda h: [(0, h["start"]), (h["warmup_steps"], h["init_value"])],
    ),
    Row(
        "with_cooldown",
        draws(**inner, begin=begins, cooldown_steps=lengths, end_value=ends),
        dict(**INNER, begin=300, cooldown_steps=100, end_value=1e-3),
        lambda h: js.with_cooldown(cooling(h), h["begin"], h["cooldown_steps"], h["end_value"]),
        lambda t, h: formulas.with_cooldown(
            t, cooling_formula(h), h["begin"], h["cooldown_steps"], h["end_value"]
        ),
        flat(12),
        lambda h: [h["begin"], min(h["begin"] + h["cooldown_steps"], MAX_COUNT)],
        continuous=("init_value", "alpha", "end_value", "cooldown_steps"),
        exact=lambda h: [(h["begin"] + h["cooldown_steps"], h["end_value"])],
    ),
    Row(
        "shift",
        draws(**inner, steps=st.integers(-(10**6), 10**6)),
        dict(**INNER, steps=-17),
        lambda h: js.shift(cooling(h), h["steps"]),
        lambda t, h: cooling_formula(h)(min(max(t - h["steps"], 0), MAX_COUNT)),
        flat(8),
        lambda h: [max(h["steps"], 0)],
        continuous=("init_value", "alpha"),
    ),
    Row(
        "by_epoch",
        draws(init_value=values, decay_rate=rates, steps_per_epoch=st.integers(1, 10**6)),
        dict(init_value=0.5, decay_rate=0.5, steps_per_epoch=7),
        lambda h: js.by_epoch(
            js.exponential_decay(h["init_value"], 10, h["decay_rate"]), h["steps_per_epoch"]
        ),
        lambda t, h: formulas.exponential(
            int(t) // h["steps_per_epoch"], h["init_value"], 10, h["decay_rate"]
        ),
        flat(4, 8),
        lambda h: [h["steps_per_epoch"] * n for n in (1, 2, 3, 1000)],
        continuous=("init_value", "decay_rate"),
    ),
    Row(
        "stretch",
        draws(init_value=values, decay_rate=rates, factor=st.integers(1, 64)),
        dict(init_value=0.5, decay_rate=0.5, factor=7),
        lambda h: js.stretch(
            js.exponential_decay(h["init_value"], 10, h["decay_rate"], staircase=True), h["factor"]
        ),
        lambda t, h: formulas.exponential(
            formulas.mpfr(t) / h["factor"],
            h["init_value"],
            10,
            h["decay_rate"],
            staircase=True,
        ),
        flat(4, 8),
        lambda h: [10 * h["factor"] * n for n in (1, 2, 3, 1000)],
        continuous=("init_value", "decay_rate"),
    ),
    Row(
        "clip",
        draws(**inner, low=floats(1e-6, 0.1), high=floats(0.2, 5.0)),
        dict(**INNER, low=0.1, high=0.4),
        lambda h: js.clip(cooling(h), h["low"], h["high"]),
        lambda t, h: min(
            max(cooling_formula(h)(t), formulas.mpfr(h["low"])), formulas.mpfr(h["high"])
        ),
        flat(8),
        lambda h: [h["decay_steps"]],
        ends_of("low", "high"),
        falls=True,
    ),
    Row(
        "mirror",
        draws(
            **inner,
            low=floats(0.5, 0.9),
            high=floats(0.9, 1.0),
            floor=st.sampled_from([0.0, 0.125, 0.5]),
            peak=st.sampled_from([0.5, 1.0]),
        ),
        dict(**INNER, low=0.85, high=0.95, floor=0.125, peak=1.0),
        lambda h: js.mirror(
            cooling(h),
            h["low"],
            h["high"],
            h["floor"] * h["init_value"],
            h["peak"] * h["init_value"] * 2,
        ),
        lambda t, h: formulas.mirror(
            cooling_formula(h)(t),
            h["low"],
            h["high"],
            h["floor"] * h["init_value"],
            h["peak"] * h["init_value"] * 2,
        ),
        flat(12),
        lambda h: [h["decay_steps"]],
        ends_of("low", "high"),
        continuous=("low", "high"),
    ),
    *(
        Row(
            name,
            draws(**inner, other=values),
            dict(**INNER, other=0.25),
            make,
            formula,
            flat(units),
            lambda h: [h["decay_steps"]],
            falls=name not in ("divide", "negative", "subtract"),
            continuous=("init_value", "alpha") if name in ("add", "multiply", "negative") else (),
        )
        for name, make, formula, units in (
            (
                "minimum",
                lambda h: js.minimum(cooling(h), h["other"]),
                lambda t, h: min(cooling_formula(h)(t), formulas.mpfr(h["other"])),
                8,
            ),
            (
                "maximum",
                lambda h: js.maximum(h["other"], cooling(h)),
                lambda t, h: max(cooling_formula(h)(t), formulas.mpfr(h["other"])),
                8,
            ),
            (
                "add",
                lambda h: cooling(h) + h["other"],
                lambda t, h: cooling_formula(h)(t) + formulas.mpfr(h["other"]),
                9,
            ),
            (
                "multiply",
                lambda h: h["other"] * cooling(h),
                lambda t, h: cooling_formula(h)(t) * formulas.mpfr(h["other"]),
                9,
            ),
            (
                "divide",
                lambda h: h["other"] / (cooling(h) + 1.0),
                lambda t, h: formulas.mpfr(h["other"]) / (cooling_formula(h)(t) + 1),
                11,
            ),
            (
                "negative",
                lambda h: -cooling(h),
                lambda t, h: -cooling_formula(h)(t),
                8,
            ),
            (
                "subtract",
                lambda h: 100.0 - cooling(h),
                lambda t, h: 100 - cooling_formula(h)(t),
                9,
            ),
        )
    ),
    *table_series.ROWS,
    *table_families.ROWS,
]
