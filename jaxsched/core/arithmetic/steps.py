"""Exact arithmetic on step counts.

Counts are int32 where they are integers, and so are differences, remainders and quotients:
float32 cannot tell 2^24 from 2^24 + 1, and XLA turns a division by a constant into a
multiplication by its rounded inverse, which puts ends and stairs one step off.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxsched.core import checks
from jaxsched.core.checks import MAX_COUNT
from jaxsched.core.leaves import whole


def host_count(count: ArrayLike) -> np.ndarray | jax.Array:
    """A count of the host as int32, held within its reach, before JAX could wrap it."""
    if isinstance(count, jax.Array):
        return count
    array = np.asarray(min(max(count, 0), MAX_COUNT) if isinstance(count, int) else count)
    if array.dtype.kind in "iu":
        return np.clip(array, 0, MAX_COUNT).astype(np.int32)
    if not checks.is_real(array.dtype):
        checks.refuse("count", count, "an integer or a float, or an array of them", TypeError)
    return array


def as_count(count: np.ndarray | jax.Array) -> jax.Array:
    """A count of any type as int32 from 0 to 2^31-1, or as a non-negative float."""
    count = jnp.asarray(count)
    if jnp.issubdtype(count.dtype, jnp.floating):
        count = count.astype(jnp.result_type(float))
    elif jnp.issubdtype(count.dtype, jnp.integer):
        wide = count.dtype.itemsize >= 4
        count = (jnp.minimum(count, MAX_COUNT) if wide else count).astype(jnp.int32)
    else:
        checks.refuse("count", count, "of an integer or floating dtype", TypeError)
    return not_negative(count)


def not_negative(count: jax.Array) -> jax.Array:
    """The count, or 0 where it is negative; at 0 a float count keeps its slope."""
    if jnp.issubdtype(count.dtype, jnp.integer):
        return jnp.maximum(count, 0)
    return jnp.where(count < 0, 0, count)


def ratio(count: Any, steps: Any) -> Any:
    """`count / steps`, where 0 steps count as 1; correctly rounded but for known `steps`."""
    count = jnp.asarray(count, jnp.result_type(float))
    if isinstance(steps, (int, float)):
        # As it is, XLA would combine the constant with others, but not in every program.
        return unfused(count * (1 / (steps or 1)))
    if jnp.issubdtype(steps.dtype, jnp.integer):
        return count / jnp.maximum(steps, 1)
    return count / jnp.where(steps == 0, 1, steps)


def after(count: jax.Array, begin: Any) -> jax.Array:
    """The steps from `begin` to `count`, negative before it."""
    return count - whole(begin)


def since(count: jax.Array, begin: Any) -> jax.Array:
    """The steps taken since `begin`, 0 before it."""
    return not_negative(after(count, begin))


def moved(count: jax.Array, steps: Any) -> jax.Array:
    """`count - steps` for steps of either sign, held within 0 and 2^31-1."""
    passed = after(count, steps)
    wrapped = (passed < 0) & (steps < 0)
    return jnp.where(wrapped, MAX_COUNT, not_negative(passed))


def divide(count: jax.Array, steps: Any) -> tuple[jax.Array, jax.Array]:
    """The whole number of times that `steps` fits into `count`, and the remainder."""
    steps = whole(steps)
    times = jnp.floor_divide(count, steps)
    return times, count - times * steps


def slowed(count: jax.Array, factor: Any) -> jax.Array:
    """`count / factor`, a whole number wherever the quotient is one."""
    factor = whole(factor)
    if isinstance(factor, int) and factor == 1:
        return count
    if isinstance(factor, int) and jnp.issubdtype(count.dtype, jnp.integer):
        times, rest = divide(count, factor)
        return times + ratio(rest, factor)
    quotient = ratio(count, factor)
    nearest = jnp.round(quotient)
    return jnp.where(nearest * factor == count, nearest, quotient)


def stairs(count: jax.Array, steps: Any, staircase: Any) -> tuple[jax.Array, Any]:
    """What to divide by what for `count / steps`, rounded down if `staircase` holds."""
    times, _ = divide(count, steps)
    return choose(staircase, times, count), choose(staircase, 1, steps)


def unfused(product: jax.Array) -> jax.Array:
    """A product as no compiler fuses it with an addition: held within what is finite.

    Fused they are rounded once, and compilers do so in some programs and not in others. Two
    bounds, for a compiler drops the one that the sign of the product rules out.
    """
    limits = jnp.finfo(product.dtype)
    return jax.lax.clamp(limits.min, product, limits.max)


def choose(condition: Any, yes: Any, no: Any) -> Any:
    """`yes` if the condition holds, else `no`; decided at once where it is known."""
    if isinstance(condition, bool):
        return yes if condition else no
    return jnp.where(condition, yes, no)
