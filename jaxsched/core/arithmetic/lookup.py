"""Many segments as arrays: the program that looks one up is the same for 10 and for 10,000.

A lookup counts the reached boundaries: a few one by one, in the kernel of what follows. Of
many it counts every `width`-th one, and then those that follow the last of these, with `width`
about the root of their number. A search would loop, and comparing all of them would hold n
numbers for each of a million counts. Each sum runs over two short axes: XLA splits a long one
into several instructions. A GPU compares all of them, so as to start one kernel less.
"""

import math
from functools import partial, reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsched.core.arithmetic.between import Between
from jaxsched.core.reach import reach, whole_dtype

# Boundaries that are compared one by one, and those that a GPU counts in one sum.
_FEW, _LONG = 32, 4096


def library(array: Any) -> Any:
    """NumPy for an array of the host, whose tables are then constants, else JAX's."""
    return np if isinstance(array, np.ndarray) else jnp


def locate(count: jax.Array, boundaries: Any) -> jax.Array:
    """How many of the ascending `boundaries` the count has reached."""
    if isinstance(count, Between):
        whole_steps = jnp.issubdtype(boundaries.dtype, np.integer)
        count = count.whole if whole_steps else jnp.asarray(count)
    if jnp.issubdtype(count.dtype, np.integer):
        # `count > boundary - 1` is never true of the padding.
        steps, unreached, reached = _last_before(boundaries), reach(), jnp.greater
    else:
        steps, unreached, reached = boundaries.astype(float), np.inf, jnp.greater_equal

    def number(steps: Any, axis: int | None = None) -> jax.Array:
        return jnp.sum(reached(count, compact(steps)), axis, dtype=jnp.int32)

    if steps.shape[0] <= _FEW:
        return reduce(jnp.add, map(number, steps), jnp.int32(0))
    padded = partial(library(steps).pad, constant_values=unreached)
    gpu, others = (partial(by, number, steps, padded) for by in (_at_once, _by_rows))
    return jax.lax.platform_dependent(cuda=gpu, rocm=gpu, default=others)


def _last_before(boundaries: Any) -> Any:
    """The last whole count before each boundary, which may be between two."""
    if isinstance(boundaries, np.ndarray):
        return np.minimum(np.ceil(boundaries - 1), reach()).astype(whole_dtype())
    if jnp.issubdtype(boundaries.dtype, np.integer):
        return boundaries.astype(whole_dtype()) - 1
    first = jnp.ceil(boundaries).astype(whole_dtype()) - 1
    return jnp.where(boundaries >= reach() + 1.0, reach(), first)


def since_begin(count: Any, begins: Any, index: jax.Array) -> Any:
    """The steps since a segment began."""
    if isinstance(count, Between) and jnp.issubdtype(begins.dtype, np.integer):
        return count.back(take(begins, index))
    if not jnp.issubdtype(begins.dtype, np.floating) or not jnp.issubdtype(count.dtype, np.integer):
        return count - take(begins, index)
    xp = library(begins)
    first = xp.minimum(xp.floor(begins), float(reach()))
    passed = count - take(first.astype(whole_dtype()), index)
    return passed.astype(float) - take(begins - first, index)


def _by_rows(number: Any, steps: Any, padded: Any) -> jax.Array:
    side = math.ceil((steps.shape[0] + 1) ** 0.25)
    width = side**2

    def without_first(rows: Any) -> Any:
        rows = padded(rows[..., 1:], [*[(0, 0)] * (rows.ndim - 1), (0, 1)])
        return rows.reshape(*rows.shape[:-1], side, side)

    rows = padded(steps, (1, width**2 - steps.shape[0] - 1)).reshape(width, width)
    row = number(without_first(rows[:, 0]))
    return width * row + number(take(without_first(rows), row))


def _at_once(number: Any, steps: Any, padded: Any) -> jax.Array:
    """A GPU makes a kernel of each sum, and two of a long one."""
    rows = -(-steps.shape[0] // _LONG)
    width = -(-steps.shape[0] // rows)
    table = padded(steps, (0, rows * width - steps.shape[0])).reshape(rows, width)
    return reduce(jnp.add, number(table, axis=1))


def begins(boundaries: Any) -> Any:
    """The first step of each segment, where the boundaries are: 0, then the boundaries."""
    xp = library(boundaries)
    return xp.concatenate([xp.zeros(1, boundaries.dtype), boundaries])


def lengths(boundaries: Any) -> Any:
    """The length of each segment; 0 for the last, which has no end."""
    xp = library(boundaries)
    return xp.diff(xp.concatenate([begins(boundaries), boundaries[-1:]]))


def take(array: Any, index: jax.Array) -> jax.Array:
    """`array[index]` for an index within bounds, whose sign is therefore not tested."""
    return jax.lax.dynamic_index_in_dim(
        compact(array), index, keepdims=False, allow_negative_indices=False
    )


def compact(array: Any) -> jax.Array:
    """An array of the host on the device: whole numbers as counts are."""
    array = jnp.asarray(array)
    return array.astype(whole_dtype()) if jnp.issubdtype(array.dtype, jnp.integer) else array


def products(init: Any, scales: Any, index: jax.Array) -> tuple[jax.Array, jax.Array]:
    """`init` times the first `index` scales, and times one more if there is one.

    Known scales are multiplied in float64 and the products rounded once.
    """
    if isinstance(scales, np.ndarray):
        known = np.concatenate([[1.0], np.cumprod(scales)])
        following = np.append(known[1:], known[-1])
        if isinstance(init, (int, float)):
            return take(init * known, index), take(init * following, index)
        return init * take(known, index), init * take(following, index)
    before = init * _product_before(scales, index)
    return before, before * take(jnp.append(scales, 1), index)


def _product_before(scales: jax.Array, index: jax.Array) -> jax.Array:
    """The product of whole rows, times that of a part of one: no scan, whatever their number."""
    size = scales.shape[0]
    width = math.isqrt(size) + 1
    rows = jnp.pad(scales, (0, width**2 - size), constant_values=1).reshape(width, width)
    row, places = index // width, jnp.arange(width)
    before = jnp.prod(jnp.where(places < row, jnp.prod(rows, axis=1), 1))
    within = jnp.where(places < index - row * width, take(rows, row), 1)
    return before * jnp.prod(within)
