"""A known number of whichever member of a stack is asked for.

As an array of the device it would be rounded to float32 before anything is computed from it, and
a rate of 0.9999 a step has three digits left after 10,000 steps. What follows from known numbers
alone is computed on the host instead, for each member, and looked up where it is needed. Where
nothing is said of it here it is that array: JAX and Python compute with it as with one.
"""

import operator
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsched.core.arithmetic.lookup import take
from jaxsched.core.reach import reach, whole_dtype


class Chosen:
    """The number of a member: a row of a table of the host.

    Attributes:
      table: the number of each member, in int64 or float64.
      index: which member is asked for.
    """

    __slots__ = ("index", "table")
    __array_ufunc__ = None

    def __init__(self, table: np.ndarray, index: jax.Array):
        self.table, self.index = table, index

    @property
    def dtype(self) -> Any:
        """That of the array it is otherwise: whole numbers are as counts are."""
        in_reach = self.table.dtype.kind == "i" and np.all(np.abs(self.table) <= reach())
        return whole_dtype() if in_reach else jnp.result_type(float)

    @property
    def shape(self) -> tuple[int, ...]:
        """A hyperparameter is a scalar."""
        return ()

    def __jax_array__(self) -> jax.Array:
        return take(self.table.astype(self.dtype), self.index)

    def astype(self, dtype: Any) -> jax.Array:
        """As an array."""
        return self.__jax_array__().astype(dtype)

    def whole(self) -> Any:
        """As an array of whole numbers, if all of them are such as a count can reach."""
        numbers = self.table
        in_reach = np.all((np.abs(numbers) <= reach()) & (np.round(numbers) == numbers))
        return take(numbers.astype(np.int64), self.index) if in_reach else self

    def __neg__(self) -> "Chosen":
        return Chosen(-self.table, self.index)


def chosen(leaf: Any, index: jax.Array) -> Any:
    """The row of a leaf: a known number where it is one of the host, else an array."""
    if not isinstance(leaf, np.ndarray) or leaf.ndim != 1:
        return take(leaf, index)
    if np.all(leaf == leaf[0]):
        return leaf[0].item()
    return Chosen(leaf, index) if leaf.dtype.kind in "if" else take(leaf, index)


def whole(value: Any) -> Any:
    """A known number that is whole and that a count can reach as an int, for step arithmetic."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= reach():
        return int(value)
    if isinstance(value, Chosen):
        return value.whole()
    return value


def within_reach(value: Any) -> bool:
    """Whether a number is known, for all members of a stack, and no further off than a count."""
    numbers = value.table if isinstance(value, Chosen) else value
    known = isinstance(numbers, (int, float, np.ndarray))
    return known and bool(np.all(np.abs(numbers) <= reach()))


def from_known(function: Callable[..., Any], *numbers: Any) -> Any:
    """What a function on the host makes of known numbers, for each member; None of others.

    It is a known number again, or a tuple of them where the function returns one.
    """
    index = next((x.index for x in numbers if isinstance(x, Chosen)), None)
    if index is None:
        known = all(isinstance(x, (int, float)) for x in numbers)
        return function(*numbers) if known else None
    if not all(_is_number_at(x, index) for x in numbers):
        return None
    size = next(len(x.table) for x in numbers if isinstance(x, Chosen))
    columns = [x.table.tolist() if isinstance(x, Chosen) else [x] * size for x in numbers]
    made = [function(*row) for row in zip(*columns, strict=True)]
    if isinstance(made[0], tuple):
        return tuple(Chosen(np.array(column), index) for column in zip(*made, strict=True))
    return Chosen(np.array(made), index)


def _is_number_at(value: Any, index: jax.Array) -> bool:
    return value.index is index if isinstance(value, Chosen) else isinstance(value, (int, float))


def _arithmetic(name: str, *, turned: bool) -> Callable[[Any, Any], Any]:
    compute = getattr(operator, name)

    def method(one: Any, other: Any) -> Any:
        pair = (other, one) if turned else (one, other)
        index = one.index
        if _is_number_at(other, index):
            return Chosen(_in_float64(compute, *map(_table, pair)), index)
        return compute(*map(jnp.asarray, pair))

    return method


def _comparison(name: str) -> Callable[[Any, Any], Any]:
    compare = getattr(operator, name)
    return lambda one, other: compare(jnp.asarray(one), jnp.asarray(other))


def _table(value: Any) -> np.ndarray:
    return value.table if isinstance(value, Chosen) else np.asarray(value)


def _in_float64(compute: Callable[..., Any], a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The results, whole ones of whole numbers as such."""
    with np.errstate(all="ignore"):
        made = compute(a.astype(float), b.astype(float))
    whole = compute is not operator.truediv and a.dtype.kind == b.dtype.kind == "i"
    return made.astype(np.int64) if whole and np.all(np.abs(made) <= 2.0**53) else made


for _name in ("add", "sub", "mul", "truediv", "pow"):
    setattr(Chosen, f"__{_name}__", _arithmetic(_name, turned=False))
    setattr(Chosen, f"__r{_name}__", _arithmetic(_name, turned=True))
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(Chosen, f"__{_name}__", _comparison(_name))
