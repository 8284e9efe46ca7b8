"""Lists and dicts of numbers as arrays, held as one leaf each whatever their length."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsched.core import checks
from jaxsched.core.arithmetic.chosen import whole
from jaxsched.core.reach import reach
from jaxsched.core.traced import is_traced


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

    Whole numbers beyond the reach of a count are floats: on the device they would wrap.
    """
    if any(isinstance(value, jax.Array) for value in values):
        return jnp.stack([jnp.asarray(value) for value in values])
    array = np.array(values)
    if array.size and array.dtype.kind not in "iufO":
        return array
    reached = np.abs(array.astype(float)) <= reach()
    whole_numbers = not array.size or (array.dtype.kind != "f" and reached.all())
    return array.astype(np.int64 if whole_numbers else np.float64)


def read_boundaries(name: str, value: Any) -> Any:
    """A sequence of steps in ascending order, as an array."""
    if isinstance(value, (np.ndarray, jax.Array)) and value.ndim == 1:
        if is_traced(value):
            return checks.working(value)
        array = np.asarray(value)
        value = array.tolist() if checks.is_real(array.dtype) else list(array)
    if not checks.is_list(value):
        checks.refuse(name, value, "a list of steps", TypeError)
    read = [whole(checks.steps(f"{name}[{i}]", step)) for i, step in enumerate(value)]
    known = [step for step in map(checks.known, read) if step is not None]
    if known != sorted(known):
        checks.refuse(name, list(value), "in ascending order")
    return array_of(read)


def read_values(name: str, value: Any) -> Any:
    """A non-empty sequence of finite numbers, as an array."""
    arrayed = isinstance(value, (np.ndarray, jax.Array)) and value.ndim == 1
    if not (arrayed or checks.is_list(value)):
        checks.refuse(name, value, "a list of numbers", TypeError)
    if not len(value):
        checks.refuse(name, value, "a list of at least one number")
    if not _all_finite(value):
        for i, item in enumerate(value):
            checks.number(f"{name}[{i}]", item)
    if isinstance(value, jax.Array):
        return checks.working(value)
    array = array_of(value)
    return array.astype(float) if isinstance(array, np.ndarray) else array


def _all_finite(value: Any) -> bool:
    """Whether an array or a list of floats is finite, found without a look at each in Python."""
    if isinstance(value, (np.ndarray, jax.Array)):
        real = checks.is_real(value.dtype)
    else:
        real = set(map(type, value)) == {float}
    if is_traced(value) or not real:
        return real
    greatest = float(jnp.finfo(jnp.result_type(float)).max)
    return bool(np.all(np.abs(np.asarray(value, float)) <= greatest))


def read_table(name: str, value: Any) -> Table | None:
    """A dict from steps to non-negative scales, as a table; None for an empty one."""
    if isinstance(value, Table):
        return value
    if not isinstance(value, Mapping):
        checks.refuse(name, value, "a dict from steps to scales", TypeError)
    if not value:
        return None
    for step in value:
        checks.steps(f"a step of {name}", step)
    boundaries = read_boundaries(name, sorted(value))
    scales = [checks.non_negative(f"{name}[{step}]", value[step]) for step in sorted(value)]
    scales = array_of(scales)
    return Table(boundaries, scales.astype(float) if isinstance(scales, np.ndarray) else scales)


Boundaries = Annotated[Sequence[float] | jax.Array, read_boundaries]
Values = Annotated[Sequence[float] | np.ndarray | jax.Array, read_values]
Scales = Annotated[Mapping[int, float], read_table]
