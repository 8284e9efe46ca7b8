"""Many segments as arrays: the program that looks one up is the same for 10 and for 10,000.

A lookup is two comparisons of about `sqrt(n)` numbers each: a search would loop, and one comparison
of all n would hold `n` numbers for each of a million counts.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from jaxsched.core import checks
from jaxsched.core.leaves import whole


@jax.tree_util.register_pytree_node_class
@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """A mapping from steps to scales, sorted by step, as two arrays. Prints as a dict."""

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
        return repr(dict(zip(self.boundaries.tolist(), self.scales.tolist(), strict=True)))


def array_of(values: Sequence[Any]) -> Any:
    """Numbers as one array: of the host unless one of them is on a device or traced."""
    if any(isinstance(value, jax.Array) for value in values):
        return jnp.stack([jnp.asarray(value) for value in values])
    array = np.array(values)
    wide = {"f": np.float64, "i": np.int64, "u": np.int64}
    return array.astype(wide.get(array.dtype.kind, array.dtype) if array.size else np.int64)


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


def locate(count: jax.Array, boundaries: Any) -> jax.Array:
    """How many of the ascending `boundaries` the count has reached."""
    boundaries = compact(boundaries)
    size = boundaries.shape[0]
    width = math.isqrt(size) + 1
    first = jnp.full(1, -1, boundaries.dtype)
    padding = jnp.full(width**2 - size - 1, checks.MAX_COUNT, boundaries.dtype)
    rows = jnp.concatenate([first, boundaries, padding]).reshape(width, width)
    row = jnp.sum(count >= rows[:, 0], dtype=jnp.int32) - 1
    column = jnp.sum(count >= take(rows, row), dtype=jnp.int32) - 1
    return jnp.minimum(width * row + column, size)


def with_zero(boundaries: Any) -> Any:
    """The boundaries with step 0 before them, where they are."""
    xp = np if isinstance(boundaries, np.ndarray) else jnp
    return xp.concatenate([xp.zeros(1, boundaries.dtype), boundaries])


def take(array: Any, index: jax.Array) -> jax.Array:
    """`array[index]` for an index known to be within bounds: an unsigned one is not tested."""
    return compact(array).at[index.astype(jnp.uint32)].get(mode="promise_in_bounds")


def compact(array: Any) -> jax.Array:
    """An array of the host on the device: whole numbers as int32 also under x64."""
    array = jnp.asarray(array)
    return array.astype(jnp.int32) if jnp.issubdtype(array.dtype, jnp.integer) else array


def product_before(scales: Any, index: jax.Array) -> jax.Array:
    """The product of the first `index` scales; of known ones it is rounded once."""
    if isinstance(scales, np.ndarray):
        return take(np.concatenate([[1.0], np.cumprod(scales)]), index)
    size = scales.shape[0]
    width = math.isqrt(size) + 1
    rows = jnp.pad(scales, (0, width**2 - size), constant_values=1).reshape(width, width)
    row, places = index // width, jnp.arange(width)
    before = jnp.prod(jnp.where(places < row, jnp.prod(rows, axis=1), 1))
    within = jnp.where(places < index - row * width, take(rows, row), 1)
    return before * jnp.prod(within)


Boundaries = Annotated[Sequence[float] | jax.Array, read_boundaries]
Scales = Annotated[Mapping[int, float], read_table]
