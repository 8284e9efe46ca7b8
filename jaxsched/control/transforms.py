"""Gradient transformations that apply a rate, and keep the rate they applied in their state."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxsched.control.applying import RateLike, driver, scaled
from jaxsched.control.inbox import require
from jaxsched.control.packing import once

class ScaleByLearningRateState(NamedTuple):
    """The state of `scale_by_learning_rate` and `scale_by_schedule`, whatever the rate is.

    Attributes:
      count: the number of updates so far; int32, held at 2^31-1.
      learning_rate: the rate that the last update applied; before the first, the rate to
        come. float32 (float64 under `jax_enable_x64`) whatever the parameters are.
      controller: the state of a controller; empty for numbers and schedules.
    """

    count: jax.Array  # pyright: ignore[reportIncompatibleMethodOverride]
    learning_rate: jax.Array
    controller: Any = ()


def scale_by_learning_rate(
    learning_rate: RateLike | None = None,
    *,
    flip_sign: bool = True,
    require_value: bool = False,
) -> optax.GradientTransformationExtraArgs:
    """Multiplies updates by minus a learning rate.

    The product is taken in float32 and then cast to the dtype of the update, so that a
    rate is as exact for bfloat16 parameters as for any other.

    Args:
      learning_rate: a number, a schedule, a function of the step count, or a controller (any
        stateful schedule of Optax). None means no scaling, and no state, as in Optax.
      flip_sign: whether to multiply by minus the rate, so that updates descend.
      require_value: whether an update without the metric that a controller listens to is
        a `TypeError`. If not, it is an update without an observation.

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
        return optax.with_extra_args_support(optax.identity())
    return _scale("learning_rate", learning_rate, -1 if flip_sign else 1, require_value)


def scale_by_schedule(
    step_size_fn: RateLike, *, require_value: bool = False
) -> optax.GradientTransformationExtraArgs:
    """Multiplies updates by a schedule, with its sign.

    `scale_by_learning_rate` without the minus; the state is the same.

    Args:
      step_size_fn: a schedule, a number, a function of the step count, or a controller.
      require_value: as for `scale_by_learning_rate`.

    Example:
      >>> import jax.numpy as jnp, jaxsched
      >>> optimizer = jaxsched.scale_by_schedule(jaxsched.linear_schedule(1.0, 0.0, 4))
      >>> updates, state = optimizer.update(jnp.ones(2), optimizer.init(jnp.ones(2)))
      >>> print(updates, state.count)
      [1. 1.] 1
    """
    return _scale("step_size_fn", step_size_fn, 1, require_value)


def _scale(
    name: str, rate: Any, sign: int, require_value: bool
) -> optax.GradientTransformationExtraArgs:
    start, advance = driver(name, rate)

    def init(params: optax.Params) -> ScaleByLearningRateState:
        del params
        count, controller = jnp.zeros((), jnp.int32), start()
        # A copy: donating the state must not delete an array the caller holds.
        value = jnp.array(advance(count, controller, {})[0])
        return ScaleByLearningRateState(count, value, controller)

    def update(
        updates: optax.Updates, state: Any, params: Any = None, **extra_args: Any
    ) -> tuple[optax.Updates, ScaleByLearningRateState]:
        del params
        if require_value:
            require(state, extra_args)
        applied, controller = advance(state.count, state.controller, extra_args)
        count = jnp.asarray(optax.safe_increment(state.count))
        # Divided by what depends on the new count, so that on a GPU one kernel makes both.
        applied = once(applied, count)
        return scaled(updates, sign * applied), ScaleByLearningRateState(count, applied, controller)

    return optax.GradientTransformationExtraArgs(init, update)
