"""Our own arithmetic under JAX's usual rules, whatever the program around it has asked for."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import jax

Function = TypeVar("Function", bound=Callable[..., Any])


def lenient(function: Function) -> Function:
    """A function that adds int32 to float32, and scalars to vectors, in strict modes too.

    `jax_numpy_dtype_promotion="strict"` and `jax_numpy_rank_promotion="raise"` are for finding
    mistakes in a program; here it is known what a count and a rate become together.
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
            return function(*args, **kwargs)

    return cast(Function, call)
