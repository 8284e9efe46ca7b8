"""What a function of the count must return: one real number."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxsched.core import checks


def one_number(function: Callable[..., Any], value: Any) -> Any:
    """What a function returned for one count, or an error that names the function.

    Raises:
      TypeError: for a complex number, text, None or the like.
      ValueError: for an array with axes.
    """
    function = function.func if isinstance(function, jax.tree_util.Partial) else function
    name = getattr(function, "__name__", None) or checks.quoted(function)
    numeric = isinstance(value, (int, float)) or hasattr(value, "dtype")
    dtype = jnp.result_type(value) if numeric else None
    if dtype is None or not (checks.is_real(dtype) or dtype.kind == "b"):
        raise TypeError(f"`{name}` must return a real number, got {checks.quoted(value)}.")
    if shape := jnp.shape(value):
        raise ValueError(
            f"`{name}` must return one number, got an array of shape {shape}. A population of"
            " schedules is to be mapped over by `jax.vmap`."
        )
    return value
