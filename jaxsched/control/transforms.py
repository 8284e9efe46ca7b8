"""Gradient transformations that apply a rate, and keep the rate they applied in their state."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxsched.core.schedule import operand

RateLike = Callable[[Any], Any] | float | jax.Array
"""A number, a schedule, or a plain function of the step count."""


class ScaleByLearningRateState(NamedTuple):
    """The state of `scale_by_learning_rate` and `scale_by_schedule`, whatever the rate is.

    Attributes:
      count: the number of updates so far; int32, held at 2^31-1.
      learning_rate: the rate that the last update applied; before the first, the rate to
        come. float32 (float64 under `jax_enable_x64`) whatever the parameters are.
    """

    count: jax.Array  # pyright: ignore[reportIncompatibleMethodOverride]
    learning_rate: jax.Array


def scale_by_learning_rate(
    learning_rate: RateLike | None = None, *, flip_sign: bool = True
) -> optax.GradientTransformation:
    """Multiplies updates by minus a learning rate.

    The product is taken in float32 and then cast to the dtype of the update, so that a
    rate is as exact for bfloat16 parameters as for any other.

    Args:
      learning_rate: a number, a schedule, or a function of the step count. None means no
        scaling, and no state, as in Optax.
      flip_sign: whether to multiply by minus the rate, so that updates descend.

    Returns:
      A transformation whose state is the same for a constant and for a schedule.

    Example:
      >>> import jax.numpy as jnp, optax, jaxsched
      >>> rate = jaxsched.linear_schedule(1.0, 0.0, 4)
      >>> optimizer = optax.chain(
      ...     optax.scale_by_adam(), jaxsched.scale_by_learning_rate(rate)
      ... )
      >>> params = jnp.ones(2)
      >>> state = optimizer.init(params)
      >>> updates, state = optimizer.update(jnp.ones(2), state, params)
      >>> updates, state = optimizer.update(jnp.ones(2), state, params)
      >>> print(jaxsched.learning_rate(state))
      0.75
    """
    if learning_rate is None:
        return optax.identity()
    return _scale(operand("learning_rate", learning_rate), -1 if flip_sign else 1)


def scale_by_schedule(step_size_fn: RateLike) -> optax.GradientTransformation:
    """Multiplies updates by a schedule, with its sign.

    `scale_by_learning_rate` without the minus; the state is the same.

    Args:
      step_size_fn: a schedule, a number, or a function of the step count.

    Example:
      >>> import jax.numpy as jnp, jaxsched
      >>> optimizer = jaxsched.scale_by_schedule(jaxsched.linear_schedule(1.0, 0.0, 4))
      >>> updates, state = optimizer.update(jnp.ones(2), optimizer.init(jnp.ones(2)))
      >>> print(updates, state.count)
      [1. 1.] 1
    """
    return _scale(operand("step_size_fn", step_size_fn), 1)


def _scale(rate: Any, sign: int) -> optax.GradientTransformation:
    def value(count: jax.Array) -> jax.Array:
        return jax.lax.convert_element_type(rate_at(rate, count), jnp.result_type(float))

    def init(params: optax.Params) -> ScaleByLearningRateState:
        del params
        count = jnp.zeros((), jnp.int32)
        # A copy: donating the state must not delete an array the caller holds.
        return ScaleByLearningRateState(count, jnp.array(value(count)))

    def update(
        updates: optax.Updates, state: Any, params: Any = None
    ) -> tuple[optax.Updates, ScaleByLearningRateState]:
        del params
        applied = value(state.count)
        factor = sign * applied
        count = optax.safe_increment(state.count)
        updates = jax.tree.map(lambda update: (factor * update).astype(update.dtype), updates)
        return updates, ScaleByLearningRateState(jnp.asarray(count), applied)

    return optax.GradientTransformation(init, update)


def rate_at(rate: Any, count: jax.Array) -> Any:
    """The rate at a count of any shape: a call of what can be called, or the number itself."""
    return rate(count) if callable(rate) else rate
