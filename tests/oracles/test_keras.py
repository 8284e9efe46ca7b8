"""`from_keras` of live schedules and callbacks, at every one of some thousand steps.

Computed in float64, Keras shows its formulas; as it comes, in float32, also its roundings.
"""

from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import jaxsched as js
from tests.oracles.keras_cases import (
    PLATEAUS,
    SCHEDULES,
    Case,
    build,
    on_metrics,
    rates_in_doubles,
    rates_of,
    restart_steps,
)
from tests.oracles.measure import agree

STEPS = np.arange(3500)
EPS = np.finfo(np.float32).eps
drawn = settings(
    max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


def but_for(steps: list[int]) -> np.ndarray:
    """The steps to be compared."""
    return np.setdiff1d(STEPS, steps)


def near_restarts(case: Case) -> list[int]:
    return restart_steps(case, STEPS[-1]) if case[0] == "CosineDecayRestarts" else []


@pytest.mark.parametrize("name", SCHEDULES)
@drawn
@given(data=st.data())
def test_every_step_is_that_of_the_formula(name: str, data: st.DataObject):
    case = data.draw(SCHEDULES[name])
    schedule, steps = build(keras, case), but_for(near_restarts(case))
    wanted = rates_in_doubles(keras, schedule, steps)
    found = js.from_keras(schedule)(steps)
    if name == "CosineDecayRestarts":
        # A cycle that begins between steps, or ever higher peaks over an `alpha`.
        close(found, wanted, relative=2e-6, absolute=2 * EPS)
    else:
        agree(found, wanted)


@pytest.mark.parametrize("name", SCHEDULES)
@drawn
@given(data=st.data())
def test_every_step_is_that_of_the_live_schedule(name: str, data: st.DataObject):
    case = data.draw(SCHEDULES[name])
    schedule, steps = build(keras, case), but_for(near_restarts(case))
    # Keras adds numbers of the size of the largest rate, each rounded to 2^-24 of it, so near
    # 0 that is what a rate is off by. A power is off by its exponent's rounding as well.
    powers = 36 if name == "ExponentialDecay" else 1
    # How far a cycle has come is a difference of numbers of that many cycles.
    cycles = {"CosineDecayRestarts": turns(case), "PolynomialDecay": 12}.get(name, 1)
    found = js.from_keras(schedule)(steps)
    close(found, rates_of(schedule, steps), relative=1e-6 * powers, absolute=6 * EPS * cycles)


def turns(case: Case) -> float:
    mult, length = case[1].get("t_mul", 2.0), case[1].get("first_decay_steps", 1)
    return 12 + (mult / (mult - 1) if mult > 1 else STEPS[-1] / length)


def close(found: Any, wanted: Any, relative: float, absolute: float) -> None:
    """Within a part of each, and a part of the largest."""
    found, wanted = np.asarray(found, np.float64), np.asarray(wanted)
    np.testing.assert_allclose(found, wanted, relative, absolute * np.max(np.abs(wanted)))


def test_restarts_that_the_peer_is_late_at():
    """At these steps it is still at the end of a cycle, and nothing else differs."""
    late = total = 0
    for length in (1, 7, 10, 64, 100):
        for mult in (2.0, 3.0):
            arguments = {"initial_learning_rate": 1.0, "first_decay_steps": length, "t_mul": mult}
            case = ("CosineDecayRestarts", arguments)
            steps = np.array(restart_steps(case, 10**6))
            schedule = build(keras, case)
            wanted, found = np.array(rates_of(schedule, steps)), js.from_keras(schedule)(steps)
            off = np.abs(found - wanted) > 1e-3
            assert np.all(wanted[off] < 1e-3)
            late, total = late + int(off.sum()), total + len(steps)
    print(f"restarts at which Keras is late: {late} of {total}")
    assert 0 < late < total


def test_stairs_that_the_peer_is_late_at_when_compiled():
    """A division by a number that is known becomes a product with its rounded inverse."""
    late = total = 0
    for length in range(90, 110):
        arguments = {"initial_learning_rate": 1.0, "decay_steps": length, "decay_rate": 0.5}
        schedule = build(keras, ("ExponentialDecay", {**arguments, "staircase": True}))
        steps = np.arange(length, 20 * length, length)
        wanted, found = np.array(jax.jit(schedule)(steps)), js.from_keras(schedule)(steps)
        off = found != wanted
        assert np.all(wanted[off] == 2 * found[off])
        late, total = late + int(off.sum()), total + len(steps)
    print(f"stairs at which a compiled Keras is late: {late} of {total}")
    assert 0 < late < total


def test_a_long_run():
    """Up to where Keras' own steps are exact."""
    steps = np.unique(np.geomspace(1, 2**24, 3000).astype(np.int32))
    for case in (
        ("ExponentialDecay", {"decay_steps": 10**6, "decay_rate": 0.5, "staircase": True}),
        ("CosineDecay", {"decay_steps": 10**7, "warmup_target": 0.3, "warmup_steps": 12345}),
        ("InverseTimeDecay", {"decay_steps": 1000, "decay_rate": 0.5}),
        ("PolynomialDecay", {"decay_steps": 54321, "cycle": True}),
    ):
        schedule = build(keras, (case[0], {"initial_learning_rate": 0.1, **case[1]}))
        agree(js.from_keras(schedule)(steps), rates_in_doubles(keras, schedule, steps))


def test_a_whole_initial_rate_spoils_the_others():
    schedule = build(
        keras,
        (
            "ExponentialDecay",
            {"initial_learning_rate": 1, "decay_steps": 10, "decay_rate": 0.5},
        ),
    )
    assert rates_of(schedule, np.arange(3)) == [1.0, 0.0, 0.0]
    with pytest.raises(ValueError, match="a float: Keras rounds all other numbers"):
        js.from_keras(schedule)
    meant = js.from_keras(schedule, faithful=False)
    assert meant == js.exponential_decay(1.0, 10, 0.5, staircase=False)


def test_subclasses_that_redefine_nothing_are_read():
    class Mine(keras.optimizers.schedules.CosineDecay):
        pass

    schedule = Mine(0.1, 100)
    agree(js.from_keras(schedule)(STEPS), rates_in_doubles(keras, schedule, STEPS))

    class Other(Mine):
        def __call__(self, step: Any) -> Any:
            return step

    with pytest.raises(TypeError, match="`Other` redefines `__call__`"):
        js.from_keras(Other(0.1, 100))


# Callbacks.

values = st.floats(0.1, 10.0).map(lambda x: round(x, 2))
metrics = st.lists(st.one_of(values, values, values, st.just(np.nan)), min_size=1, max_size=80)
run = jax.jit(
    lambda controller, metrics: jax.lax.scan(
        lambda state, value: controller.advance(state, value=value)[::-1],
        controller.init(),
        metrics,
    )[1]
)


@settings(drawn, max_examples=300)
@given(case=PLATEAUS, first=values, metrics=metrics)
def test_a_plateau_lowers_the_rate_at_the_same_epochs(case: Case, first: float, metrics: Any):
    metrics = [first, *metrics]
    padded = np.zeros(81, np.float32)
    padded[: len(metrics)] = metrics
    found = run(js.from_keras(build(keras, case)), padded)[: len(metrics)]
    agree(found, on_metrics(build(keras, case), metrics)[1:])


def test_a_cooldown_of_1_does_nothing_but_is_meant_to():
    case = ("ReduceLROnPlateau", {"learning_rate": 1.0, "patience": 1, "factor": 0.5})
    with_cooldown = (case[0], {**case[1], "cooldown": 1})
    flat = [1.0] * 6
    assert on_metrics(build(keras, case), flat) == on_metrics(build(keras, with_cooldown), flat)
    meant = js.from_keras(build(keras, with_cooldown), faithful=False)
    assert run(meant, np.ones(5, np.float32)).tolist() == [1.0, 0.5, 0.5, 0.25, 0.25]


def test_a_mode_that_was_found_out_is_read():
    callback = keras.callbacks.ReduceLROnPlateau(monitor="val_accuracy")
    with pytest.raises(ValueError, match=r"mode.* 'min' or 'max'.*'val_accuracy'"):
        js.from_keras(callback, learning_rate=0.1)
    callback.monitor_op = keras.ops.greater
    assert "mode='max'" in repr(js.from_keras(callback, learning_rate=0.1))


@pytest.mark.parametrize(
    "function",
    [lambda epoch: 0.1 * 0.9**epoch, lambda epoch, rate: rate if epoch < 3 else rate * 0.9],
    ids=["of the epoch", "of the rate"],
)
def test_a_function_is_tabulated(function: Any):
    callback = keras.callbacks.LearningRateScheduler(function)
    optimizer = keras.optimizers.SGD(0.1)
    callback.set_model(SimpleNamespace(optimizer=optimizer))
    schedule, wanted = js.from_keras(callback, steps=40), []
    for epoch in range(41):
        callback.on_epoch_begin(epoch)
        wanted.append(float(optimizer.learning_rate))
    agree(schedule(np.arange(41)), wanted)


# Back.


def test_to_keras_in_a_compiled_step():
    rate = js.warmup_cosine_decay_schedule(0.0, 0.5, 3, 20)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    optimizer = keras.optimizers.SGD(js.to_keras(rate))
    # The gradient is 1, so that each step is the rate.
    model.compile(optimizer, loss=lambda target, answer: answer, jit_compile=True)
    weights = [float(model.get_weights()[0][0, 0])]
    for _ in range(8):
        model.train_on_batch(np.ones((1, 1)), np.ones((1, 1)))
        weights.append(float(model.get_weights()[0][0, 0]))
    np.testing.assert_allclose(-np.diff(weights), rate(np.arange(8)), atol=1e-6)


def test_to_keras_has_the_same_rates_to_the_bit():
    rate = js.cosine_decay_schedule(0.1, 300)
    schedule = js.to_keras(rate)
    assert [float(schedule(step)) for step in range(5)] == rate(np.arange(5)).tolist()
    assert js.to_keras(0.1)(jnp.asarray(3)) == np.float32(0.1)
    with pytest.raises(TypeError, match="not a stateful schedule"):
        js.to_keras(js.reduce_on(js.plateau(), 0.1))
