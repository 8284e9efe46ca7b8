"""States that programs find by Optax's types, and that come from Optax."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import serialization

import jaxsched as js

LINE = js.linear_schedule(1.0, 0.0, 10)
PARAMS = jnp.ones(2)
OPTIONS = dict(factor=0.5, patience=2, cooldown=1, rtol=1e-3)


@pytest.mark.parametrize(
    "rate", [LINE, 0.1, js.reduce_on(js.plateau(), LINE)], ids=["schedule", "number", "controller"]
)
def test_the_step_is_found_by_the_type(rate):
    optimizer = optax.chain(optax.scale_by_adam(), js.scale_by_schedule(rate))
    state = optimizer.init(PARAMS)
    for _ in range(3):
        _, state = jax.jit(optimizer.update)(PARAMS, state)
    (found,) = [s for s in state if isinstance(s, optax.ScaleByScheduleState)]
    assert found.count == 3
    assert isinstance(found, js.scale_by_learning_rate(0.1).init(PARAMS).__class__)
    assert found._fields == ("count", "learning_rate", "controller")
    again = serialization.from_bytes(optimizer.init(PARAMS), serialization.to_bytes(state))
    assert jax.tree.structure(again) == jax.tree.structure(state)
    assert optax.tree_utils.tree_get(state, "learning_rate") == js.learning_rate(state)


def test_a_state_of_optax_goes_on_where_it_says():
    theirs, ours = optax.contrib.reduce_on_plateau(**OPTIONS), js.reduce_on_plateau(**OPTIONS)
    losses = [3.0, 2.0, 2.0, 2.0, 1.9, 1.9, 1.9, 1.9, 1.5, 1.6, 1.7, 1.7, 1.7, 1.7, 1.7, 1.7]
    step = jax.jit(lambda state, loss: ours.update(PARAMS, state, value=loss)[1])
    state = theirs.init(PARAMS)
    for begin in range(len(losses)):
        mixed = js.ReduceLROnPlateauState(*state) if begin % 2 else state
        follow = state
        for loss in losses[begin:]:
            mixed = step(mixed, loss)
            _, follow = theirs.update(PARAMS, follow, value=loss)
            fields = [[float(field) for field in state] for state in (mixed, follow)]
            np.testing.assert_allclose(*fields, rtol=1e-15)
        _, state = theirs.update(PARAMS, state, value=losses[begin])


def test_a_state_made_by_hand():
    ours = js.reduce_on_plateau(**OPTIONS)
    state = js.ReduceLROnPlateauState(0.25, 1.0, 1, 0, 0, 0.0)
    updates, state = ours.update(PARAMS, state, value=2.0)
    assert (state.best_value, state.cooldown_count) == (1.0, 1)
    np.testing.assert_allclose([state.scale, *updates], 0.125, rtol=1e-15)
    assert js.record(state)["events"] == 3


def test_the_six_are_read_from_two_vectors():
    ours = js.reduce_on_plateau(**OPTIONS)
    state = ours.init(PARAMS)
    for loss in (3.0, 4.0, 5.0):
        _, state = ours.update(PARAMS, state, value=loss)
    assert len(jax.tree.leaves(state)) == 2
    scale, best_value, plateau_count, cooldown_count, count, avg_value = state
    assert (scale, best_value, plateau_count, cooldown_count, count) == (0.5, 3, 0, 1, 0)
    assert avg_value == state.avg_value
    names = optax.contrib.ReduceLROnPlateauState._fields
    assert state._asdict() == {name: getattr(state, name) for name in names}
    for same in (
        pickle.loads(pickle.dumps(state)),
        copy.deepcopy(state),
        jax.tree.map(jnp.array, state),
    ):
        assert type(same) is type(state)
        jax.tree.map(np.testing.assert_array_equal, same, state)
    again = serialization.from_bytes(ours.init(PARAMS), serialization.to_bytes(state))
    jax.tree.map(np.testing.assert_array_equal, again, state)
    updates, _ = ours.update(PARAMS, state._replace(scale=jnp.float32(1.0)))
    np.testing.assert_array_equal(updates, 1.0)


def test_too_many_inside_of_one_another_raise_at_once():
    total = LINE
    for _ in range(127):
        total = total + 0.001
    with pytest.raises(ValueError, match="more than 128 schedules inside of one another"):
        total + 0.001
    np.testing.assert_allclose(total(3), 0.7 + 0.127, rtol=1e-5)
    assert eval(repr(total), vars(js)) == total == js.from_config(js.to_config(total))
    with pytest.raises(ValueError, match="table_schedule"):
        sum([LINE] * 1000, LINE)
    assert LINE(5) == 0.5
