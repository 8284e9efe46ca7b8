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
    state = js.carry_over(before, old.init({**PARAMS, "b": jnp.ones(4)}))
    np.testing.assert_array_equal(state[0].mu["b"], np.zeros(4))
    np.testing.assert_array_equal(state[0].mu["w"], before[0].mu["w"])


def test_another_schedule_needs_nothing_carried_over():
    old, new = adam(REDUCE), adam(REDUCE.replace(schedule=LINE * 0.5))
    _, state = steps(old, old.init(PARAMS), [1.0] * 4)
    _, state = steps(new, state, [1.0])
    assert js.learning_rate(state) == 0.125 * LINE(4)
    assert js.record(state)["events"] == 2
