"""Mistakes in the further families raise when a schedule is made, and name argument and value."""

import itertools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsched as js
from tests.test_errors import MAX, NO_NUMBERS, NO_SCALARS, NOT_FINITE

LINE = js.linear_schedule(1.0, 0.0, 10)

# Every maker with arguments that are right.
RIGHT = {
    js.inverse_sqrt_schedule: {"init_value": 1.0, "timescale": 10},
    js.inverse_time_schedule: {
        **{"init_value": 1.0, "transition_steps": 10},
        **{"decay_rate": 0.5, "transition_begin": 2},
    },
    js.power_schedule: {"init_value": 1.0, "power": -0.5, "timescale": 10},
    js.rex_schedule: {"init_value": 1.0, "decay_steps": 10, "end_value": 0.1, "beta": 0.5},
    js.tanh_schedule: {
        **{"init_value": 1.0, "decay_steps": 10, "end_value": 0.1},
        **{"lower": -7.0, "upper": 3.0},
    },
    js.k_decay_schedule: {
        **{"init_value": 1.0, "decay_steps": 10, "k": 1.5},
        **{"end_value": 0.1, "exponent": 1.0},
    },
    js.warmup_stable_decay_schedule: {
        **{"init_value": 0.0, "peak_value": 1.0, "warmup_steps": 2},
        **{"decay_begin": 5, "decay_steps": 10, "end_value": 0.1},
    },
    js.untuned_warmup_schedule: {"b2": 0.999},
    js.radam_warmup_schedule: {"b2": 0.999},
}
BELOW_0 = ("decay_rate", "exponent", "b2")
NOT_ABOVE_0 = ("beta", "k", "timescale")
STEPS = (
    *("timescale", "transition_steps", "transition_begin"),
    *("decay_steps", "warmup_steps", "decay_begin"),
)


def wrong_values(argument):
    yield from itertools.product(NOT_FINITE, [ValueError])
    yield from itertools.product((*NO_NUMBERS, *NO_SCALARS), [TypeError])
    if argument in STEPS:
        yield from itertools.product((-1, np.int32(-1), jnp.int32(-1)), [ValueError])
    if argument in BELOW_0 + NOT_ABOVE_0:
        yield from itertools.product((-1, -0.5, np.float32(-1), jnp.float32(-1)), [ValueError])
    if argument in NOT_ABOVE_0:
        yield from itertools.product((0, 0.0, np.float32(0), jnp.int32(0)), [ValueError])
    if argument == "b2":
        yield from itertools.product((1, 1.0, 1.5, np.float64(1), jnp.float32(1)), [ValueError])


@pytest.mark.parametrize(
    ("maker", "argument"), [(maker, name) for maker, right in RIGHT.items() for name in right]
)
def test_a_wrong_number_raises_its_name_and_value(maker, argument):
    for value, error in wrong_values(argument):
        with pytest.raises(error, match=rf"(?s)`{argument}`.*{re.escape(repr(value))}"):
            maker(**{**RIGHT[maker], argument: value})


wsd = js.warmup_stable_decay_schedule


@pytest.mark.parametrize(
    ("make", "error", "pattern"),
    [
        (lambda: wsd(0, 1, 6, 5, 10), ValueError, "`warmup_steps`.*`decay_begin`.*6 > 5"),
        (lambda: wsd(0, 1, 2, 5, 10, shape="log"), ValueError, "`shape`.*'linear', .* 'inverse'"),
        (lambda: wsd(0, 1, 2, 5, 10, shape=None), TypeError, "`shape`.*None"),
        (lambda: wsd(0, 1, 2, 5, 10, shape="inverse"), ValueError, "`end_value`.*'inverse'.*0.0"),
        (lambda: wsd(0, 1, 2, 5, 10, 0.1, "linear", "geometric"), ValueError, "`init_value`.*0"),
        (
            lambda: wsd(0.1, jnp.float32(-1), 2, 5, 10, 0.1, "geometric"),
            ValueError,
            "`peak_value`.*positive",
        ),
        (lambda: js.with_warmup(LINE, 5, shape="geometric"), ValueError, "`init_value`.*0.0"),
        (lambda: js.with_warmup(-1.0, 5, 0.1, "inverse"), ValueError, "`schedule`.*-1.0"),
        (lambda: js.with_warmup(LINE, 5, 0.1, "fast"), ValueError, "`shape`.*'fast'"),
        (lambda: js.with_cooldown(LINE, 5, 5, shape="inverse"), ValueError, "`end_value`.*0.0"),
        (lambda: js.with_cooldown(0, 5, 5, 0.1, "inverse"), ValueError, "`schedule`.*0"),
        (lambda: js.with_cooldown(LINE, 5, 5, 0.1, 1), TypeError, "`shape`.*1"),
        (lambda: js.tanh_schedule(1, 10, lower=4), ValueError, "`lower`.*`upper`.*4 > 3.0"),
        (lambda: js.k_decay_schedule(1, 10, 2, curve="log"), ValueError, "`curve`.*'log'"),
        (lambda: js.untuned_warmup_schedule(0.9, "log"), ValueError, "`shape`.*'log'"),
        (lambda: js.radam_warmup_schedule(0.6), ValueError, "`b2`.*0.6"),
        (lambda: js.inverse_time_schedule(1, 10, staircase=1), TypeError, "`staircase`.*1"),
    ],
)
def test_a_mistake_raises_its_name_and_value(make, error, pattern):
    with pytest.raises(error, match=pattern):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: wsd(0, 1, 0, 0, 0),
        lambda: wsd(0, 1, 5, 5, 10),
        lambda: wsd(1, 0, MAX, MAX, MAX, 1),
        lambda: js.with_warmup(LINE, 5, 0.1, "geometric"),
        lambda: js.with_cooldown(LINE, 15, 5, 0.1, "geometric"),
        lambda: js.inverse_sqrt_schedule(1, MAX),
        lambda: js.inverse_time_schedule(1, 0.5, 0),
        lambda: js.power_schedule(1, 0),
        lambda: js.power_schedule(1, -100),
        lambda: js.rex_schedule(1, 0, beta=1e-30),
        lambda: js.tanh_schedule(1, 10, 0, -100, 100),
        lambda: js.k_decay_schedule(1, 10, 100, exponent=0),
        lambda: js.untuned_warmup_schedule(0),
        lambda: js.untuned_warmup_schedule(1 - 1e-12, "linear"),
        lambda: js.radam_warmup_schedule(0.6001),
        lambda: js.radam_warmup_schedule(1 - 1e-12),
    ],
)
def test_what_is_right_is_finite(make):
    counts = np.array([0, 1, 5, 10, 1000, MAX])
    assert np.all(np.isfinite(make()(counts)))


@pytest.mark.parametrize("maker", RIGHT, ids=lambda maker: maker.__name__)
@pytest.mark.parametrize("value", [-1.0, -1, 0, 5, float("nan"), 1e10])
def test_values_that_are_traced_pass_every_check(maker, value):
    values = dict.fromkeys(RIGHT[maker], jnp.asarray(value))
    rate = jax.eval_shape(lambda values: maker(**values)(3), values)
    assert rate == jax.ShapeDtypeStruct((), jnp.result_type(float))
