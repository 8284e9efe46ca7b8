"""Many segments as arrays: the program that looks one up is the same for 10 and for 10,000.

A lookup counts the reached boundaries: a few one by one, in the kernel of what follows. Of
many it counts every `width`-th one, and then those that follow the last of these, with `width`
about the root of their number. A search would loop, and comparing all of them would hold n
numbers for each of a million counts. Each sum runs over two short axes: XLA splits a long one
into several instructions. A GPU compares all of them, so as to start one kernel less.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from jaxsched.core import checks
from jaxsched.core.leaves import whole

# Boundaries that are compared one by one, and those that a GPU counts in one sum.
_FEW, _LONG = 32, 4096


@jax.tree_util.register_pytree_node_class
@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """A mapping from steps to scales, sorted by step, as two arrays.

    Prints as a dict, in a population as a list of them.
    """

    boundaries: Any
    scales: Any

    def tree_flatten(self):
        """The arrays as leaves."""
        return (self.boundaries, self.scales), None

    @classmethod
    def tree_unflatten(cls, _: None, children: Any) -> "Table":
        """A table of the given arrays."""
        return cls(*children)

    def __repr__(self) -> str:
        if np.ndim(self.boundaries) > 1:
            return repr(list(map(Table, self.boundaries, self.scales)))
        return repr(dict(zip(self.boundaries.tolist(), self.scales.tolist(), strict=True)))


def array_of(values: Sequence[Any] | np.ndarray) -> Any:
    """Numbers as one array: of the host unless one of them is on a device or traced.

    Whole numbers beyond int32 are floats: on the device they would wrap.
    """
    if any(isinstance(value, jax.Array) for value in values):
        return jnp.stack([jnp.asarray(value) for value in values])
    array = np.array(values)
    if array.size and array.dtype.kind not in "iufO":
        return array
    reached = np.abs(array.astype(float)) <= checks.MAX_COUNT
    whole_numbers = not array.size or (array.dtype.kind != "f" and reached.all())
    return array.astype(np.int64 if whole_numbers else np.float64)


def read_boundaries(name: str, value: Any) -> Any:
    """A sequence of steps in ascending order, as an array."""
    if isinstance(value, (np.ndarray, jax.Array)) and value.ndim == 1:
        if isinstance(value, Tracer):
            return value
        value = np.asarray(value).tolist()
    if not isinstance(value, Sequence) or isinstance(value, str):
        checks.refuse(name, value, "a list of steps", TypeError)
    read = [whole(checks.steps(f"{name}[{i}]", step)) for i, step in enumerate(value)]
    known = [step for step in map(checks.known, read) if step is not None]
    if known != sorted(known):
        checks.refuse(name, list(value), "in ascending order")
    return array_of(read)


def read_values(name: str, value: Any) -> Any:
    """A non-empty sequence of finite numbers, as an array."""
    arrayed = isinstance(value, (np.ndarray, jax.Array)) and value.ndim == 1
    if isinstance(value, str) or not (arrayed or isinstance(value, Sequence)):
        checks.refuse(name, value, "a list of numbers", TypeError)
    if not len(value):
        checks.refuse(name, value, "a list of at least one number")
    if not _all_finite(value):
        for i, item in enumerate(value):
            checks.number(f"{name}[{i}]", item)
    if isinstance(value, jax.Array):
        return value
    array = array_of(value)
    return array.astype(float) if isinstance(array, np.ndarray) else array


def _all_finite(value: Any) -> bool:
    """Whether an array or a list of floats is finite, found without a look at each in Python."""
    if isinstance(value, (np.ndarray, jax.Array)):
        real = checks.is_real(value.dtype)
    else:
        real = set(map(type, value)) == {float}
    if isinstance(value, Tracer) or not real:
        return real
    greatest = float(jnp.finfo(jnp.result_type(float)).max)
    return bool(np.all(np.abs(np.asarray(value, float)) <= greatest))


def read_table(name: str, value: Any) -> Table:
    """A non-empty dict from steps to non-negative scales, as a table."""
    if isinstance(value, Table):
        return value
    if not isinstance(value, Mapping):
        checks.refuse(name, value, "a dict from steps to scales", TypeError)
    if not value:
        checks.refuse(name, value, "a dict with at least one step, or None")
    for step in value:
        checks.steps(f"a step of {name}", step)
    boundaries = read_boundaries(name, sorted(value))
    scales = [checks.non_negative(f"{name}[{step}]", value[step]) for step in sorted(value)]
    scales = array_of(scales)
    return Table(boundaries, scales.astype(float) if isinstance(scales, np.ndarray) else scales)


def library(array: Any) -> Any:
    """NumPy for an array of the host, whose tables are then constants, else JAX's."""
    return np if isinstance(array, np.ndarray) else jnp


def locate(count: jax.Array, boundaries: Any) -> jax.Array:
    """How many of the ascending `boundaries` the count has reached."""
    if jnp.issubdtype(boundaries.dtype, np.integer) and jnp.issubdtype(count.dtype, np.integer):
        # `count > boundary - 1` is never true of the padding.
        steps, unreached, reached = boundaries - 1, checks.MAX_COUNT, jnp.greater
    else:
        steps, unreached, reached = boundaries.astype(float), np.inf, jnp.greater_equal

    def number(steps: Any, axis: int | None = None) -> jax.Array:
        return jnp.sum(reached(count, compact(steps)), axis, dtype=jnp.int32)

    if steps.shape[0] <= _FEW:
        return reduce(jnp.add, map(number, steps), jnp.int32(0))
    padded = partial(library(steps).pad, constant_values=unreached)
    gpu, others = (partial(by, number, steps, padded) for by in (_at_once, _by_rows))
    return jax.lax.platform_dependent(cuda=gpu, rocm=gpu, default=others)


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
    """An array of the host on the device: whole numbers as int32 also under x64."""
    array = jnp.asarray(array)
    return array.astype(jnp.int32) if jnp.issubdtype(array.dtype, jnp.integer) else array


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


Boundaries = Annotated[Sequence[float] | jax.Array, read_boundaries]
Values = Annotated[Sequence[float] | np.ndarray | jax.Array, read_values]
Scales = Annotated[Mapping[int, float], read_table]
