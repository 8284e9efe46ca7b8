"""A state of `scale_by_path` under other numbers, another order, and other rules."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsched as js

PARAMS = {"b": jnp.ones(2), "head": jnp.ones(1), "w": jnp.ones(3)}
LINE = js.linear_schedule(1.0, 0.0, 10)


def stepped(transform, state, losses):
    update = jax.jit(transform.update)
    for loss in losses:
        updates, state = update(PARAMS, state, value=loss)
    return updates, state


def rates(state):
    return {rule: float(rate) for rule, rate in js.learning_rates(state).items()}


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (({"b": 0.1, ".*": 1.0}, 0.1), ({"b": 0.1, ".*": 1.0}, 0.2)),
        (({"b": 0.1, ".*": 1.0}, 0.1), ({"b": 1.0, ".*": 1.0}, 0.1)),
        (({"b": 0.1, ".*": 1.0}, 0.1), ({"b": None, ".*": 0.5}, LINE)),
        (({"b": None, ".*": 1.0}, 0.1), ({"b": 0.1, ".*": 0.1}, 0.1)),
        (({"b": LINE, "w|h": 1.0}, LINE), ({"w|h": LINE, "b": LINE * 2}, 3.0)),
    ],
)
def test_other_numbers_go_on_at_the_count(first, then):
    before, after = js.scale_by_path(*first), js.scale_by_path(*then)
    _, state = stepped(before, before.init(PARAMS), [0.0] * 3)
    assert jax.tree.structure(state.controllers) == jax.tree.structure(
        after.init(PARAMS).controllers
    )
    _, state = stepped(after, state, [0.0])
    _, straight = stepped(after, after.init(PARAMS), [0.0] * 4)
    assert rates(state) == rates(straight)
    assert state.count == 4


def test_a_traced_base():
    @jax.jit
    def one(base, state):
        return js.scale_by_path({"b": 0.1, ".*": 1.0}, base).update(PARAMS, state)

    state = js.scale_by_path({"b": 0.1, ".*": 1.0}, 0.5).init(PARAMS)
    updates, state = one(0.25, state)
    np.testing.assert_allclose(updates["b"], -0.025)
    np.testing.assert_array_equal(updates["w"], -0.25)


def test_histories_stay_with_their_rules_in_another_order():
    head, rest = js.reduce_on(js.plateau(patience=1), 1e-2), js.reduce_on(js.every(2), 1.0, 0.5)
    before = js.scale_by_path({"head": head, "b|w": rest})
    after = js.scale_by_path({"b|w": rest, "head": head})
    losses = [1.0, 1.0, 1.0]
    _, state = stepped(before, before.init(PARAMS), losses)
    _, on = stepped(before, state, [0.5])
    _, other = stepped(after, state, [0.5])
    assert rates(on) == rates(other)
    assert list(rates(other)) == ["b|w", "head"]
    carried = js.carry_over(state, after.init(PARAMS))
    assert rates(stepped(after, carried, [0.5])[1]) == rates(on)


def test_equal_controllers_have_histories_of_their_own():
    rule = js.reduce_on(js.plateau(patience=1), 1.0, 0.5)
    transform = js.scale_by_path({"b": rule, ".*": rule})
    state = transform.init(PARAMS)
    assert len(state.controllers) == 2
    apart = js.scale_by_path({"b": rule, ".*": js.reduce_on(js.plateau(patience=9), 1.0)})
    _, state = stepped(apart, apart.init(PARAMS), [1.0, 1.0])
    _, state = stepped(transform, state, [0.5])
    assert rates(state) == {"b": 0.5, ".*": 1.0}


def test_other_rules_are_named():
    state = js.scale_by_path({"b": 0.1, ".*": 1.0}).init(PARAMS)
    other = js.scale_by_path({"w": 0.1, ".*": 1.0})
    with pytest.raises(ValueError, match=r"\['b', '\.\*'\].*\['w', '\.\*'\].*carry_over"):
        other.update(PARAMS, state)
    controlled = js.scale_by_path({"b": js.reduce_on(js.every(2), 1.0), ".*": 1.0})
    with pytest.raises(ValueError, match=r"'b'.*another kind.*carry_over"):
        controlled.update(PARAMS, state)
    base = js.scale_by_path({"b": 0.1, ".*": 1.0}, js.reduce_on(js.every(2), 1.0))
    with pytest.raises(ValueError, match=r"'learning_rate'.*another kind"):
        base.update(PARAMS, state)


def test_what_is_in_both_is_carried_over():
    rule = js.reduce_on(js.every(2), 1.0, 0.5)
    before = js.scale_by_path({"b": rule, ".*": 1.0})
    after = js.scale_by_path({"w": rule, "b": rule, ".*": 1.0})
    _, state = stepped(before, before.init(PARAMS), [1.0] * 3)
    carried = js.carry_over(state, after.init(PARAMS))
    assert carried.count == 3
    _, carried = stepped(after, carried, [1.0])
    _, straight = stepped(before, before.init(PARAMS), [1.0] * 4)
    assert rates(straight)["b"] == 0.5
    assert rates(carried) == {"w": 1.0, **rates(straight)}
