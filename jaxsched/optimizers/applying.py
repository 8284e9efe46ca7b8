"""What a rate may be, how it goes on from update to update, and how updates are scaled by it."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from jaxsched.control.controllers.controller import Controller
from jaxsched.control.monitors.monitor import Monitor
from jaxsched.core import checks
from jaxsched.core.returned import one_number
from jaxsched.core.schedule import operand

RateLike = Callable[..., Any] | float | jax.Array
"""A number, a schedule, a plain function of the step count, or a controller."""

Driver = tuple[Callable[[], Any], Callable[..., tuple[jax.Array, Any]]]
"""`start() -> state` and `advance(count, state, extra_args) -> (rate, state)`."""


def driver(name: str, rate: Any) -> Driver:
    """How a rate goes on: a controller by its own state, anything else by the count."""
    return _controlled(rate) if is_stateful(name, rate) else _counted(operand(name, rate))


def is_stateful(name: str, rate: Any) -> bool:
    """Whether a rate is a controller, or any other stateful schedule in the sense of Optax."""
    if isinstance(rate, Monitor):
        checks.refuse(
            name, rate, "a rate; a monitor only says when to change one: see `reduce_on`", TypeError
        )
    return callable(rate) and hasattr(rate, "init") and hasattr(rate, "update")


def _counted(rate: Any) -> Driver:
    return tuple, lambda count, _, __: (as_float(one_number(rate, rate_at(rate, count))), ())


def _controlled(rate: Any) -> Driver:
    def advance(_: jax.Array, state: Any, extra_args: dict[str, Any]) -> tuple[jax.Array, Any]:
        if isinstance(rate, Controller):
            return rate.advance(state, **extra_args)
        return as_float(rate(state, **extra_args)), rate.update(state, **extra_args)

    return rate.init, advance


def an_optimizer(name: str, value: Any) -> optax.GradientTransformationExtraArgs:
    """An optimizer, which may be given metrics."""
    if not (hasattr(value, "init") and hasattr(value, "update")):
        checks.refuse(name, value, "an optimizer, such as `optax.sgd(0.1)`", TypeError)
    return optax.with_extra_args_support(value)


def as_float(rate: Any) -> jax.Array:
    """A rate in float32, or float64 under `jax_enable_x64`."""
    return jax.lax.convert_element_type(rate, jnp.result_type(float))


def rate_at(rate: Any, count: jax.Array) -> Any:
    """The rate at a count of any shape: a call of what can be called, or the number itself."""
    return rate(count) if callable(rate) else rate


def scaled(updates: optax.Updates, factor: jax.Array) -> optax.Updates:
    """The updates times a factor, each product rounded once to the dtype of the update."""
    return jax.tree.map(lambda update: product(factor, update), updates)


def product(factor: jax.Array, update: Any) -> jax.Array:
    """A factor times an update, in the dtype of the update."""
    return (factor * update).astype(update.dtype)
