"""Under JAX's strict modes: promotion of dtypes and ranks, NaN, leaks, and transfers."""

import contextlib
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxsched as js
from tests.control_table import CONTROLLERS, MONITORS
from tests.rows import Row
from tests.table import ROWS

PARAMS = {"w": jnp.ones((2, 3)), "b": jnp.zeros(3)}
LINE = js.linear_schedule(1.0, 0.0, 10)
LOSSES = [3.0, 2.0, 2.5, 2.5, 2.75, 1.0, 9.0, 9.0]


@contextlib.contextmanager
def strict() -> Iterator[None]:
    with (
        jax.numpy_dtype_promotion("strict"),
        jax.numpy_rank_promotion("raise"),
        jax.debug_nans(True),
    ):
        yield


def value(schedule: Any, count: Any) -> Any:
    return schedule(count)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_schedule(row: Row):
    with strict():
        schedule = row.make(row.sample)
        for count in (7, 2.5, jnp.uint8(5)):
            assert np.isfinite(schedule(count))
        assert np.isfinite(jax.jit(value)(schedule, jnp.int32(3)))


@pytest.mark.parametrize("row", MONITORS, ids=lambda row: row.name)
def test_a_monitor(row: Any):
    with strict():
        rule = row.make(row.sample)
        state = rule.init()
        for loss in LOSSES:
            state, _ = rule.update(state, loss)
            assert not any(np.isnan(leaf) for leaf in jax.tree.leaves(state))


TRANSFORMS = {
    "a schedule": lambda: js.scale_by_learning_rate(LINE),
    "a number": lambda: js.scale_by_schedule(0.1),
    "tokens": lambda: js.scale_by_learning_rate(LINE, clock="tokens", tokens_per_step=8),
    "paths": lambda: js.scale_by_path({"b": None, ".*": js.reduce_on(js.plateau(), LINE)}),
    "reduce_on_plateau": lambda: js.reduce_on_plateau(patience=1),
    "reset_on": lambda: js.reset_on(js.plateau(patience=1), optax.adam(LINE), return_to_best=True),
    "nesterov": lambda: js.scale_by_nesterov(),
    "restarted": lambda: js.scale_by_restarted_nesterov(),
    "injected": lambda: optax.inject_hyperparams(optax.sgd)(js.reduce_on(js.plateau(), LINE)),
    **{
        row.name: lambda row=row: js.scale_by_learning_rate(row.make(row.sample))
        for row in CONTROLLERS
    },
}


@pytest.mark.parametrize("make", TRANSFORMS.values(), ids=TRANSFORMS)
def test_a_transformation(make: Any):
    tokens = {"tokens": 5} if "tokens" in str(make.__code__.co_consts) else {}
    with strict():
        optimizer = optax.with_extra_args_support(make())
        state = optimizer.init(PARAMS)

        @jax.jit
        def step(state: Any, loss: Any) -> Any:
            return optimizer.update(PARAMS, state, PARAMS, value=loss, **tokens)[1]

        losses = jax.device_put(LOSSES)
        for number, loss in enumerate(losses):
            # Once the program is there, nothing goes between host and device.
            with jax.transfer_guard("disallow" if number else "allow"):
                state = step(state, loss)
        assert not any(np.isnan(leaf).any() for leaf in jax.tree.leaves(state))


def test_nothing_leaks():
    with jax.checking_leaks():
        rate = js.reduce_on(js.plateau(patience=1), LINE)
        optimizer = js.reset_on(js.spike(), js.scale_by_learning_rate(rate))
        state = optimizer.init(PARAMS)
        step = jax.jit(lambda state, loss: optimizer.update(PARAMS, state, PARAMS, value=loss)[1])
        for loss in LOSSES[:3]:
            state = step(state, loss)
        assert np.isfinite(js.join_schedules([LINE, LINE * 0.5], [5])(7))
