"""Resetting an optimizer's memory on an event: which parts, when, and what is never touched."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxsched as js
from tests.test_momentum import quadratic, wide  # noqa: F401 - fixtures

PARAMS = {"w": jnp.ones((2, 3)), "b": jnp.zeros(3)}
GRADS = {"w": jnp.full((2, 3), 0.5), "b": jnp.ones(3)}
EVENT = 3


def rule():
    """Fires once, at the update number 3."""
    return js.worsening()


def run(optimizer, losses, params=PARAMS):
    """The state before and after the last of some updates, and its updates."""
    update = jax.jit(optimizer.update)
    state = optimizer.init(params)
    for loss in losses:
        before = state
        updates, state = update(GRADS, state, params, value=loss)
    return before, updates, state


FALLING, EVENTFUL = [3.0, 2.0, 1.0, 0.5], [3.0, 2.0, 1.0, 1.5]
ADAM = optax.adam(0.1)


def adam(state):
    return state.inner_state[0]


def moments_after_one_update():
    return ADAM.update(GRADS, ADAM.init(PARAMS), PARAMS)[1][0]


def equal(left, right):
    return all(map(np.array_equal, jax.tree.leaves(left), jax.tree.leaves(right)))


def test_without_an_event_it_is_the_optimizer():
    _, updates, state = run(js.reset_on(rule(), ADAM), FALLING)
    _, plain, inner = run(optax.with_extra_args_support(ADAM), FALLING)
    assert equal(updates, plain)
    assert equal(state.inner_state, inner)


def test_an_event_begins_anew_at_that_very_update():
    _, updates, state = run(js.reset_on(rule(), ADAM), EVENTFUL)
    first, _ = ADAM.update(GRADS, ADAM.init(PARAMS), PARAMS)
    np.testing.assert_allclose(updates["w"], first["w"], rtol=1e-6)
    assert adam(state).count == 1
    assert equal(adam(state).mu, moments_after_one_update().mu)


@pytest.mark.parametrize("how", ["reinitialize", "zero"])
@pytest.mark.parametrize(
    ("parts", "reset", "kept"),
    [
        ("momentum", ["mu"], ["nu", "count"]),
        ("second_moments", ["nu"], ["mu", "count"]),
        ("count", ["count"], ["mu", "nu"]),
        (("mu", "count"), ["mu", "count"], ["nu"]),
        ("all", ["mu", "nu", "count"], []),
        ((), [], ["mu", "nu", "count"]),
    ],
)
def test_only_the_parts_that_are_named_are_reset(how, parts, reset, kept):
    options = {"reinitialize": (), how: parts}
    _, _, state = run(js.reset_on(rule(), ADAM, **options), EVENTFUL)
    _, _, plain = run(js.reset_on(rule(), ADAM), FALLING)
    first = moments_after_one_update()
    for name in reset:
        np.testing.assert_allclose(
            *(jax.tree.leaves(getattr(s, name))[0] for s in (adam(state), first)), rtol=1e-6
        )
    for name in kept:
        assert equal(getattr(adam(state), name), getattr(adam(plain), name))


def test_zero_differs_from_init_where_init_is_not_zero():
    inner = optax.scale_by_rss(initial_accumulator_value=0.1)
    for options, start in (({}, 0.1), ({"reinitialize": (), "zero": "second_moments"}, 0.0)):
        _, _, state = run(js.reset_on(rule(), inner, **options), EVENTFUL)
        np.testing.assert_allclose(state.inner_state.sum_of_squares["b"], start + 1.0, rtol=1e-6)


LINE = js.linear_schedule(1.0, 0.0, 10)
RATES = {
    "schedule": js.scale_by_learning_rate(LINE),
    "controller": js.scale_by_learning_rate(js.reduce_on(rule(), LINE, factor=0.5)),
    "plateau": js.reduce_on_plateau(patience=1),
    "Optax": optax.scale_by_learning_rate(LINE),
    "injected": optax.inject_hyperparams(optax.sgd)(learning_rate=LINE, momentum=0.9),
}


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
def test_rates_are_never_touched(rate):
    _, _, state = run(js.reset_on(rule(), rate), EVENTFUL)
    _, _, plain = run(optax.with_extra_args_support(rate), EVENTFUL)
    if hasattr(plain, "hyperparams"):
        state, plain = ((s.hyperparams, s.hyperparams_states) for s in (state.inner_state, plain))
        assert equal(state, plain)
    else:
        assert equal(state.inner_state, plain)


def test_schedule_and_moments_begin_again_together():
    rate = js.restart_on(rule(), LINE)
    inner = optax.chain(optax.scale_by_adam(), js.scale_by_learning_rate(rate))
    _, _, state = run(js.reset_on(rule(), inner), [*EVENTFUL, 0.4])
    assert js.learning_rate(state) == LINE(1)
    assert state.inner_state[0].count == 2
    assert js.record(state)["last_event"] == EVENT


def test_the_best_parameters_come_back():
    optimizer = js.reset_on(rule(), ADAM, return_to_best=True)
    params, state = PARAMS, optimizer.init(PARAMS)
    seen = []
    for loss in [3.0, 1.0, 1.0, 2.0]:
        seen.append(params)
        updates, state = jax.jit(optimizer.update)(GRADS, state, params, value=loss)
        params = optax.apply_updates(params, updates)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), params, seen[1])
    assert state.best_value == 1.0
    assert equal(state.best_params, seen[1])
    assert equal(state.inner_state, ADAM.init(PARAMS)), "no update was made from there"


def test_the_memory_of_the_best_parameters_comes_back_with_them():
    line = LINE * 0.1
    rate = js.reduce_on(rule(), line, factor=0.5)
    adam = optax.chain(optax.scale_by_adam(), js.scale_by_learning_rate(rate))
    optimizer = js.reset_on(
        rule(), adam, return_to_best=True, best_memory=True, reset_monitor=False
    )
    params, state = PARAMS, optimizer.init(PARAMS)
    update, seen = jax.jit(optimizer.update), []
    for loss in [3.0, 1.0, 1.0, 2.0]:
        seen.append((params, state.inner_state[0]))
        updates, state = update(GRADS, state, params, value=loss)
        params = optax.apply_updates(params, updates)
    best_params, best_memory = seen[1]
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-6), params, best_params)
    assert equal(state.inner_state[0], best_memory)
    assert best_memory.count == 1
    assert js.record(state)["updates"] == 4
    assert js.learning_rate(state) == 0.5 * line(3)
    with pytest.raises(ValueError, match="`best_memory` is for"):
        js.reset_on(rule(), adam, best_memory=True)


def test_the_best_parameters_follow_the_mode_and_shun_nan():
    optimizer = js.reset_on(js.every(9), ADAM, return_to_best=True, mode="max")
    before, _, state = run(optimizer, [1.0, 2.0, float("nan"), float("inf"), 1.5])
    assert state.best_value == before.best_value == 2.0


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16, jnp.float32])
def test_dtypes_stay(dtype):
    params = jax.tree.map(lambda p: p.astype(dtype), PARAMS)
    optimizer = js.reset_on(rule(), ADAM, return_to_best=True)
    state = optimizer.init(params)
    grads = jax.tree.map(lambda g: g.astype(dtype), GRADS)
    for loss in EVENTFUL:
        updates, after = jax.jit(optimizer.update)(grads, state, params, value=loss)
        assert jax.tree.map(jnp.result_type, after) == jax.tree.map(jnp.result_type, state)
        assert {u.dtype for u in jax.tree.leaves(updates)} == {jnp.dtype(dtype)}
        state = after


def test_the_program_has_no_branch():
    optimizer = js.reset_on(js.plateau(), ADAM, return_to_best=True)
    state = optimizer.init(PARAMS)
    compiled = jax.jit(optimizer.update).lower(GRADS, state, PARAMS, value=1.0).compile()
    for word in ("conditional(", "while(", "callback"):
        assert word not in compiled.as_text()


@pytest.mark.parametrize(("kappa", "count"), [(1e3, 370), (1e4, 1349)])
@pytest.mark.usefixtures("wide")
def test_restarting_momentum_by_the_value(kappa, count):
    """The function scheme of O'Donoghue and Candès, with the value at which the gradient is."""
    curvatures, start = map(jnp.asarray, quadratic(kappa))
    optimizer = optax.chain(
        js.reset_on(js.worsening(), js.scale_by_nesterov()), js.scale_by_learning_rate(1.0)
    )
    goal = 1e-10 * (curvatures @ start**2)

    def step(carry):
        steps, _, y, state = carry
        updates, state = optimizer.update(curvatures * y, state, y, value=curvatures @ y**2 / 2)
        y = optax.apply_updates(y, updates)
        return steps + 1, y + state[0].inner_state.trace, y, state

    def unfinished(carry):
        return curvatures @ carry[1] ** 2 > goal

    carry = (0, start, start, optimizer.init(start))
    assert jax.jit(lambda carry: jax.lax.while_loop(unfinished, step, carry))(carry)[0] == count
