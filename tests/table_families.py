"""Rows of the further families: decays without an end, other shapes, ramps, warm-ups from beta2."""

import numpy as np
from hypothesis import strategies as st

import jaxsched as js
from tests import formulas_families as formulas
from tests.rows import (
    INNER,
    MAX_COUNT,
    Row,
    begins,
    cooling,
    cooling_formula,
    draws,
    ends,
    ends_of,
    flat,
    floats,
    inner,
    lengths,
    values,
    within,
)

b2s = st.sampled_from([0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999])
decaying = st.one_of(st.just(0.5), floats(0.25, 4.0))
DECAY = dict(init_value=0.3, decay_steps=1000, end_value=0.001)
decay = dict(init_value=values, decay_steps=lengths, end_value=ends)


def both_ends(h):
    return [(0, h["init_value"]), (h["decay_steps"], h["end_value"]), (MAX_COUNT, h["end_value"])]


DECAYS = [
    Row(
        "inverse_sqrt",
        draws(init_value=values, timescale=lengths),
        dict(init_value=0.3, timescale=1000),
        lambda h: js.inverse_sqrt_schedule(**h),
        lambda t, h: formulas.inverse_sqrt(t, **h),
        flat(4),
        bounds=lambda h: (0.0, h["init_value"]),
        falls=True,
        continuous=("init_value", "timescale"),
        exact=lambda h: [(0, h["init_value"]), (3 * h["timescale"], h["init_value"] / 2)],
    ),
    *(
        Row(
            name,
            draws(
                init_value=values,
                transition_steps=lengths,
                decay_rate=floats(1e-3, 1e3),
                transition_begin=begins,
                staircase=st.just(staircase),
            ),
            dict(
                init_value=0.7,
                transition_steps=41,
                decay_rate=0.3,
                transition_begin=10,
                staircase=staircase,
            ),
            lambda h: js.inverse_time_schedule(**h),
            lambda t, h: formulas.inverse_time(t, **h),
            flat(4),
            lambda h: [
                h["transition_begin"] + n * h["transition_steps"] for n in (0, 1, 2, 3, 10, 1000)
            ],
            bounds=lambda h: (0.0, h["init_value"]),
            falls=True,
            continuous=("init_value", "decay_rate", *other),
            exact=lambda h: [(0, h["init_value"]), (10, h["init_value"])],
        )
        for name, staircase, other in (
            ("inverse_time", False, ("transition_steps",)),
            ("inverse_time, staircase", True, ()),
        )
    ),
    Row(
        "power",
        draws(init_value=values, power=floats(-4.0, 4.0), timescale=lengths),
        dict(init_value=0.3, power=-0.51, timescale=100),
        lambda h: js.power_schedule(**h),
        lambda t, h: formulas.power(t, **h),
        lambda h: (4 + 2 * max(1, abs(h["power"])),) * 2,
        falls=True,
        continuous=("init_value", "power", "timescale"),
        exact=lambda h: [(0, h["init_value"])],
    ),
    Row(
        "rex",
        draws(**decay, beta=decaying),
        dict(**DECAY, beta=0.5),
        lambda h: js.rex_schedule(**h),
        lambda t, h: formulas.rex(t, **h),
        flat(8),
        lambda h: [h["decay_steps"]],
        ends_of("init_value", "end_value"),
        falls=True,
        continuous=("init_value", "decay_steps", "end_value", "beta"),
        exact=both_ends,
    ),
    Row(
        "normalized_exponential",
        draws(**decay, ratio=st.one_of(st.just(1.0), floats(1e-3, 8.0))),
        dict(**DECAY, ratio=0.1),
        lambda h: js.normalized_exponential_schedule(**h),
        lambda t, h: formulas.normalized_exponential(t, **h),
        flat(12),
        lambda h: [h["decay_steps"]],
        ends_of("init_value", "end_value"),
        falls=True,
        continuous=("init_value", "decay_steps", "end_value", "ratio"),
        exact=both_ends,
    ),
    Row(
        "tanh",
        draws(**decay, lower=floats(-8.0, -1.0), upper=floats(1.0, 8.0)),
        dict(**DECAY, lower=-7.0, upper=3.0),
        lambda h: js.tanh_schedule(**h),
        lambda t, h: formulas.tanh(t, **h),
        lambda h: (4 + 4 * max(-h["lower"], h["upper"]),) * 2,
        lambda h: [h["decay_steps"]],
        ends_of("init_value", "end_value"),
        falls=True,
        continuous=("init_value", "decay_steps", "end_value", "lower", "upper"),
        exact=lambda h: both_ends(h)[1:],
    ),
    *(
        Row(
            f"k_decay, {curve}",
            draws(**decay, k=floats(0.5, 4.0), exponent=decaying, curve=st.just(curve)),
            dict(**DECAY, k=1.5, exponent=exponent, curve=curve),
            lambda h: js.k_decay_schedule(**h),
            lambda t, h: formulas.k_decay(t, **h),
            lambda h: (16 * max(1, h["exponent"]),) * 2,
            lambda h: [h["decay_steps"]],
            ends_of("init_value", "end_value"),
            falls=True,
            continuous=("init_value", "decay_steps", "k", "end_value", "exponent"),
            exact=both_ends,
        )
        for curve, exponent in (("cosine", 1.0), ("linear", 0.5))
    ),
]

SHAPES = [*formulas.SHAPES, "geometric", "inverse"]


def wsd_draw(shape):
    """A decay of one shape after a warm-up of the next one."""
    return draws(
        init_value=values,
        peak_value=values,
        warmup_steps=lengths,
        decay_begin=begins,
        decay_steps=lengths,
        end_value=values,
        shape=st.just(shape),
        warmup_shape=st.just(SHAPES[SHAPES.index(shape) - 1]),
    ).map(lambda h: within(h, "warmup_steps", "decay_begin"))


def wsd_end(h):
    return min(h["decay_begin"] + h["decay_steps"], MAX_COUNT)


RAMPS = [
    *(
        Row(
            f"warmup_stable_decay, {shape}",
            wsd_draw(shape),
            dict(
                init_value=0.01,
                peak_value=0.3,
                warmup_steps=100,
                decay_begin=500,
                decay_steps=200,
                end_value=0.001,
                shape=shape,
                warmup_shape=SHAPES[SHAPES.index(shape) - 1],
            ),
            lambda h: js.warmup_stable_decay_schedule(**h),
            lambda t, h: formulas.warmup_stable_decay(t, **h),
            flat(8),
            lambda h: [h["warmup_steps"], h["decay_begin"], wsd_end(h)],
            lambda h: (
                min(map(np.float32, (h["init_value"], h["peak_value"], h["end_value"]))),
                max(map(np.float32, (h["init_value"], h["peak_value"], h["end_value"]))),
            ),
            continuous=(
                *("init_value", "peak_value", "end_value"),
                *("warmup_steps", "decay_begin", "decay_steps"),
            ),
            exact=lambda h: [
                (0, h["init_value"]),
                (h["warmup_steps"], h["peak_value"]),
                (h["decay_begin"], h["peak_value"]),
                (wsd_end(h), h["end_value"]),
                (MAX_COUNT, h["end_value"]),
            ],
        )
        for shape in SHAPES
    ),
    *(
        Row(
            f"with_warmup, {shape}",
            draws(**inner, warmup_steps=lengths, start=values, shape=st.just(shape)),
            dict(**INNER, warmup_steps=100, start=0.001, shape=shape),
            lambda h: js.with_warmup(cooling(h), h["warmup_steps"], h["start"], h["shape"]),
            lambda t, h: formulas.with_warmup(
                t, cooling_formula(h), h["warmup_steps"], h["start"], h["shape"]
            ),
            flat(8),
            lambda h: [h["warmup_steps"], min(h["warmup_steps"] + h["decay_steps"], MAX_COUNT)],
            continuous=("init_value", "alpha", "start", "warmup_steps"),
            exact=lambda h: [(0, h["start"]), (h["warmup_steps"], h["init_value"])],
        )
        for shape in ("sqrt", "geometric")
    ),
    *(
        Row(
            f"with_cooldown, {shape}",
            draws(
                **{**inner, "alpha": floats(0.01, 1.0)},
                begin=begins,
                cooldown_steps=lengths,
                end_value=values,
                shape=st.just(shape),
            ),
            dict(**INNER, begin=300, cooldown_steps=100, end_value=1e-3, shape=shape),
            lambda h: js.with_cooldown(
                cooling(h), h["begin"], h["cooldown_steps"], h["end_value"], h["shape"]
            ),
            lambda t, h: formulas.with_cooldown(
                t, cooling_formula(h), h["begin"], h["cooldown_steps"], h["end_value"], h["shape"]
            ),
            flat(12),
            lambda h: [h["begin"], min(h["begin"] + h["cooldown_steps"], MAX_COUNT)],
            continuous=("init_value", "alpha", "end_value", "cooldown_steps"),
            exact=lambda h: [(h["begin"] + h["cooldown_steps"], h["end_value"])],
        )
        for shape in ("sqrt", "inverse")
    ),
]


def radam_units(h):
    """Where the first length is hardly above 4, what it is above has lost digits."""
    b2 = formulas.mpfr(h["b2"])
    return (6 + 2 / float(formulas.radam_length(formulas.radam_begin(b2), b2) - 4),) * 2


WARMUPS = [
    *(
        Row(
            f"untuned_warmup, {shape}",
            draws(b2=b2s, shape=st.just(shape)),
            dict(b2=0.999, shape=shape),
            lambda h: js.untuned_warmup_schedule(**h),
            lambda t, h: formulas.untuned_warmup(t, **h),
            flat(6),
            bounds=lambda h: (0.0, 1.0),
        )
        for shape in ("exponential", "linear")
    ),
    Row(
        "exponential_warmup",
        draws(timescale=lengths),
        dict(timescale=1000.5),
        lambda h: js.exponential_warmup_schedule(**h),
        lambda t, h: formulas.exponential_warmup(t, **h),
        flat(6),
        bounds=lambda h: (0.0, 1.0),
        continuous=("timescale",),
    ),
    Row(
        "radam_warmup",
        draws(b2=floats(0.7, 0.9999)),
        dict(b2=0.999),
        lambda h: js.radam_warmup_schedule(**h),
        lambda t, h: formulas.radam_warmup(t, **h),
        radam_units,
        bounds=lambda h: (0.0, 1.0),
        continuous=("b2",),
    ),
]

ROWS = [*DECAYS, *RAMPS, *WARMUPS]
