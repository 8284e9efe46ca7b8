"""Controllers and a population on eight devices: a program of its own, which sets their number.

Metrics differ between the devices, and are averaged. Run as `python -m tests.eight_devices`, with
`XLA_FLAGS=--xla_force_host_platform_device_count=8`.
"""

import re
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P

import jaxsched as js
from jaxsched.tuning.populations.chunks import fitted
from tests.control_reference import answers
from tests.control_table import CONTROLLERS, LENGTH, SAMPLE, Row
from tests.measure import DTYPE

# The first is newer than the oldest JAX.
if hasattr(jax, "shard_map"):
    shard_map = jax.shard_map
else:
    from jax.experimental.shard_map import shard_map

DEVICES = 8
SHIFTS = np.arange(DEVICES) - (DEVICES - 1) / 2
"""What the metrics of the devices are off their mean; all sums are exact."""


def metrics() -> np.ndarray:
    """Of each update and device. Where the mean is not finite, one device alone is to blame."""
    means = [1.0 if metric is None else float(metric) for metric in SAMPLE]
    means = np.where(np.isfinite(means), np.round(np.multiply(means, 256)) / 256, means)
    values = np.where(np.isfinite(means), means, 0.0)[:, None] + SHIFTS
    blame = ~np.isfinite(means)
    values[blame, np.arange(LENGTH)[blame] % DEVICES] = means[blame]
    return values.astype(DTYPE)


def mesh_of(kind: AxisType, **sizes: int) -> jax.sharding.Mesh:
    return jax.make_mesh(tuple(sizes.values()), tuple(sizes), axis_types=(kind,) * len(sizes))


def transform_of(rows: list[Row], axis_name: Any = None) -> Any:
    """Some controllers, one after the other."""
    controllers = [row.make(row.sample).replace(axis_name=axis_name) for row in rows]
    return optax.chain(*map(js.scale_by_learning_rate, controllers))


def rates_of(transform: Any, values: jax.Array, params: jax.Array) -> Any:
    """The rates of all controllers at each update, and the states after the last one."""

    def step(states, value):
        _, states = transform.update(params, states, params, value=value)
        return states, [state.learning_rate for state in states]

    states, rates = jax.lax.scan(step, transform.init(params), values)
    return rates, states


def under_shard_map(rows: list[Row], values: np.ndarray, **sizes: int) -> Any:
    """States and rates are replicated: the program checks that all devices have the same."""
    axes = tuple(sizes)
    mesh = mesh_of(AxisType.Auto, **sizes)
    transform = transform_of(rows, axes if len(axes) > 1 else axes[0])

    @jax.jit
    @partial(shard_map, mesh=mesh, in_specs=(P(None, axes), P(axes)), out_specs=P())
    def train(values, params):
        return rates_of(transform, values[:, 0], params)

    return train(values, jnp.ones(DEVICES))


def under_pmap(rows: list[Row], values: np.ndarray) -> Any:
    train = jax.pmap(partial(rates_of, transform_of(rows, "batch")), axis_name="batch")
    found = jax.device_get(train(values.T, jnp.ones((DEVICES, 2))))
    for leaf in jax.tree.leaves(found):
        np.testing.assert_array_equal(leaf, np.broadcast_to(leaf[0], leaf.shape))
    return jax.tree.map(lambda leaf: leaf[0], found)


def under_jit(rows: list[Row], values: np.ndarray, kind: AxisType) -> Any:
    """Batches and parameters are sharded, and the loss is that of the whole batch."""
    mesh = mesh_of(kind, batch=DEVICES)
    transform = transform_of(rows)

    @jax.jit
    def train(values, params):
        return rates_of(transform, values.mean(axis=1), params)

    batches = jax.device_put(values, NamedSharding(mesh, P(None, "batch")))
    params = jax.device_put(jnp.ones((DEVICES, 2)), NamedSharding(mesh, P("batch")))
    rates, states = train(batches, params)
    assert all(leaf.sharding.is_fully_replicated for leaf in jax.tree.leaves(states))
    return rates, states


def check_metrics_by_argument() -> None:
    values = metrics()
    means = list(values.mean(axis=1, dtype=DTYPE))
    for rows, found in (
        (CONTROLLERS, under_shard_map(CONTROLLERS, values, batch=DEVICES)),
        (CONTROLLERS[:1], under_shard_map(CONTROLLERS[:1], values, data=4, model=2)),
        (CONTROLLERS[:1], under_pmap(CONTROLLERS[:1], values)),
        (CONTROLLERS, under_jit(CONTROLLERS, values, AxisType.Auto)),
        (CONTROLLERS[:1], under_jit(CONTROLLERS[:1], values, AxisType.Explicit)),
    ):
        for row, rates, state in zip(rows, *found, strict=True):
            reference = row.reference(row.sample)
            np.testing.assert_allclose(rates, answers(reference, means), rtol=5e-6)
            record = js.record(state)
            wanted = reference.record()
            assert {name: record[name] for name in wanted} == wanted, row.name
            assert record["events"] > (not row.name.startswith("cooldown_on")), row.name


def check_metrics_by_observation() -> None:
    """Between updates, a device may have several metrics, or none."""
    transform = js.scale_by_learning_rate(
        js.reduce_on(js.threshold(2.0), 1.0, factor=0.5, axis_name="batch")
    )
    params = jnp.ones((DEVICES, 2))
    state = jax.pmap(transform.init, axis_name="batch")(params)
    update = jax.pmap(transform.update, axis_name="batch")
    _, state = update(params, js.observe(state, value=jnp.arange(DEVICES) - 1.5))
    assert js.record(state)["observations"].tolist() == [1] * DEVICES
    np.testing.assert_array_equal(js.learning_rate(state), [0.5] * DEVICES)

    heard = js.observe(state, value=jnp.full(DEVICES, 9.0))
    first, others = jax.device_get((heard, state))
    one = jax.tree.map(lambda new, old: np.stack([new[0], *old[1:]]), first, others)
    _, state = update(params, one)
    _, state = update(params, js.observe(state, value=2.0))
    np.testing.assert_array_equal(js.learning_rate(state), [0.25] * DEVICES)
    assert js.record(state)["observations"].tolist() == [3] * DEVICES
    _, state = update(params, state)
    assert js.record(state)["observations"].tolist() == [3] * DEVICES
    assert js.record(state)["updates"].tolist() == [4] * DEVICES


def check_population() -> None:
    """Every device has its part of the runs, and none hears of the others."""

    def train(rate, key):
        def step(weight, count):
            grads = jax.grad(lambda w: jnp.sum(jnp.tanh(w @ w) ** 2))(weight)
            return weight - rate(count) * grads, jnp.sum(weight)

        return jax.lax.scan(step, jax.random.normal(key, (4, 4)), jnp.arange(8))

    rates = [0.1, js.linear_schedule(0.1, 0.0, 8), js.linear_schedule(0.2, 0.1, 4)]
    keys = jax.random.split(jax.random.key(0), 5)
    grow = partial(js.population, train, rates, keys, progress=False)
    alone = jax.tree.leaves(grow())
    spread = jax.tree.leaves(grow(mesh=mesh_of(AxisType.Explicit, x=4, y=2), chunk=13))
    assert [leaf.shape for leaf in spread] == [(3, 5, 4, 4), (3, 5, 8)]
    for ours, expected in zip(spread, alone, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)

    sharding = NamedSharding(mesh_of(AxisType.Auto, x=8), P("x"))
    keys = jax.device_put(keys, NamedSharding(sharding.mesh, P()))

    def run(i, keys):
        return train(0.1 * js.select(i, rates), keys[i])

    program = fitted(jax.vmap(run, (0, None)), keys, 15, None, None, sharding)
    text = program.compiled.as_text()
    assert program.size == 16
    assert "f32[2,4,4]" in text or "f64[2,4,4]" in text
    assert not re.search("all-|collective|permute", text)
    metrics = program.compiled(jax.device_put(next(program.chunks()), sharding), keys)
    assert all(leaf.sharding.num_devices == DEVICES for leaf in jax.tree.leaves(metrics))
    with pytest.raises(
        ValueError, match="`chunk` must be at least 8, the number of devices, got 7"
    ):
        grow(mesh=mesh_of(AxisType.Auto, x=8), chunk=7)


if __name__ == "__main__":
    assert jax.device_count() == DEVICES, jax.devices()
    check_metrics_by_argument()
    check_metrics_by_observation()
    check_population()
