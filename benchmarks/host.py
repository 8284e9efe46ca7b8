"""A rule on the host, in the manner of `ReduceLROnPlateau`: the loss is fetched at each step."""

import functools
import time
from typing import Any

import jax
import optax

from benchmarks.training import Size, inputs, loss, parameters


class HostRule:
    """Adam whose rate Python lowers once the loss has stalled, fed to each step."""

    def __init__(self, size: Size, rate: float, patience: int = 100, rtol: float = 1e-4):
        self.size, self.peak, self.patience, self.rtol = size, rate, patience, rtol
        self.memory = optax.scale_by_adam()
        self.one = jax.jit(functools.partial(_step, self.memory), donate_argnums=0)
        self.x = inputs(size.layers)
        self.calls()

    def calls(self) -> float:
        """The time of steps called one by one, each after a decision on the loss before it."""
        params = jax.tree.map(jax.numpy.copy, parameters(self.size.layers))
        carry = jax.block_until_ready((params, self.memory.init(params)))
        rate, best, bad = self.peak, float("inf"), 0
        begin = time.perf_counter()
        for _ in range(self.size.calls):
            carry, value = self.one(carry, self.x, rate)
            improved = float(value) < best * (1 - self.rtol)
            best, bad = (float(value), 0) if improved else (best, bad + 1)
            if bad >= self.patience:
                rate, bad = rate * 0.1, 0
        jax.block_until_ready(carry)
        return time.perf_counter() - begin


def _step(memory: Any, carry: Any, x: jax.Array, rate: Any) -> tuple[Any, jax.Array]:
    params, state = carry
    value, grads = jax.value_and_grad(loss)(params, x)
    updates, state = memory.update(grads, state, params)
    return (jax.tree.map(lambda p, u: p - rate * u, params, updates), state), value
