"""What the further families promise beyond the contracts of every schedule."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsched as js
from tests.table_families import SHAPES

EVERY = np.arange(200, dtype=np.int32)


@pytest.mark.parametrize(
    "schedule",
    [
        js.cosine_restarts_schedule(2.861034631729126, period=9, warmup_steps=6, end_value=0.1),
        js.linear_schedule(0.3, 0.1, 7) * 0.7,
        js.with_warmup(0.3, 100, 0.01, "square"),
        js.with_cooldown(js.cosine_decay_schedule(0.3, 300), 20, 90, 0.001, "inverse"),
    ],
    ids=repr,
)
def test_constants_are_combined_in_no_program(schedule):
    jitted = jax.jit(schedule)
    one_by_one = np.stack([jitted(count) for count in EVERY])
    _, scanned = jax.jit(
        lambda counts: jax.lax.scan(lambda _, c: (None, schedule(c)), None, counts)
    )(EVERY)
    np.testing.assert_array_equal(one_by_one, jax.jit(jax.vmap(schedule))(EVERY))
    np.testing.assert_array_equal(one_by_one, scanned)


def ends_made(shape, init, end):
    return js.warmup_stable_decay_schedule(0.5, init, 0, 0, 10, end, shape)(jnp.array([0, 3, 10]))


@pytest.mark.parametrize("shape", SHAPES)
def test_ends_only_a_program_knows_give_finite_values_and_slopes(shape):
    of_ends = partial(ends_made, shape)
    both = jax.jit(lambda *ends: (of_ends(*ends), jax.jacrev(of_ends, (0, 1))(*ends)))
    for init, end in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 1.0)]:
        values, slopes = both(init, end)
        assert values[0] == init
        assert values[2] == end
        assert np.isfinite(values).all()
        assert all(np.isfinite(slope).all() for slope in slopes)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_ramp_without_steps_is_at_its_end_at_once(shape):
    rate = js.warmup_stable_decay_schedule(0.1, 1.0, 0, 5, 0, 0.5, shape, shape)
    np.testing.assert_array_equal(rate(np.array([0, 4, 5, 6])), np.array([1, 1, 0.5, 0.5], "f"))


def test_schedules_of_one_shape_are_stacked():
    members = [
        js.warmup_stable_decay_schedule(0.0, 0.1 * i, 2, 5, 5, shape="sqrt") for i in range(1, 9)
    ]
    joined = js.join_schedules(members, [10 * i for i in range(1, 8)])
    alone = np.concatenate([member(np.arange(10)) for member in members])
    np.testing.assert_allclose(joined(np.arange(80)), alone, rtol=1e-6)


def test_transformer_schedule_after_its_warm_up():
    rate = js.with_warmup(js.inverse_sqrt_schedule(0.3, 400), 400)
    counts = np.array([400, 500, 1000, 10**6])
    np.testing.assert_allclose(rate(counts), 0.3 * np.sqrt(400 / counts), rtol=3e-7)


def test_a_growing_power_is_beyond_every_float_and_zero_stays():
    assert js.power_schedule(1.0, 40.0)(2**31 - 1) >= jnp.finfo(jnp.result_type(float)).max
    assert js.power_schedule(0.0, 40.0)(2**31 - 1) == 0


@pytest.mark.parametrize("b2", [0.9, 0.95, 0.99, 0.999, 0.9999])
def test_untuned_warmups_have_whole_lengths(b2):
    linear = js.untuned_warmup_schedule(b2, "linear")
    length = int(2.0 / (1.0 - b2))
    assert linear(length - 1) == linear(2**31 - 1) == 1
    assert linear(length - 2) < 1
    rate = js.untuned_warmup_schedule(b2)(int(1.0 / (1.0 - b2)) - 1)
    np.testing.assert_allclose(rate, 1 - np.exp(-1), rtol=3e-7)
