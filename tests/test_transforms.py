"""The rate in an optimizer's state: what is applied, what is kept, and how it is read."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax.training.train_state import TrainState

import jaxsched
from tests.measure import DTYPE

RATE = jaxsched.linear_schedule(1.0, 0.0, 8)
PARAMS = {"w": jnp.ones((2, 2)), "b": jnp.ones(2)}


def optimizer(rate=RATE):
    return optax.chain(optax.scale_by_adam(), jaxsched.scale_by_learning_rate(rate))


def steps(transform, count, params=PARAMS):
    state = transform.init(params)
    for _ in range(count):
        updates, state = jax.jit(transform.update)(params, state, params)
    return updates, state


def labels(params):
    return {"w": "fast", "b": "slow"}


NESTINGS = {
    "plain": lambda t: t,
    "chain": lambda t: optax.chain(optax.clip(1.0), optax.chain(t)),
    "masked": lambda t: optax.masked(t, {"w": True, "b": False}),
    "apply_if_finite": lambda t: optax.apply_if_finite(t, 3),
    "MultiSteps": lambda t: optax.MultiSteps(t, 1).gradient_transformation(),
    "partition": lambda t: optax.partition({"fast": t, "slow": optax.set_to_zero()}, labels),
    "partition twice": lambda t: optax.partition({"fast": t, "slow": t}, labels),
    "flatten": optax.flatten,
}


@pytest.mark.parametrize("nest", NESTINGS.values(), ids=NESTINGS)
def test_learning_rate_is_found_through_any_nesting(nest):
    transform = nest(optimizer())
    assert jaxsched.learning_rate(transform.init(PARAMS)) == 1.0
    _, state = steps(transform, 3)
    assert jaxsched.learning_rate(state) == 0.75


@pytest.mark.parametrize("rate", [RATE, 0.5, lambda count: 0.5])
def test_inject_hyperparams(rate):
    for make in (
        optax.adamw,
        lambda learning_rate: optimizer(learning_rate),
        lambda learning_rate: optax.chain(optax.adam(1.0), optax.sgd(learning_rate)),
    ):
        _, state = steps(optax.inject_hyperparams(make)(learning_rate=rate), 3)
        assert jaxsched.learning_rate(state) == (0.75 if rate is RATE else 0.5)


def test_inject_hyperparams_of_something_else():
    make = optax.inject_hyperparams(lambda clip: optax.chain(optax.clip(clip), optimizer()))
    _, state = steps(make(clip=1.0), 3)
    assert jaxsched.learning_rate(state) == 0.75


def test_learning_rate_of_a_train_state():
    state = TrainState.create(apply_fn=None, params=PARAMS, tx=optimizer())
    state = state.apply_gradients(grads=PARAMS)
    assert jaxsched.learning_rate(state) == 1.0


def test_learning_rate_of_optax_itself():
    _, state = steps(optax.adam(RATE), 3)
    assert jaxsched.learning_rate(state, schedule=RATE) == 0.75
    assert jaxsched.learning_rate(optax.adam(RATE).init(PARAMS), schedule=RATE) == 1.0
    with pytest.raises(ValueError, match=r"No learning rate.*ScaleByScheduleState"):
        jaxsched.learning_rate(state)


def test_learning_rates_of_a_population():
    rate = jaxsched.join_schedules([0.5, RATE], [1])
    many = {"w": jnp.ones((3, 2))}

    def train(params):
        state = optax.adam(rate).init(params)
        for _ in range(4):
            _, state = optax.adam(rate).update(params, state, params)
        return state

    states = jax.vmap(train)(many)
    np.testing.assert_allclose(jaxsched.learning_rate(states, schedule=rate), [0.75] * 3)
    np.testing.assert_allclose(jaxsched.learning_rate(states, schedule=0.1), 0.1)


def test_several_rates():
    transform = optax.partition({"fast": optimizer(), "slow": optimizer(0.1)}, labels)
    state = transform.init(PARAMS)
    with pytest.raises(ValueError, match=r"(?s)Several.*'fast'.*'slow'"):
        jaxsched.learning_rate(state)
    rates = jaxsched.learning_rate(state, all=True)
    assert sorted(map(float, rates.values())) == pytest.approx([0.1, 1.0])
    assert all("fast" in path or "slow" in path for path in rates)


def test_nothing_found():
    with pytest.raises(ValueError, match="No learning rate"):
        jaxsched.learning_rate(optax.sgd(0.1).init(PARAMS))
    with pytest.raises(ValueError, match="No learning rate"):
        jaxsched.learning_rate(())


def test_reading_inside_jit():
    transform = optimizer()

    @jax.jit
    def train(state):
        updates, state = transform.update(PARAMS, state, PARAMS)
        return updates, jaxsched.learning_rate(state)

    assert train(transform.init(PARAMS))[1] == 1.0
    double = optax.partition({"fast": transform, "slow": transform}, labels)
    with pytest.raises(ValueError, match="Several"):
        jax.jit(jaxsched.learning_rate)(double.init(PARAMS))


def test_a_constant_and_a_schedule_have_the_same_state():
    shapes = [
        jax.eval_shape(jaxsched.scale_by_learning_rate(rate).init, PARAMS)
        for rate in (RATE, 0.1, lambda count: 0.1, jnp.float32(0.1), 1)
    ]
    shapes.append(jax.eval_shape(jaxsched.scale_by_schedule(RATE).init, PARAMS))
    for shape in shapes:
        assert jax.tree.structure(shape) == jax.tree.structure(shapes[0])
        assert [(x.shape, x.dtype, x.weak_type) for x in jax.tree.leaves(shape)] == [
            ((), jnp.result_type(int), False),
            ((), DTYPE, False),
        ]


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16, jnp.float32])
def test_the_rate_is_exact_for_any_params(dtype):
    rate = jaxsched.exponential_decay(0.1, 1, 0.999)
    transform = jaxsched.scale_by_learning_rate(rate)
    params = jnp.full(3, 1.5, dtype)
    state, rates = transform.init(params), set()
    for count in range(100):
        updates, state = transform.update(params, state)
        rates.add(float(state.learning_rate))
        assert updates.dtype == dtype
        assert updates[0] == jnp.asarray(-1.5 * rate(count), dtype)
    assert len(rates) == 100
    assert state.learning_rate.dtype == DTYPE


def test_the_state_keeps_its_types_under_multi_steps_and_scan():
    transform = optax.MultiSteps(optimizer(), 2).gradient_transformation()

    def step(state, _):
        _, state = transform.update(PARAMS, state, PARAMS)
        return state, jaxsched.learning_rate(state)

    _, rates = jax.lax.scan(step, transform.init(PARAMS), None, 8)
    np.testing.assert_allclose(rates, [1, 1, 1, 0.875, 0.875, 0.75, 0.75, 0.625])


def test_donation_leaves_the_callers_arrays_alone():
    value = jnp.float32(0.5)
    transform = jaxsched.scale_by_learning_rate(value)
    state = transform.init(PARAMS)
    step = jax.jit(lambda state: transform.update(PARAMS, state)[1], donate_argnums=0)
    state = step(step(state))
    assert value == 0.5
    assert state.count == 2


def test_the_count_is_held_at_its_end():
    transform = jaxsched.scale_by_schedule(RATE)
    state = transform.init(PARAMS)._replace(count=jnp.int32(2**31 - 1))
    _, state = transform.update(PARAMS, state)
    assert state.count == 2**31 - 1


def test_none_is_no_scaling_and_mistakes_raise():
    updates, _ = steps(jaxsched.scale_by_learning_rate(None), 1)
    np.testing.assert_array_equal(updates["w"], PARAMS["w"])
    updates, _ = steps(jaxsched.scale_by_learning_rate(0.5, flip_sign=False), 1)
    np.testing.assert_array_equal(updates["w"], 0.5 * PARAMS["w"])
    for bad, message in (("0.1", "`learning_rate`.*'0.1'"), (jaxsched.repeat, "`learning_rate`")):
        with pytest.raises(TypeError, match=message):
            jaxsched.scale_by_learning_rate(bad)
    with pytest.raises(ValueError, match="`learning_rate` must be finite"):
        jaxsched.scale_by_learning_rate(float("nan"))


def test_complex_and_masked_updates():
    transform = jaxsched.scale_by_learning_rate(0.5)
    updates = {"a": jnp.ones(2, jnp.complex64), "b": None, "c": optax.MaskedNode()}
    scaled, _ = transform.update(updates, transform.init(updates))
    assert scaled["a"].dtype == jnp.complex64
    np.testing.assert_array_equal(scaled["a"], -0.5 * updates["a"])
    assert scaled["b"] is None


def test_a_schedule_in_the_step_traces_once():
    traces = []

    @jax.jit
    def step(schedule, params, state):
        traces.append(1)
        updates, state = optax.adam(schedule).update(PARAMS, state, params)
        return optax.apply_updates(params, updates), state

    state = optax.adam(RATE).init(PARAMS)
    results = [step(RATE.replace(init_value=rate), PARAMS, state)[0] for rate in (0.1, 0.2, 0.3)]
    assert len(traces) == 1
    assert results[0]["b"][0] != results[2]["b"][0]
