"""What monitors compute with, the same to the bit in every program."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxsched.core.arithmetic.powers import exponential
from jaxsched.core.arithmetic.steps import unfused


def sign(mode: str) -> int:
    """1 if smaller is better, -1 if larger is."""
    return 1 if mode == "min" else -1


def never(mode: str) -> float:
    """The best value before there is one."""
    return sign(mode) * float("inf")


def margin(value: jax.Array, rtol: Any, atol: Any) -> jax.Array:
    """`rtol |value| + atol`, of the same sign for negative values; 0 rtol where not finite."""
    size = jnp.where(jnp.isfinite(value), jnp.abs(value), 0)
    return unfused(rtol * size) + atol


def improves(value: jax.Array, best: jax.Array, rtol: Any, atol: Any, mode: str) -> jax.Array:
    """Whether a finite value is better than the best by more than the margin."""
    bar = sign(mode) * best - margin(best, rtol, atol)
    return jnp.isfinite(value) & (sign(mode) * value < bar)


def worsens(value: jax.Array, best: jax.Array, rtol: Any, atol: Any, mode: str) -> jax.Array:
    """Whether a value is worse than the best by more than the margin, or not finite."""
    bar = sign(mode) * best + margin(best, rtol, atol)
    return ~jnp.isfinite(value) | (sign(mode) * value > bar)


def better(value: jax.Array, best: jax.Array, mode: str) -> jax.Array:
    """The better of two values; what is not finite is never the better one."""
    return jnp.where(improves(value, best, 0.0, 0.0, mode), value, best)


def running_mean(mean: jax.Array, value: jax.Array, number: jax.Array) -> jax.Array:
    """The mean of `number` values, the last of which is `value`, the others' being `mean`."""
    return mean + (value - mean) / number


def root_of_sum(root: jax.Array, a: jax.Array, b: jax.Array) -> jax.Array:
    """`sqrt(root^2 + a b)`, where b is at most a and of its sign, for numbers of any size."""
    size = jnp.maximum(root, jnp.abs(a))
    unit = jnp.where(size > 0, size, 1)
    return size * jnp.sqrt(unfused((root / unit) ** 2) + unfused((a / unit) * (b / unit)))


def grown(number: Any, growth: Any, events: jax.Array) -> Any:
    """A number of observations that grows with each event, rounded, halves down."""
    if isinstance(growth, (int, float)) and growth == 1:
        return number
    # Half of one is rounded down, also where a power is a hair above it.
    return jnp.ceil(exponential(number, growth, events, 1) - 0.501)
