"""Rows of the further families: decays without an end, other shapes, ramps, warm-ups from beta2."""

from hypothesis import strategies as st

import jaxsched as js
from tests import formulas_families as formulas
from tests.rows import MAX_COUNT, Row, begins, draws, ends, ends_of, flat, floats, lengths, values

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
            lambda h: (8 * max(1, h["exponent"]),) * 2,
            lambda h: [h["decay_steps"]],
            ends_of("init_value", "end_value"),
            falls=True,
            continuous=("init_value", "decay_steps", "k", "end_value", "exponent"),
            exact=both_ends,
        )
        for curve, exponent in (("cosine", 1.0), ("linear", 0.5))
    ),
]

ROWS = DECAYS
