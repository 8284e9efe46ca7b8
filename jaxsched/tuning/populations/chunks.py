"""How many runs of a population go through the program at a time."""

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.multihost_utils import broadcast_one_to_all
from jax.sharding import NamedSharding, PartitionSpec

from jaxsched.core import checks


class Program(NamedTuple):
    """A program that takes the numbers of a chunk of runs.

    Attributes:
      lowered: as JAX has traced it.
      compiled: as it runs.
      total: how many runs there are.
      size: how many go into a chunk.
    """

    lowered: jax.stages.Lowered
    compiled: jax.stages.Compiled
    total: int
    size: int

    def chunks(self) -> Iterator[np.ndarray]:
        """The numbers of the runs of each chunk; the last run fills up the last chunk."""
        for first in range(0, self.total, self.size):
            runs = np.arange(first, first + self.size, dtype=np.int32)
            yield np.minimum(runs, self.total - 1)


def fitted(
    function: Callable[[jax.Array, Any], Any],
    inputs: Any,
    total: int,
    chunk: int | None,
    memory: int | None,
    sharding: NamedSharding | None,
) -> Program:
    """The program of the largest chunks allowed that fit into the memory, where it is known."""
    devices = sharding.mesh.size if sharding else 1
    limit = checks.positive("memory", memory) if memory is not None else None
    limit = _free(sharding) if limit is None and chunk is None else limit
    most = _at_most(chunk, total, devices)
    while True:
        program = _compiled(function, inputs, total, _even(total, most, devices), sharding)
        need = _needed(program.compiled)
        if limit is None or need <= limit:
            return program
        if program.size == devices:
            checks.refuse("memory", limit, f"at least the {need} bytes of one run on a device")
        # In proportion is too many where something does not depend on the number.
        most = min(int(program.size * limit / need), program.size - 1)
        most = max(most // devices, 1) * devices


def _at_most(chunk: int | None, total: int, devices: int) -> int:
    if chunk is None:
        return -(-total // devices) * devices
    if checks.whole_number("chunk", chunk) < devices:
        checks.refuse("chunk", chunk, f"at least {devices}, the number of devices")
    return chunk // devices * devices


def _even(total: int, most: int, devices: int) -> int:
    """The size of as few chunks as possible that are about equal."""
    chunks = -(-total // most)
    return -(-total // (chunks * devices)) * devices


def _compiled(
    function: Callable[[jax.Array, Any], Any],
    inputs: Any,
    total: int,
    size: int,
    sharding: NamedSharding | None,
) -> Program:
    whole = sharding and NamedSharding(sharding.mesh, PartitionSpec())
    spread = functools.partial(jax.jit, in_shardings=(sharding, whole), out_shardings=sharding)
    jitted = spread(function) if sharding else jax.jit(function)
    lowered = jitted.lower(jax.ShapeDtypeStruct((size,), jnp.int32), inputs)
    return Program(lowered, lowered.compile(), total, size)


def _needed(compiled: jax.stages.Compiled) -> int:
    """The bytes on each device that a program takes."""
    account: Any = compiled.memory_analysis()
    parts = ("argument", "output", "temp", "generated_code")
    return sum(getattr(account, f"{part}_size_in_bytes", 0) for part in parts)


def _free(sharding: NamedSharding | None) -> int | None:
    """The bytes free on the fullest device; the same number in all processes."""
    devices = sharding.addressable_devices if sharding else jax.local_devices()[:1]
    stats = [device.memory_stats() for device in devices]
    if not all(stats):
        return None
    free = min(each["bytes_limit"] - each["bytes_in_use"] for each in stats)
    return int(broadcast_one_to_all(np.float64(free)))
