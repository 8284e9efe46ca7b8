"""Calls outside of any program: op by op at first sight, as one program when they come again."""

import functools
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar, cast

import jax
import numpy as np

from jaxsched.core.lenient import lenient
from jaxsched.core.traced import is_traced

Function = TypeVar("Function", bound=Callable[..., Any])

KEPT = 64
"""The programs and forms that are kept of each function, those called last. A program takes a
megabyte or two."""


def as_one_program(function: Function) -> Function:
    """A function of something bound and of arrays that is compiled where it pays.

    Inside of a program it becomes a part of it. Outside, a first call goes op by op, which
    takes milliseconds where to compile takes a tenth of a second; of each form one is traced
    before, so that what cannot be compiled raises at once. From the second call on, with
    arrays of the same shapes, it is one program with what is bound as constants: the same bits
    as inside, and one dispatch for all of it.
    """
    function = lenient(function)
    latest: OrderedDict[Any, Callable[..., Any]] = OrderedDict()
    forms: OrderedDict[Any, None] = OrderedDict()

    @functools.wraps(function)
    def call(bound: Any, *args: Any) -> Any:
        arrays = jax.tree.leaves(args)
        if bound.key().traced or any(map(is_traced, arrays)):
            return function(bound, *args)
        kinds = tuple(map(_kind, arrays))
        program = latest.pop((bound, kinds), None)
        # What was seen once is kept as it is, and compiled when it is seen again.
        run = _compiled(program) if program else functools.partial(function, bound)
        if not program:
            _trace_once(forms, (jax.tree.structure(bound), kinds), run, args)
        _keep(latest, (bound, kinds), run)
        return run(*args)

    return cast(Function, call)


def _trace_once(forms: OrderedDict[Any, Any], form: Any, run: Any, args: Any) -> None:
    if form not in forms:
        jax.eval_shape(run, *args)
    _keep(forms, form, None)


def _keep(kept: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > KEPT:
        kept.popitem(last=False)


def _compiled(program: Any) -> Callable[..., Any]:
    return jax.jit(program) if isinstance(program, functools.partial) else program


def _kind(array: np.ndarray | jax.Array) -> tuple[Any, ...]:
    return array.shape, array.dtype
