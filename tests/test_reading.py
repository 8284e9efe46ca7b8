"""What is read from a state is what was applied: rates, records, and numbers for a logger."""

import json
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import serialization

import jaxsched as js

ONE = {"a": jnp.ones(1), "b": jnp.ones(1)}
LINE = js.linear_schedule(1.0, 0.0, 20)
LOSSES = [1.0, 2.0, 2.0, 2.0, 2.0]


def ours(**options: Any) -> Any:
    return js.reduce_on_plateau(0.5, patience=1, **options)


def theirs() -> Any:
    return optax.contrib.reduce_on_plateau(0.5, patience=1)


def injected() -> Any:
    return optax.inject_hyperparams(optax.sgd)(1e-2)


def parts(**by_label: Any) -> Any:
    return optax.partition(by_label, {"a": "a", "b": "b"})


CHAINS = {
    "beside": lambda: optax.chain(injected(), ours()),
    "Optax's": lambda: optax.chain(injected(), theirs()),
    "before": lambda: optax.chain(optax.chain(optax.clip(2.0), ours()), injected()),
    "both": lambda: optax.chain(theirs(), js.scale_by_learning_rate(LINE), ours()),
    "inside": lambda: optax.inject_hyperparams(
        lambda learning_rate: optax.chain(optax.sgd(learning_rate), ours())
    )(1e-2),
    "named": lambda: optax.named_chain(("sgd", injected()), ("plateau", ours())),
    "a schedule": lambda: optax.chain(js.scale_by_learning_rate(LINE), ours()),
    "around parts": lambda: optax.chain(parts(a=injected(), b=injected()), ours()),
    "floor": lambda: optax.chain(injected(), ours(min_scale=0.3)),
}


every = jax.jit(lambda state: js.learning_rate(state, all=True))


@pytest.mark.parametrize("make", CHAINS.values(), ids=CHAINS)
def test_the_rate_is_what_was_applied(make: Any):
    optimizer = optax.with_extra_args_support(make())
    state = optimizer.init(ONE)
    for loss in LOSSES:
        updates, state = optimizer.update(ONE, state, ONE, value=loss)
        applied = abs(float(updates["a"][0]))
        np.testing.assert_allclose(js.learning_rate(state), applied, rtol=1e-6)
        for rate in every(state).values():
            np.testing.assert_allclose(rate, applied, rtol=1e-6)


def test_a_scale_in_a_part_is_of_that_part():
    optimizer = parts(a=optax.chain(injected(), ours()), b=injected())
    state = optimizer.init(ONE)
    for loss in LOSSES:
        updates, state = optimizer.update(ONE, state, ONE, value=loss)
    rates = list(js.learning_rate(state, all=True).values())
    np.testing.assert_allclose(rates, [-updates["a"][0], -updates["b"][0]])
    assert rates[0] < rates[1]
    two = {"generator": optax.chain(injected(), ours()), "critic": injected()}
    states = {name: made.init(ONE) for name, made in two.items()}
    _, states["generator"] = two["generator"].update(ONE, states["generator"], value=1.0)
    states["generator"] = (states["generator"][0], states["generator"][1]._replace(scale=0.5))
    generator, critic = sorted(map(float, js.learning_rate(states, all=True).values()))
    np.testing.assert_allclose([generator, critic], [0.005, 0.01])


def test_the_rates_of_paths_are_what_was_applied():
    optimizer = optax.chain(js.scale_by_path({"a": 0.5, ".*": LINE}), ours())
    state = optimizer.init(ONE)
    for loss in LOSSES:
        updates, state = optimizer.update(ONE, state, ONE, value=loss)
    rates = js.learning_rates(state, ONE)
    for name, update in updates.items():
        np.testing.assert_allclose(rates[name], abs(update[0]))


def test_a_number_is_the_rate_of_an_optimizer_that_keeps_none():
    optimizer = optax.chain(optax.sgd(1e-3), ours())
    state = optimizer.init(ONE)
    for loss in LOSSES:
        updates, state = optimizer.update(ONE, state, ONE, value=loss)
        np.testing.assert_allclose(js.learning_rate(state, schedule=1e-3), -updates["a"][0])
    with pytest.raises(ValueError, match="give the `schedule`"):
        js.learning_rate(state)
    with pytest.raises(ValueError, match="No learning rate"):
        js.learning_rate(state, schedule=LINE)


def test_a_reset_around_a_controller_of_the_same_monitor_is_one_record():
    rule = js.worsening()
    for rate in (js.reduce_on(rule, 0.1), js.restart_on(rule, LINE)):
        optimizer = js.reset_on(
            rule, optax.chain(optax.trace(0.9), js.scale_by_learning_rate(rate))
        )
        state = optimizer.init(ONE)
        for events, loss in enumerate([3.0, 4.0, 5.0, 6.0]):
            _, state = optimizer.update(ONE, state, ONE, value=loss)
            found = js.record(state)
            assert found["events"] > 0 if events else found["events"] == 0
            assert found["count"] == state.inner_state[1].controller.counts["worsening"][0]
        assert len(js.record(state, all=True)) == 2


def test_a_state_without_its_types_says_what_to_do():
    state = optax.chain(js.scale_by_learning_rate(js.reduce_on(js.plateau(), 0.1))).init(ONE)
    plain = serialization.msgpack_restore(serialization.to_bytes(state))
    for read in (js.learning_rate, js.record, js.log_values):
        with pytest.raises(ValueError, match="restored into a target") as raised:
            read(plain)
        assert len(str(raised.value)) < 400


def test_what_waits_is_visible():
    optimizer = js.scale_by_learning_rate(js.reduce_on(js.plateau(), 0.1))
    state = optimizer.init(ONE)
    assert js.record(state)["waiting"] == js.record(state)["waiting_value"] == 0
    state = js.observe(js.observe(state, value=1.0), value=4.0)
    assert js.record(state)["waiting"] == 2
    assert js.record(state)["waiting_value"] == 2.5
    _, state = optimizer.update(ONE, state)
    assert js.record(state)["waiting"] == 0
    assert js.record(state)["best_value"] == 2.5


def test_numbers_for_a_logger():
    rule = js.plateau(patience=1)
    optimizer = optax.chain(optax.trace(0.9), js.scale_by_learning_rate(js.reduce_on(rule, 0.5)))
    state = optimizer.init(ONE)
    assert "best_value" not in js.log_values(state)
    for loss in LOSSES:
        _, state = optimizer.update(ONE, state, value=loss)
    values = json.loads(json.dumps(js.log_values(state)))
    record = {name: float(value) for name, value in js.record(state).items()}
    assert values == {"learning_rate": float(js.learning_rate(state)), **record}
    assert isinstance(js.log_values(state)["events"], int)
    two = (state, optimizer.init(ONE))
    each = js.log_values(two)
    assert {each["learning_rate[0][1]"], each["learning_rate[1][1]"]} == {
        values["learning_rate"],
        0.5,
    }
    assert each["events [0][1].controller"] == values["events"]
    assert all(math.isfinite(value) for value in each.values())
    assert js.log_values(js.scale_by_learning_rate(LINE).init(ONE)) == {"learning_rate": 1.0}
