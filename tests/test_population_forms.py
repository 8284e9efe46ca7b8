"""A population of any forms together has what each of them has alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsched as js

LINE = js.linear_schedule(0.5, 0.0, 8)
RATES = [
    js.reduce_on(js.plateau(2), 0.5),
    LINE,
    js.restart_on(js.plateau(2), LINE),
    0.25,
    js.reduce_on(js.plateau(3), 0.25),
    js.cosine_decay_schedule(0.5, 8),
]


def train(rate, seed):
    optimizer = js.scale_by_learning_rate(rate)
    weight = jnp.ones(()) + seed

    def step(carry, _):
        weight, state = carry
        updates, state = optimizer.update(weight, state, value=jnp.abs(weight))
        return (weight + updates, state), js.learning_rate(state)

    (weight, _), rates = jax.lax.scan(step, (weight, optimizer.init(weight)), length=10)
    return {"weight": weight, "rates": rates}


def alone(rate):
    return js.population(train, [rate], [0, 1, 2], progress=False)


def test_schedules_and_controllers_together(tmp_path):
    def together():
        return js.population(train, RATES, [0, 1, 2], progress=False, directory=tmp_path)

    found = together()
    assert found["weight"].shape == (6, 3)
    assert found["rates"].shape == (6, 3, 10)
    for place, rate in enumerate(RATES):
        for name, metric in alone(rate).items():
            np.testing.assert_allclose(found[name][place], metric[0], rtol=1e-6, atol=1e-7)
    assert len(list(tmp_path.glob("form-*"))) == 3
    jax.tree.map(np.testing.assert_array_equal, together(), found)


def test_what_is_no_schedule_is_told():
    with pytest.raises(TypeError, match=r"`schedules\[1\]` must be a schedule"):
        js.population(train, [RATES[0], "cosine"], [0], progress=False)
