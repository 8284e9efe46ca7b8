"""What a schedule may hold besides plain numbers, and how it is compared and printed."""

from typing import Any

import jax
import numpy as np

from jaxsched.core.traced import is_traced


class Text(str):
    """A string hyperparameter: a pytree without leaves, so it is static under `jit`."""

    __slots__ = ()


class Whole(int):
    """An integer hyperparameter that is static under `jit`: the length of a table."""

    __slots__ = ()


jax.tree_util.register_pytree_node(
    Whole, lambda whole: ((), int(whole)), lambda number, _: Whole(number)
)
jax.tree_util.register_pytree_node(Text, lambda text: ((), str(text)), lambda text, _: Text(text))


def plain(value: Any) -> Any:
    """A host scalar as a Python number that cannot wrap: beyond int32, as a float."""
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        value = value.item()
    return float(value) if isinstance(value, int) and abs(value) >= 2**31 else value


def held(value: Any) -> Any:
    """A leaf as it is kept: a scalar of NumPy as the Python number that it is.

    A whole number that int32 does not hold is a float: as an argument of a program it would raise,
    or wrap.
    """
    return value if isinstance(value, bool) else plain(value)


def identity(tree: Any) -> tuple[Any, ...]:
    """A hashable stand-in: numbers and tables by value; what is traced, by itself."""
    leaves, structure = jax.tree_util.tree_flatten(tree)
    return structure, *map(_identity_of_leaf, leaves)


def _identity_of_leaf(leaf: Any) -> tuple[Any, ...]:
    value = known(leaf)
    if isinstance(value, np.ndarray):
        wide = value.astype(np.int64 if value.dtype.kind in "biu" else np.float64)
        return value.shape, wide.dtype, wide.tobytes()
    if isinstance(value, (bool, int, float)):
        return type(value), repr(value)
    return type(leaf), id(leaf)


def known(leaf: Any) -> Any:
    """An array that can be read as one of the host, a scalar as a number; the rest as is."""
    if isinstance(leaf, jax.Array):
        if is_traced(leaf) or leaf.is_deleted() or not leaf.is_fully_addressable:
            return leaf
        leaf = np.asarray(leaf)
    return leaf.item() if isinstance(leaf, (np.ndarray, np.generic)) and leaf.ndim == 0 else leaf


def show(value: Any) -> str:
    """A table as the list it came from, a scalar as its number, a wrapped function as itself."""
    value = known(value)
    if isinstance(value, np.ndarray) and value.ndim:
        return repr(value.tolist())
    if isinstance(value, jax.tree_util.Partial):
        return repr(value.func)
    return repr(value)
