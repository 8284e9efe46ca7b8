"""One program for what is called outside of any program."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import jax
from jax.core import Tracer

Function = TypeVar("Function", bound=Callable[..., Any])


def as_one_program(function: Function) -> Function:
    """A function of something hashable and of arrays that is compiled where nothing is traced.

    Inside of a program it becomes a part of it. Outside it runs as one, its first argument a
    constant: the same bits as inside, and one dispatch for all of it.
    """
    compiled = jax.jit(function, static_argnums=0)

    @functools.wraps(function)
    def call(bound: Any, *args: Any) -> Any:
        traced = any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves((bound, args)))
        return (function if traced else compiled)(bound, *args)

    return call  # pyright: ignore[reportReturnType]
