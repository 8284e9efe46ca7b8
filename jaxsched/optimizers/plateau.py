"""Scaling updates down when a metric has stopped improving, as a transformation of Optax."""

from typing import Any

import jax
import optax

from jaxsched.control import options
from jaxsched.control.controllers.inbox import require
from jaxsched.control.controllers.reduce import reduce_on
from jaxsched.control.monitors.plateau import plateau
from jaxsched.core import checks
from jaxsched.core.lenient import lenient
from jaxsched.optimizers.applying import scaled
from jaxsched.optimizers.plateau_state import ReduceLROnPlateauState, adopted, begun


def reduce_on_plateau(
    factor: float | jax.Array = 0.1,
    patience: int | jax.Array = 10,
    rtol: float | jax.Array = 1e-4,
    atol: float | jax.Array = 0.0,
    cooldown: int | jax.Array = 0,
    accumulation_size: int | jax.Array = 1,
    min_scale: float | jax.Array = 0.0,
    *,
    mode: str = "min",
    metric: str = "value",
    axis_name: str | tuple[str, ...] | None = None,
    require_value: bool = False,
) -> optax.GradientTransformationExtraArgs:
    """Scales updates down by a factor each time a metric has stopped improving.

    In place of `optax.contrib.reduce_on_plateau`, behind any optimizer:

        optax.chain(optax.adam(1e-3), jaxsched.reduce_on_plateau(patience=5))

    It differs from Optax where Optax goes wrong: its state is float32 for parameters of any
    dtype, the margin has the right sign for negative metrics, a patience of 0 fires at
    values that do not improve, a value that is not finite is never the best, an update without
    a value is no observation, and the program has no conditional.

    Args:
      factor: what the scale is multiplied by; between 0 and 1.
      patience: values without improvement in a row until the scale is reduced.
      rtol: the relative margin of an improvement, at most 1.
      atol: the absolute margin of an improvement.
      cooldown: values left out after a reduction.
      accumulation_size: values averaged to one.
      min_scale: the floor of the scale.
      mode: "min" if the metric is to fall, "max" if it is to rise.
      metric: the name of the metric.
      axis_name: the mapped axes of `pmap` or `shard_map` over which metrics are averaged.
      require_value: whether an update without the metric is a `TypeError`, as in Optax.

    Returns:
      A transformation with a `ReduceLROnPlateauState`.

    Example:
      >>> import jax.numpy as jnp, jaxsched
      >>> optimizer = jaxsched.reduce_on_plateau(factor=0.5, patience=2)
      >>> state = optimizer.init(jnp.ones(2))
      >>> for loss in (2.0, 1.0, 1.0, 1.0):
      ...     updates, state = optimizer.update(jnp.ones(2), state, value=loss)
      >>> print(updates, state.scale)
      [0.5 0.5] 0.5
    """
    if checks.known(rtol) == 0 and checks.known(atol) == 0:
        raise ValueError("`rtol` or `atol` must be positive, got 0 for both.")
    require_value = checks.switch("require_value", require_value)
    checks.in_order("rtol", checks.number("rtol", rtol), "the whole value", 1)
    window = options.window("accumulation_size", accumulation_size)
    rule = plateau(patience, rtol, atol, mode, window, cooldown)
    floor = checks.fraction("min_scale", min_scale)
    rate = reduce_on(rule, 1.0, factor, floor, metric=metric, axis_name=axis_name)

    def init(params: optax.Params) -> ReduceLROnPlateauState:
        del params
        return begun(rate)

    def update(
        updates: optax.Updates, state: Any, params: Any = None, **extra_args: Any
    ) -> tuple[optax.Updates, ReduceLROnPlateauState]:
        del params
        if require_value:
            require(state, extra_args)
        scale, after = rate.advance(adopted(rate, state), **extra_args)
        return scaled(updates, scale), ReduceLROnPlateauState(after)

    return optax.GradientTransformationExtraArgs(lenient(init), lenient(update))
