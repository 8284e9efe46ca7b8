"""One of several processes that train together; the last line it prints is what came out, in JSON.

python -m tests.two_processes PROCESS PROCESSES PORT

Each process draws its own data, and one step of the last has outliers. XLA_FLAGS says how many
devices a process has.
"""

import json
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

import jaxsched

STEPS, BATCH, WIDTH, EVENT = 8, 16, 4, 4
PARAMS = {"w": np.linspace(-1, 1, WIDTH), "b": np.zeros(())}


def optimizer(axis_name=None):
    rule = jaxsched.worsening(rtol=9.0)
    rate = jaxsched.reduce_on(rule, 0.125, factor=0.5, axis_name=axis_name)
    return optax.chain(optax.scale_by_adam(), jaxsched.scale_by_learning_rate(rate))


def batch(step):
    """The rows of this process."""
    process, last = jax.process_index(), jax.process_count() - 1
    x = np.random.default_rng([step, process]).normal(size=(BATCH, WIDTH))
    y = x.sum(axis=1) + 40.0 * (step == EVENT and process == last)
    return x.astype(np.float32), y.astype(np.float32)


def loss(params, x, y):
    return jnp.mean((x @ params["w"] + params["b"] - y) ** 2)


def report(params, state, rates, values):
    """All of it as text, the parameters as their bytes."""
    record = jaxsched.record(state)
    return {
        "rates": [float(rate) for rate in rates],
        "values": [float(value) for value in values],
        "record": {name: float(value) for name, value in record.items()},
        "params": {name: np.asarray(leaf).tobytes().hex() for name, leaf in params.items()},
    }


def sharded(observed):
    """Data-parallel training by sharded `jit`, where the loss is the mean over all processes."""
    tx, mesh = optimizer(), Mesh(np.array(jax.devices()), "data")
    whole, rows = (NamedSharding(mesh, PartitionSpec(*axes)) for axes in ((), ("data",)))

    @jax.jit
    def step(params, state, x, y):
        value, grads = jax.value_and_grad(loss)(params, x, y)
        given = {} if observed else {"value": value}
        updates, state = tx.update(grads, state, params, **given)
        return optax.apply_updates(params, updates), state, value

    @jax.jit
    def start(params):
        params = jax.tree.map(jnp.asarray, params)
        return params, tx.init(params)

    (params, state), rates, values = jax.jit(start, out_shardings=whole)(PARAMS), [], []
    for count in range(STEPS):
        x, y = (jax.make_array_from_process_local_data(rows, part) for part in batch(count))
        if observed:
            state = jaxsched.observe(state, value=jax.jit(loss)(params, x, y))
        params, state, value = step(params, state, x, y)
        rates.append(jaxsched.learning_rate(state))
        values.append(value)
    return report(params, state, rates, values)


def mapped(observed, axis_name="data"):
    """The same by `pmap`: the state has a leading axis, and each device a loss of its own."""
    tx, devices = optimizer(axis_name), jax.local_device_count()

    def step(params, state, x, y):
        value, grads = jax.value_and_grad(loss)(params, x, y)
        given = {} if observed else {"value": value}
        grads = jax.lax.pmean(grads, "data")
        updates, state = tx.update(grads, state, params, **given)
        return optax.apply_updates(params, updates), state, jax.lax.pmean(value, "data")

    def split(part):
        return part.reshape(devices, -1, *part.shape[1:])

    start = PARAMS, tx.init(PARAMS)
    params, state = jax.tree.map(lambda leaf: jnp.stack([jnp.asarray(leaf)] * devices), start)
    step, rates, values = jax.pmap(step, axis_name="data"), [], []
    for count in range(STEPS):
        x, y = map(split, batch(count))
        if observed:
            state = jaxsched.observe(state, value=jax.vmap(loss)(params, x, y))
        params, state, value = step(params, state, x, y)
        rates.append(jaxsched.learning_rate(state)[0])
        values.append(value[0])
    first = jax.tree.map(lambda leaf: leaf[0], (params, state))
    return report(*first, rates, values)


PROGRAMS = {
    "value": lambda: sharded(observed=False),
    "observe": lambda: sharded(observed=True),
    "pmap, value": lambda: mapped(observed=False),
    "pmap, observe": lambda: mapped(observed=True),
    "pmap, no axis_name": lambda: mapped(observed=False, axis_name=None),
}


def main(process, processes, port):
    """Runs every program as one process of several."""
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.distributed.initialize(f"127.0.0.1:{port}", processes, process)
    print("\n" + json.dumps({name: program() for name, program in PROGRAMS.items()}), flush=True)
    jax.distributed.shutdown()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
