"""Networks in training: blocks of steps called one by one, and of steps in one `lax.scan`."""

import functools
import itertools
import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

Params = list[tuple[Any, Any]]


@dataclass(frozen=True)
class Size:
    """A network to train.

    Attributes:
      name: how the tables name it.
      layers: the widths of the network, from input to output.
      calls: the steps of a block that are called one by one.
      scan: the steps of a block that are one call.
    """

    name: str
    layers: tuple[int, ...]
    calls: int
    scan: int

    @property
    def parameters(self) -> int:
        """The number of weights and biases."""
        return sum((a + 1) * b for a, b in itertools.pairwise(self.layers))


SIZES = [
    Size("1k", (16, 32, 16), calls=200, scan=1000),
    Size("100k", (128, 384, 128), calls=20, scan=20),
    Size("1M", (512, 1024, 512), calls=4, scan=4),
    Size("10M", (1600, 3200, 1600), calls=2, scan=2),
]


@functools.cache
def parameters(layers: tuple[int, ...]) -> Params:
    """The weights and biases of a network, on the host: they may be asked for while tracing."""
    rng = np.random.default_rng(0)
    return [
        (rng.normal(0, a**-0.5, (a, b)).astype(np.float32), np.zeros(b, np.float32))
        for a, b in itertools.pairwise(layers)
    ]


def inputs(layers: tuple[int, ...]) -> jax.Array:
    """A batch of vectors."""
    return jnp.asarray(np.random.default_rng(1).normal(size=(16, layers[0])), jnp.float32)


def loss(params: Params, x: jax.Array) -> jax.Array:
    """How badly a network copies its input."""
    y = x
    for weights, biases in params:
        y = jnp.tanh(y @ weights + biases)
    return jnp.mean((y - x) ** 2)


def step(optimizer: Any, x: jax.Array, carry: Any, _: Any = None) -> tuple[Any, jax.Array]:
    """A training step whose optimizer hears the loss, which is returned."""
    params, state = carry
    value, grads = jax.value_and_grad(loss)(params, x)
    updates, state = optimizer.update(grads, state, params, value=value)
    return (optax.apply_updates(params, updates), state), value


@dataclass(frozen=True)
class Training:
    """A network and an optimizer, compiled.

    Every block begins at the same parameters, so that all blocks do the same arithmetic.
    """

    size: Size
    optimizer: Any
    one: Any
    many: Any

    def start(self) -> Any:
        """Parameters and a state that may be donated."""
        params = jax.tree.map(jnp.copy, parameters(self.size.layers))
        return jax.block_until_ready((params, self.optimizer.init(params)))

    def calls(self) -> float:
        """The time of steps called one by one, with a donated state."""
        carry = self.start()
        begin = time.perf_counter()
        for _ in range(self.size.calls):
            carry, _ = self.one(carry)
        jax.block_until_ready(carry)
        return time.perf_counter() - begin

    def scan(self) -> float:
        """The time of steps in one call."""
        carry = self.start()
        begin = time.perf_counter()
        jax.block_until_ready(self.many(carry))
        return time.perf_counter() - begin

    @property
    def arrays(self) -> int:
        """The arrays of the optimizer's state."""
        return len(
            jax.tree.leaves(jax.eval_shape(self.optimizer.init, parameters(self.size.layers)))
        )


def trainings(size: Size, optimizers: Mapping[str, Any]) -> dict[str, Training]:
    """Compiles the same network with each optimizer, on all cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        waiting = {
            name: [pool.submit(lowered.compile) for lowered in _programs(size, optimizer)]
            for name, optimizer in optimizers.items()
        }
        return {
            name: Training(size, optimizers[name], *(each.result() for each in both))
            for name, both in waiting.items()
        }


def _programs(size: Size, optimizer: Any) -> list[Any]:
    optimizer = optax.with_extra_args_support(optimizer)
    take = functools.partial(step, optimizer, inputs(size.layers))
    params = parameters(size.layers)
    carry = jax.eval_shape(lambda: (params, optimizer.init(params)))

    def many(carry: Any) -> tuple[Any, jax.Array]:
        return jax.lax.scan(take, carry, length=size.scan)

    return [jax.jit(program, donate_argnums=0).lower(carry) for program in (take, many)]
