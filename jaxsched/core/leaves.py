"""What a schedule may hold besides plain numbers, and how it is compared and printed."""

from typing import Any

import jax
import numpy as np


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


def whole(value: Any) -> Any:
    """A Python float that is a whole number as an int, for integer step arithmetic."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def identity(tree: Any) -> tuple[Any, ...]:
    """A hashable stand-in: host values by type and value, device arrays by identity."""
    leaves, structure = jax.tree_util.tree_flatten(tree)
    return structure, *map(_identity_of_leaf, leaves)


def _identity_of_leaf(leaf: Any) -> tuple[Any, ...]:
    if isinstance(leaf, (np.ndarray, np.generic)):
        return type(leaf), leaf.dtype, leaf.shape, leaf.tobytes()
    if isinstance(leaf, (bool, int, float)):
        return type(leaf), repr(leaf)
    return type(leaf), id(leaf)


def show(value: Any) -> str:
    """A host table as the list it came from, a wrapped function as itself, the rest as is."""
    if isinstance(value, np.ndarray) and value.ndim:
        return repr(value.tolist())
    if isinstance(value, jax.tree_util.Partial):
        return repr(value.func)
    return repr(value)
