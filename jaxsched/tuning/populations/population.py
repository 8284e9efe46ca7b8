"""A training run under many schedules and seeds, as one compiled program."""

import functools
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.multihost_utils import process_allgather
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxsched.control.controllers.controller import Controller
from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.core.types import ScheduleFn
from jaxsched.schedules.select import select
from jaxsched.tuning.populations.chunks import fitted
from jaxsched.tuning.populations.finished import keeper
from jaxsched.tuning.populations.forms import by_form, in_order
from jaxsched.tuning.populations.progress import bar
from jaxsched.tuning.stack import stack


def population(
    train: Callable[[Any, Any], Any],
    schedules: Sequence[Schedule | ScheduleFn | float | Controller],
    keys: Any,
    *,
    chunk: int | None = None,
    memory: int | None = None,
    mesh: Mesh | None = None,
    directory: str | Path | None = None,
    progress: bool = True,
) -> Any:
    """Trains under every schedule with every key: many runs at a time, in one compiled program.

        metrics[i, j] = train(schedules[i], keys[j])

    The runs are mapped by `vmap`, and go chunk after chunk through the same program; the last
    chunk is filled up with repetitions. `train` gets its schedule from `select`; controllers, from
    `stack`. Where there are controllers of several forms, or schedules too, each form has a
    program of its own, one after another, and the metrics come together.

    With a mesh the runs of a chunk are spread over all of its devices. Where it spans several
    processes (`jax.distributed`), each of them calls this with the same arguments and returns
    the metrics of all runs.

    Args:
      train: a pure function of a schedule and a key that JAX can trace. It returns a tree of
        arrays.
      schedules: schedules, numbers, functions of the count, controllers.
      keys: an array with a leading axis, such as `jax.random.split(jax.random.key(0), 4)`, or
        whole numbers as seeds. Or a tuple or dict of arrays with one leading axis, each run's
        part of which `train` gets: `(keys, jax.vmap(make_data)(keys))` makes data once a key, and
        not again under every schedule.
      chunk: the most runs at a time; None for as many as fit into `memory`.
      memory: the bytes that a chunk may take on each device, by the account of the compiler.
        None for what the device has free, where it says so and `chunk` is not given; on a CPU
        all runs are one chunk then.
      mesh: the devices, of which all axes are used alike; None for JAX's default device.
      directory: where finished chunks are kept. Called again with the same arguments after it
        was stopped, it computes the other ones only. All processes must see it.
      progress: whether to show a bar, where tqdm is installed.

    Returns:
      What `train` returns, as NumPy arrays with two more leading axes: schedules, keys.

    Raises:
      TypeError: for what is not a function, a schedule or a mesh, and keys without a leading
        axis.
      ValueError: for no schedules or keys, a chunk below the number of devices, a run that
        does not fit into the memory, metrics of other shapes for another form, or a directory with
        chunks of another population: another program, other numbers or keys.

    Example:
      >>> import jax, jaxsched
      >>> def train(schedule, seed):
      ...     def step(weight, count):
      ...         return weight - schedule(count) * weight, None
      ...     return jax.lax.scan(step, 1.0 + seed, jax.numpy.arange(2))[0]
      >>> rates = [0.5, jaxsched.linear_schedule(1.0, 0.0, 2), jaxsched.shift(0.25, steps=1)]
      >>> print(population(train, rates, keys=[0, 1], progress=False))
      [[0.25   0.5   ]
       [0.     0.    ]
       [0.5625 1.125 ]]
    """
    if not callable(train):
        checks.refuse("train", train, "a function of a schedule and a key", TypeError)
    keys, groups = _read_keys(keys), by_form(schedules)
    progress = checks.switch("progress", progress)
    one_form = functools.partial(
        _of_one_form, train, keys=keys, chunk=chunk, memory=memory, mesh=mesh, progress=progress
    )
    if len(groups) == 1:
        return one_form(schedules, directory=directory)
    metrics = [
        one_form([schedules[place] for place in places], directory=_of_group(directory, number))
        for number, places in enumerate(groups)
    ]
    return in_order(groups, metrics)


def _of_group(directory: str | Path | None, number: int) -> Path | None:
    return None if directory is None else Path(directory) / f"form-{number:02}"


def _of_one_form(
    train: Callable[[Any, Any], Any],
    schedules: Any,
    *,
    keys: Any,
    chunk: int | None,
    memory: int | None,
    mesh: Mesh | None,
    directory: str | Path | None,
    progress: bool,
) -> Any:
    """The metrics of runs that one program has: of schedules, or of controllers of one form."""
    shape = len(schedules), len(jax.tree.leaves(keys)[0])
    choose, total, sharding = _chooser(schedules), math.prod(shape), _sharding(mesh)
    keys = jax.device_put(keys, sharding and NamedSharding(sharding.mesh, PartitionSpec()))

    def run(number: jax.Array, keys: Any) -> Any:
        one = jax.tree.map(lambda leaf: leaf[number % shape[1]], keys)
        return train(choose(number // shape[1]), one)

    program = fitted(jax.vmap(run, (0, None)), keys, total, chunk, memory, sharding)
    keep = keeper(directory, program, (schedules, keys))
    parts = []
    with bar(total, progress) as advance:
        for number, runs in enumerate(program.chunks()):
            here = jax.device_put(runs, sharding)
            parts.append(keep(number, lambda here=here: _on_host(program.compiled(here, keys))))
            advance(min(program.size, total - number * program.size))
    return jax.tree.map(lambda *leaves: _joined(leaves, shape), *parts)


def _read_keys(keys: Any) -> Any:
    """An array with a leading axis, or a tree of them."""
    several = isinstance(keys, (dict, tuple)) and any(map(np.ndim, jax.tree.leaves(keys)))
    if not several:
        return _read_array(keys)
    read = jax.tree.map(_read_array, keys)
    sizes = {len(leaf) for leaf in jax.tree.leaves(read)}
    if len(sizes) > 1:
        raise ValueError(f"`keys` must have one leading axis, got arrays of {sorted(sizes)} rows.")
    return read


def _read_array(keys: Any) -> jax.Array:
    wanted = "an array with a leading axis"
    try:
        array = jnp.asarray(keys)
    except (TypeError, ValueError):
        checks.refuse("keys", keys, wanted, TypeError)
    if not array.ndim:
        checks.refuse("keys", keys, wanted, TypeError)
    if not len(array):
        checks.refuse("keys", keys, "at least one key")
    return array


def _chooser(schedules: Any) -> Callable[[jax.Array], Any]:
    """From a traced place in the list to the schedule there."""
    if isinstance(schedules, Sequence) and any(isinstance(s, Controller) for s in schedules):
        stacked = jax.tree.map(jnp.asarray, stack(schedules))
        return lambda place: jax.tree.map(lambda leaf: leaf[place], stacked)
    read = select(0, schedules)
    return lambda place: read.replace(index=place)


def _sharding(mesh: Mesh | None) -> NamedSharding | None:
    """Runs over all devices, along the only axis of a mesh that says nothing else."""
    if mesh is None:
        return None
    if not isinstance(mesh, Mesh):
        checks.refuse("mesh", mesh, "a `jax.sharding.Mesh`", TypeError)
    return NamedSharding(Mesh(mesh.devices.ravel(), ("runs",)), PartitionSpec("runs"))


def _on_host(metrics: Any) -> Any:
    local = all(leaf.is_fully_addressable for leaf in jax.tree.leaves(metrics))
    return jax.device_get(metrics) if local else process_allgather(metrics, tiled=True)


def _joined(parts: Sequence[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """One metric of all chunks, without the runs that fill up the last one."""
    runs = np.concatenate(parts)[: math.prod(shape)]
    return runs.reshape(*shape, *runs.shape[1:])
