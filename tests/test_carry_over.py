"""A run that goes on under another optimizer, from the state of the old one."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxsched as js

PARAMS = {"w": jnp.ones((2, 3)), "b": jnp.ones(3)}
LINE = js.linear_schedule(1.0, 0.0, 20)
REDUCE = js.reduce_on(js.plateau(patience=2), LINE, factor=0.5)


def adam(rate):
    return optax.chain(optax.scale_by_adam(), js.scale_by_learning_rate(rate))


def steps(optimizer, state, losses):
    update = jax.jit(optax.with_extra_args_support(optimizer).update)
    for loss in losses:
        updates, state = update(PARAMS, state, PARAMS, value=loss)
    return updates, state


def equal(left, right):
    return all(map(np.array_equal, jax.tree.leaves(left), jax.tree.leaves(right)))


@pytest.mark.parametrize("old", [adam(LINE), optax.adam(LINE), adam(0.5)], ids=range(3))
def test_a_controller_that_is_added_goes_on_at_the_count(old):
    _, before = steps(old, old.init(PARAMS), [1.0] * 5)
    new = adam(REDUCE)
    state = js.carry_over(before, new.init(PARAMS))
    assert equal(state[0], before[0])
    _, state = steps(new, state, [1.0])
    assert js.learning_rate(state) == LINE(5)
    assert js.record(state)["updates"] == js.record(state)["count"] == 6
    assert js.record(state)["observations"] == 1


def test_a_controller_keeps_all_that_it_knows():
    optimizer = adam(REDUCE)
    _, state = steps(optimizer, optimizer.init(PARAMS), [1.0, 1.0, 1.0, 1.0])
    state = js.observe(state, value=0.5)
    assert equal(js.carry_over(state, optimizer.init(PARAMS)), state)


def test_a_controller_that_is_taken_away_leaves_the_count():
    controlled, plain = adam(REDUCE), adam(LINE)
    _, state = steps(controlled, controlled.init(PARAMS), [1.0] * 5)
    state = js.carry_over(state, plain.init(PARAMS))
    assert jax.tree.structure(state) == jax.tree.structure(plain.init(PARAMS))
    _, state = steps(plain, state, [1.0])
    assert js.learning_rate(state) == LINE(5)


def test_arrays_of_another_shape_are_new():
    old = adam(LINE)
    _, before = steps(old, old.init(PARAMS), [1.0] * 5)
    with pytest.warns(UserWarning, match=r"begin anew: \[0\].mu\['b'\], \[0\].nu\['b'\]"):
        state = js.carry_over(before, old.init({**PARAMS, "b": jnp.ones(4)}))
    np.testing.assert_array_equal(state[0].mu["b"], np.zeros(4))
    np.testing.assert_array_equal(state[0].mu["w"], before[0].mu["w"])


def test_another_schedule_needs_nothing_carried_over():
    old, new = adam(REDUCE), adam(REDUCE.replace(schedule=LINE * 0.5))
    _, state = steps(old, old.init(PARAMS), [1.0] * 4)
    _, state = steps(new, state, [1.0])
    assert js.learning_rate(state) == 0.125 * LINE(4)
    assert js.record(state)["events"] == 2


def test_a_longer_chain_keeps_moments_and_count():
    old = adam(LINE)
    _, before = steps(old, old.init(PARAMS), [1.0] * 5)
    for new in (
        optax.chain(optax.clip(1.0), optax.scale_by_adam(), js.scale_by_learning_rate(LINE)),
        optax.chain(js.scale_by_learning_rate(LINE), optax.scale_by_adam()),
        optax.chain(optax.chain(optax.clip(1.0), adam(LINE))),
    ):
        state = js.carry_over(before, new.init(PARAMS))
        assert js.learning_rate(steps(new, state, [1.0])[1]) == LINE(5)
        moments = [leaf for leaf in jax.tree.leaves(state) if jnp.ndim(leaf)]
        assert equal(moments, [leaf for leaf in jax.tree.leaves(before) if jnp.ndim(leaf)])
    twice = optax.chain(optax.trace(0.5), optax.trace(0.9))
    _, before = steps(twice, twice.init(PARAMS), [1.0] * 3)
    longer = optax.chain(optax.clip(1.0), *[optax.trace(decay) for decay in (0.5, 0.9)])
    assert equal(js.carry_over(before, longer.init(PARAMS)), before)


def test_the_count_of_an_optimizer_without_a_schedule():
    old = optax.adam(0.1)
    _, before = steps(old, old.init(PARAMS), [1.0] * 5)
    for new in (adam(LINE), adam(REDUCE), optax.adam(LINE)):
        state = js.carry_over(before, new.init(PARAMS))
        assert equal(state[0], before[0])
        updates, _ = steps(new, state, [1.0])
        straight, _ = steps(
            adam(LINE), steps(adam(LINE), adam(LINE).init(PARAMS), [1.0] * 5)[1], [1]
        )
        np.testing.assert_allclose(updates["w"], straight["w"], rtol=1e-6)


def test_another_monitor_begins_anew_where_the_schedule_is():
    old, new = adam(REDUCE), adam(js.reduce_on(js.spike(), LINE, 0.5))
    _, before = steps(old, old.init(PARAMS), [1.0, 1.0, 1.0, 1.0, 1.0])
    state = js.carry_over(before, new.init(PARAMS))
    assert {k: int(v) for k, v in js.record(state).items() if k != "best_value"} == {
        k: int(v) for k, v in js.record(before).items() if k != "best_value"
    }
    _, after = steps(new, state, [1.0])
    assert js.learning_rate(after) == 0.25 * LINE(5)
    with pytest.raises(ValueError, match=r"of `plateau` on `value`.*`spike`.*carry_over"):
        new.update(PARAMS, before, value=1.0)


def test_the_schedule_can_begin_anew():
    optimizer = adam(REDUCE)
    _, before = steps(optimizer, optimizer.init(PARAMS), [1.0] * 5)
    state = js.carry_over(before, optimizer.init(PARAMS), restart_schedule=True)
    assert equal(state[0], before[0])
    assert equal(state[1], optimizer.init(PARAMS)[1])


def test_what_is_left_behind_is_told():
    old, new = optax.chain(optax.trace(0.9), adam(LINE)), adam(LINE)
    _, before = steps(old, old.init(PARAMS), [1.0] * 2)
    with pytest.warns(UserWarning, match=r"left behind: \[0\].trace\['b'\], \[0\].trace\['w'\]"):
        state = js.carry_over(before, new.init(PARAMS))
    assert state[1].count == 2


@pytest.mark.parametrize("state", [3, {"a": jnp.ones(2)}, None, [jnp.ones(1)]])
def test_what_is_no_state(state):
    good = adam(LINE).init(PARAMS)
    with pytest.raises(TypeError, match="`old_state` must be an optimizer's state"):
        js.carry_over(state, good)
    with pytest.raises(TypeError, match="`new_state` must be an optimizer's state"):
        js.carry_over(good, state)


def test_values_are_converted_across_dtypes():
    old = optax.adam(LINE, mu_dtype=jnp.bfloat16)
    _, before = steps(old, old.init(PARAMS), [1.0] * 2)
    state = js.carry_over(before, optax.adam(LINE).init(PARAMS))
    assert state[0].mu["w"].dtype == PARAMS["w"].dtype
    np.testing.assert_array_equal(state[0].mu["w"], before[0].mu["w"].astype(float))
    doubled = jax.tree.map(
        lambda leaf: np.asarray(leaf, np.float64) if leaf.dtype == np.float32 else leaf,
        adam(REDUCE).init(PARAMS),
    )
    carried = js.carry_over(doubled, adam(REDUCE).init(PARAMS))
    assert equal(carried, adam(REDUCE).init(PARAMS))
