"""A donated state is written in place: each of its arrays is read, or none could be reused."""

import jax
import jax.numpy as jnp
import optax
import pytest

import jaxsched as js

LINE = js.linear_schedule(1.0, 0.0, 10)
RULE = js.plateau(patience=2)
TRANSFORMATIONS = {
    "number": js.scale_by_learning_rate(0.1),
    "schedule": js.scale_by_learning_rate(LINE),
    "sign": js.scale_by_schedule(LINE),
    "tokens": js.scale_by_learning_rate(LINE, clock="tokens", tokens_per_step=8),
    "paths": js.scale_by_path({"a": 0.1, ".*": LINE}),
    "paths, controlled": js.scale_by_path({"a": 0.1, ".*": js.reduce_on(RULE, LINE)}),
    "reduce": js.scale_by_learning_rate(js.reduce_on(RULE, LINE)),
    "restart": js.scale_by_learning_rate(js.restart_on(js.spike(), LINE)),
    "plateau": js.reduce_on_plateau(patience=2),
    "reset": js.reset_on(RULE, optax.trace(0.9)),
    "best": js.reset_on(RULE, optax.trace(0.9), return_to_best=True),
}


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_all_of_a_state_is_donated(name):
    optimizer = optax.with_extra_args_support(TRANSFORMATIONS[name])
    params = {"a": jnp.ones(2), "b": jnp.ones(3)}
    state = optimizer.init(params)

    def step(state, params):
        return optimizer.update(params, state, params, value=1.0, tokens=8)

    program = jax.jit(step, donate_argnums=0).lower(state, params).as_text()
    assert program.count("tf.aliasing_output") == len(jax.tree.leaves(state))
