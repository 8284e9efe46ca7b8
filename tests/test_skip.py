"""A skipped update changes nothing, and the right ones are skipped."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxsched as js
from tests import skip_rules

PARAMS = {"w": jnp.arange(3.0), "b": jnp.ones(2)}
GRADS = jax.tree.map(lambda p: 0.5 * p + 1, PARAMS)
SPIKE = js.spike(deviations=6.0, window=16, min_count=4)


def leaves(tree):
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(tree)]


def test_a_skipped_update_is_0_and_the_state_stays():
    optimizer = js.skip_on(SPIKE, optax.adamw(0.1))
    state = optimizer.init(PARAMS)
    update = jax.jit(optimizer.update)
    for loss in (1.0, 1.1, 0.9, 1.0, 1.05):
        _, state = update(GRADS, state, PARAMS, value=loss)
    updates, after = update(GRADS, state, PARAMS, value=9.0)
    assert leaves(updates) == leaves(jax.tree.map(jnp.zeros_like, PARAMS))
    assert leaves(after.inner_state) == leaves(state.inner_state)
    assert js.record(after)["events"] == 1
    updates, _ = update(GRADS, after, PARAMS, value=1.0)
    expected, _ = optax.adamw(0.1).update(GRADS, state.inner_state, PARAMS)
    for one, other in zip(jax.tree.leaves(updates), jax.tree.leaves(expected), strict=True):
        np.testing.assert_array_max_ulp(np.asarray(one), np.asarray(other), maxulp=2)


def test_without_an_event_it_is_the_optimizer_alone():
    skipping, alone = js.skip_on(js.nonfinite(), optax.adam(0.1)), optax.adam(0.1)
    state, other = skipping.init(PARAMS), alone.init(PARAMS)
    for loss in (1.0, 2.0, 3.0):
        updates, state = skipping.update(GRADS, state, PARAMS, value=loss)
        expected, other = alone.update(GRADS, other, PARAMS)
        for one, two in zip(jax.tree.leaves(updates), jax.tree.leaves(expected), strict=True):
            np.testing.assert_array_max_ulp(np.asarray(one), np.asarray(two), maxulp=2)


def test_gradients_that_are_not_numbers_leave_no_trace():
    optimizer = js.skip_on(js.nonfinite(), optax.adam(0.1))
    state = optimizer.init(PARAMS)
    broken = jax.tree.map(lambda g: g * jnp.nan, GRADS)
    updates, after = jax.jit(optimizer.update)(broken, state, PARAMS, value=jnp.nan)
    assert leaves(updates) == leaves(jax.tree.map(jnp.zeros_like, PARAMS))
    assert leaves(after.inner_state) == leaves(state.inner_state)


def test_each_monitor_hears_its_metric_and_any_of_them_skips():
    rule = {"value": SPIKE, "grad_norm": SPIKE}
    optimizer = js.skip_on(rule, optax.trace(0.0))
    state = optimizer.init(jnp.ones(1))
    skipped = []
    for loss, norm in [(1.0, 5.0), (1.1, 5.1), (0.9, 4.9), (1.0, 5.0), (9.0, 5.0), (1.0, 50.0)]:
        updates, state = optimizer.update(jnp.ones(1), state, value=loss, grad_norm=norm)
        skipped.append(float(updates[0]) == 0)
    assert skipped == [False] * 4 + [True, True]
    records = js.record(state, all=True)
    assert [float(one["events"]) for one in records.values()] == [1, 1]


def test_other_arguments_reach_the_optimizer():
    optimizer = js.skip_on(
        js.nonfinite(), js.scale_by_learning_rate(0.5, clock="tokens", tokens_per_step=4)
    )
    state = optimizer.init(PARAMS)
    _, state = optimizer.update(GRADS, state, PARAMS, value=1.0, tokens=9)
    assert (state.inner_state.count, state.inner_state.remainder) == (2, 1)
    _, state = optimizer.update(GRADS, state, PARAMS, value=jnp.inf, tokens=9)
    assert (state.inner_state.count, state.inner_state.remainder) == (2, 1)


def test_a_controller_inside_does_not_hear_the_spike():
    inside = js.scale_by_learning_rate(js.scale_on(SPIKE, 1.0, factor=0.5))
    optimizer = js.skip_on(SPIKE, inside)
    state = optimizer.init(PARAMS)
    for loss in (1.0, 1.01, 0.99, 1.0, 9.0):
        _, state = optimizer.update(GRADS, state, PARAMS, value=loss)
    records = js.record(state, all=True)
    assert [float(one["events"]) for one in records.values()] == [0, 1]


def test_a_rate_outside_counts_the_skipped_updates():
    line = js.linear_schedule(1.0, 0.0, 4)
    optimizer = optax.chain(
        js.skip_on(js.nonfinite(), optax.trace(0.0)), js.scale_by_learning_rate(line)
    )
    state = optimizer.init(jnp.ones(1))
    found = []
    for loss in (1.0, jnp.nan, 1.0):
        updates, state = optimizer.update(jnp.ones(1), state, value=loss)
        found.append(float(updates[0]))
    assert found == [-1.0, 0.0, -0.5]


def test_an_observation_before_the_update_is_heard():
    optimizer = js.skip_on(js.nonfinite(), optax.trace(0.0))
    state = js.observe(optimizer.init(jnp.ones(1)), value=jnp.nan)
    updates, state = optimizer.update(jnp.ones(1), state)
    assert updates == 0
    updates, _ = optimizer.update(jnp.ones(1), state)
    assert updates == 1


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16, jnp.float32])
def test_dtypes_stay(dtype):
    params, grads = (jax.tree.map(lambda x: x.astype(dtype), tree) for tree in (PARAMS, GRADS))
    optimizer = js.skip_on(js.nonfinite(), optax.adam(0.1))
    state = optimizer.init(params)
    for loss in (1.0, jnp.nan):
        updates, after = jax.jit(optimizer.update)(grads, state, params, value=loss)
        assert jax.tree.map(jnp.result_type, after) == jax.tree.map(jnp.result_type, state)
        assert {u.dtype for u in jax.tree.leaves(updates)} == {jnp.dtype(dtype)}


@pytest.mark.parametrize("rule", [SPIKE, {"value": SPIKE, "grad_norm": SPIKE}])
def test_the_program_has_no_branch_no_loop_and_no_callback(rule):
    optimizer = js.skip_on(rule, optax.adam(0.1))
    state = optimizer.init(PARAMS)
    step = jax.jit(optimizer.update, donate_argnums=1)
    text = step.lower(GRADS, state, PARAMS, value=1.0, grad_norm=1.0).compile().as_text()
    assert not re.findall(r"\b(?:conditional|while|custom-call)\(", text)


def test_its_state_is_few_arrays():
    optimizer = js.skip_on(js.spike(), optax.identity())
    assert len(jax.tree.leaves(optimizer.init(PARAMS))) == 2


@pytest.mark.parametrize(
    ("monitor", "error", "message"),
    [
        (js.spike, TypeError, "`monitor` must be a monitor; `spike` makes one"),
        (0.5, TypeError, "`monitor` must be a monitor"),
        ({}, ValueError, "`monitor` must be a mapping of at least one"),
        ({"value": 1.0}, TypeError, "`monitor` must be a monitor"),
    ],
)
def test_a_wrong_monitor_is_told(monitor, error, message):
    with pytest.raises(error, match=message):
        js.skip_on(monitor, optax.adam(0.1))


def test_a_missing_metric_is_told_where_it_is_required():
    rule = {"value": js.spike(), "grad_norm": js.spike()}
    optimizer = js.skip_on(rule, optax.adam(0.1), require_value=True)
    with pytest.raises(TypeError, match="`grad_norm=`"):
        optimizer.update(GRADS, optimizer.init(PARAMS), PARAMS, value=1.0)


STREAMS, STEPS = 100_000, 300


def streams(sign=1):
    """Falling losses with noise of up to 4 deviations, and three jumps, each above the last."""
    random = np.random.default_rng(0)
    noise = np.clip(random.normal(size=(STEPS, STREAMS)), -4, 4)
    places = np.sort(random.integers(0, STEPS, size=(3, STREAMS)), axis=0)
    sizes = random.uniform(20, 60, STREAMS) * 1.6 ** np.arange(3)[:, None]
    for place, size in zip(places, sizes, strict=True):
        noise[place, np.arange(STREAMS)] = sign * size
    return (3 + np.exp(-np.arange(STEPS) / 200)[:, None] + 0.1 * noise).astype(np.float32)


def skipped(rule, losses):
    def step(state, losses):
        return jax.vmap(rule.update)(state, losses)

    start = jax.tree.map(lambda leaf: jnp.full(STREAMS, leaf), rule.init())
    return np.asarray(jax.jit(lambda losses: jax.lax.scan(step, start, losses)[1])(losses))


@pytest.mark.parametrize(
    ("theirs", "min_count"),
    [(skip_rules.maxtext, 63), (skip_rules.olmo_core, 63), (skip_rules.levanter, 64)],
)
def test_it_skips_what_the_trainers_skip(theirs, min_count):
    losses = streams()
    expected = theirs(losses.astype(np.float64))
    assert expected.sum() > STREAMS
    found = skipped(js.spike(deviations=6, window=128, min_count=min_count), losses)
    np.testing.assert_array_equal(found, expected)


def test_either_side_is_olmo_cores():
    losses = streams(sign=-1)
    expected = skip_rules.olmo_core(losses.astype(np.float64))
    assert expected.sum() > STREAMS
    either = js.any_of([js.spike(6, 128, 63, mode=mode) for mode in ("min", "max")])
    np.testing.assert_array_equal(skipped(either, losses), expected)
