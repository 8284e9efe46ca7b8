"""Hyperparameters that follow the rate, beside the formulas of the one-cycle policy."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxsched
from tests.measure import DTYPE

PARAMS = {"w": jnp.array([1.0, -2.0])}
ONE_CYCLE = dict(pct_start=0.3, div_factor=25.0, final_div_factor=1e4)
COUNTS = np.arange(100)


def one_cycle(t, cosine=True):
    """The rate and the momentum of the policy with peak 0.4 and momentum 0.85 to 0.95."""
    up, first, last = 30, 0.4 / 25, 0.4 / 25 / 1e4
    if t <= up:
        done, rates, momenta = t / up, (first, 0.4), (0.95, 0.85)
    else:
        done, rates, momenta = (t - up) / (100 - up), (0.4, last), (0.85, 0.95)
    weight = (1 + math.cos(math.pi * done)) / 2 if cosine else 1 - done
    return tuple(end + (begin - end) * weight for begin, end in (rates, momenta))


def test_momentum_of_a_one_cycle_policy():
    rate = jaxsched.cosine_onecycle_schedule(100, 0.4, **ONE_CYCLE)
    floor = jaxsched.join_schedules([0.4 / 25, 0.4 / 25 / 1e4], [30])
    both = jaxsched.coupled(rate, peak=0.4, floor=floor, momentum=(0.85, 0.95))
    expected = np.array([one_cycle(t) for t in COUNTS])
    np.testing.assert_allclose(both["learning_rate"](COUNTS), expected[:, 0], rtol=1e-5)
    np.testing.assert_allclose(both["momentum"](COUNTS), expected[:, 1], rtol=1e-6)
    for count, value in ((0, 0.95), (30, 0.85), (100, 0.95), (10**6, 0.95)):
        assert both["momentum"](count) == DTYPE(value)


def test_momentum_of_triangles():
    rate = jaxsched.cyclic_schedule(0.1, 0.5, 4, 8, peak_mult=0.5)
    momentum = jaxsched.mirror(rate, 0.8, 0.9, floor=0.1, peak=0.5)
    for count in range(36):
        cycle, place = divmod(count, 12)
        height = (place / 4 if place <= 4 else (12 - place) / 8) / 2**cycle
        assert float(momentum(count)) == pytest.approx(0.9 - 0.1 * height, rel=1e-6)


def test_a_value_outside_of_the_range_is_held():
    momentum = jaxsched.mirror(jaxsched.linear_schedule(2.0, 0.0, 8), 0.5, 0.75, 0.5, 1.0)
    expected = [0.5, 0.5, 0.5, 0.5, 0.5, 0.625, 0.75, 0.75, 0.75]
    np.testing.assert_array_equal(momentum(np.arange(9)), expected)


def test_weight_decay_in_proportion():
    rate = jaxsched.with_warmup(jaxsched.cosine_decay_schedule(3e-3, 90), 10)
    decay = jaxsched.coupled(rate, peak=3e-3, weight_decay=0.1)["weight_decay"]
    np.testing.assert_allclose(decay(COUNTS), 0.1 / 3e-3 * np.asarray(rate(COUNTS)), rtol=1e-6)
    assert repr(decay).startswith("(with_warmup(")
    assert eval(repr(decay), vars(jaxsched)) == decay


def test_all_of_them_through_inject_hyperparams():
    rate = jaxsched.linear_schedule(0.5, 0.0, 4)
    several = jaxsched.coupled(rate, peak=0.5, floor=0.0, b1=(0.5, 0.9), weight_decay=0.25)
    optimizer = optax.inject_hyperparams(optax.adamw)(**several)
    state, step = optimizer.init(PARAMS), jax.jit(optimizer.update)
    params, moment, square = PARAMS["w"], 0.0, 0.0
    for t in range(4):
        b1, decay = 0.5 + 0.1 * t, 0.25 - 0.0625 * t
        grads = 2 * params
        updates, state = step({"w": grads}, state, {"w": params})
        assert float(jaxsched.learning_rate(state)) == 0.5 - 0.125 * t
        assert float(state.hyperparams["b1"]) == pytest.approx(b1)
        moment, square = b1 * moment + (1 - b1) * grads, 0.999 * square + 0.001 * grads**2
        adam = (moment / (1 - b1 ** (t + 1))) / (jnp.sqrt(square / (1 - 0.999 ** (t + 1))) + 1e-8)
        expected = -(0.5 - 0.125 * t) * (adam + decay * params)
        np.testing.assert_allclose(updates["w"], expected, rtol=2e-4)
        params = params + updates["w"]


def test_functions_and_numbers_can_be_followed():
    several = jaxsched.coupled(optax.linear_schedule(0.5, 0.0, 4), peak=0.5, floor=0, b1=(0.5, 1))
    assert several["b1"](1) == 0.625
    assert several["learning_rate"](1) == 0.375
    assert jaxsched.coupled(0.25, peak=0.5, weight_decay=1)["weight_decay"](7) == 0.5


def test_new_numbers_compile_nothing():
    traces = []

    @jax.jit
    def momentum(schedule, peak):
        traces.append(1)
        return jaxsched.coupled(schedule, peak=peak, floor=0.0, b1=(0.5, 1.0))["b1"](1)

    line = jaxsched.linear_schedule(1.0, 0.0, 4)
    found = [momentum(line * peak, peak) for peak in (0.5, 0.25)]
    assert found == [0.625, 0.625]
    assert len(traces) == 1


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (dict(b1=(0.5, 0.9)), TypeError, "`b1`, a pair, needs the `floor`"),
        ({}, TypeError, "got nothing"),
        (dict(learning_rate=0.1), TypeError, "got 'learning_rate'"),
        (dict(weight_decay=0.1, peak=0.0), ValueError, "`peak` must be positive, got 0.0"),
        (dict(weight_decay="0.1"), TypeError, "`weight_decay` must be a real number, got '0.1'"),
        (dict(b1=(0.5,), floor=0), TypeError, "`b1`.*a pair"),
        (dict(b1=(0.5, None), floor=0), TypeError, r"`b1\[1\]`"),
        (dict(b1=(0.9, 0.5), floor=0), ValueError, "`low` must be at most `high`, got 0.9 > 0.5"),
        (dict(b1=(0.5, 0.9), floor=2.0), ValueError, "`floor` must be at most `peak`"),
        (dict(b1=(0.5, 0.9), floor=1.0), ValueError, "`peak` must be above `floor`, got 1.0"),
    ],
)
def test_mistakes_raise(arguments, error, message):
    with pytest.raises(error, match=message):
        jaxsched.coupled(0.1, **{"peak": 1.0, **arguments})


def controlled(steps):
    """The hyperparameters at each of some steps under a rate that halves at each loss below 0.5."""
    line = jaxsched.linear_schedule(0.4, 0.2, 8)
    rate = jaxsched.reduce_on(jaxsched.below(0.5), line, factor=0.5)
    several = jaxsched.coupled(rate, peak=0.4, floor=0.0, b1=(0.8, 0.9), weight_decay=0.1)
    adamw = optax.inject_hyperparams(optax.adamw)(**several)

    def step(state, loss):
        _, state = adamw.update(PARAMS, state, PARAMS, value=loss)
        return state, state.hyperparams

    losses = np.where(np.isin(np.arange(steps), [2, 5]), 0.1, 1.0).astype(np.float32)
    return jax.jit(lambda: jax.lax.scan(step, adamw.init(PARAMS), losses))()


def test_others_follow_a_controlled_rate():
    state, found = controlled(10)
    counts = np.arange(10)
    rates = (0.4 - 0.025 * np.minimum(counts, 8)) * 0.5 ** (1.0 * (counts >= 2) + (counts >= 5))
    np.testing.assert_allclose(found["learning_rate"], rates, rtol=2e-6)
    np.testing.assert_allclose(found["weight_decay"], 0.1 / 0.4 * rates, rtol=2e-6)
    np.testing.assert_allclose(found["b1"], 0.9 - 0.1 * rates / 0.4, rtol=2e-6)
    assert jaxsched.record(state)["events"] == 2
    assert "inner_events" not in jaxsched.record(state)


def test_mistakes_beside_a_controller_raise():
    rate = jaxsched.restart_on(jaxsched.plateau(), 0.1)
    for pair, told in (((0.9, 0.5), "`low` must be at most `high`"), ((0.5,), "a pair")):
        with pytest.raises((TypeError, ValueError), match=told):
            jaxsched.coupled(rate, peak=0.1, floor=0.0, b1=pair)
