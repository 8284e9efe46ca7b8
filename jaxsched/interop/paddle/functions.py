"""The schedulers of Paddle that call a function."""

from collections.abc import Callable
from itertools import accumulate
from operator import mul
from typing import Any

import jax
import jax.numpy as jnp

from jaxsched.core import checks
from jaxsched.core.schedule import Schedule, multiply
from jaxsched.interop.paddle.base import base_rate
from jaxsched.interop.shared.reading import (
    NoNativeForm,
    one_of,
    read,
    some_whole_steps,
)
from jaxsched.schedules.cyclic import cyclic_schedule
from jaxsched.schedules.table import table_schedule


def _cyclic(scheduler: Any, horizon: int | None) -> Schedule:
    low, high = base_rate(scheduler), read(scheduler, "max_lr", checks.number)
    size = read(scheduler, "cycle_size", some_whole_steps)
    up = round(size * read(scheduler, "step_up_pct", checks.fraction))
    mode, scale = read(scheduler, "mode"), read(scheduler, "scale_fn")
    if scale.__name__ not in _SCALES:
        if horizon is None:
            raise NoNativeForm(f"There is no formula for `{type(scheduler).__name__}.scale_fn`")
        by_cycle = read(scheduler, "scale_mode", one_of("cycle", "iterations")) == "cycle"
        triangle = [min(t % size / up, (size - t % size) / (size - up)) for t in range(horizon + 1)]
        scales = (scale(1 + t // size if by_cycle else t) for t in range(horizon + 1))
        heights = zip(triangle, scales, strict=True)
        return table_schedule([low + (high - low) * a * float(b) for a, b in heights])
    mode = one_of("triangular", "triangular2", "exp_range")("mode", mode)
    halves = 0.5 if mode == "triangular2" else 1.0
    rate = read(scheduler, "gamma", checks.positive) if mode == "exp_range" else 1.0
    return cyclic_schedule(low, high, up, int(size) - up, peak_mult=halves, decay_rate=rate)


_SCALES = ("_triangular_scale_fn", "_triangular2_scale_fn", "_exp_range_scale_fn")


def _lambda(scheduler: Any, horizon: int | None) -> Schedule:
    base, function = base_rate(scheduler), read(scheduler, "lr_lambda")
    if horizon is not None:
        return table_schedule([base * float(function(step)) for step in range(horizon + 1)])
    missing = NoNativeForm(f"There is no formula for `{type(scheduler).__name__}.lr_lambda`")
    try:
        shape = jax.eval_shape(lambda count: jnp.asarray(function(count)), jnp.int32(0)).shape
    except Exception as error:
        raise missing from error
    if shape != ():
        checks.refuse(f"{type(scheduler).__name__}.lr_lambda", function, "of scalar values")
    return multiply(base, function)


def _multiplicative(scheduler: Any, horizon: int | None) -> Schedule:
    base, function = base_rate(scheduler), read(scheduler, "lr_lambda")
    if horizon is None:
        raise NoNativeForm(f"There is no formula for `{type(scheduler).__name__}.lr_lambda`")
    factors = (float(function(step)) for step in range(1, horizon + 1))
    return table_schedule(list(accumulate(factors, mul, initial=base)))


FUNCTIONS: dict[str, Callable[[Any, int | None], Schedule]] = {
    "LambdaDecay": _lambda,
    "MultiplicativeDecay": _multiplicative,
    "CyclicLR": _cyclic,
}
