"""The one-liners: what to do when a metric has stopped improving, as Optax transformations."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxsched.control import options
from jaxsched.control.applying import scaled
from jaxsched.control.controller import memory_of
from jaxsched.control.controllers import advance_on, reduce_on, restart_on
from jaxsched.control.inbox import require
from jaxsched.control.monitors.best import plateau
from jaxsched.control.packing import together
from jaxsched.control.state import ControllerState
from jaxsched.control.transforms import scale_by_learning_rate
from jaxsched.core import checks
from jaxsched.core.types import ScheduleFn
from jaxsched.schedules.decay import linear_schedule


class ReduceLROnPlateauState(NamedTuple):
    """The state of `reduce_on_plateau`: Optax's fields to read, then what they are read from.

    Attributes:
      scale: what the last update multiplied by; 1 before the first.
      best_value: the best value so far, infinite before the first.
      plateau_count: values without improvement in a row.
      cooldown_count: values still to be left out.
      count: values accumulated so far.
      avg_value: their mean.
      controller: the state that the next update goes on from.
    """

    scale: jax.Array
    best_value: jax.Array
    plateau_count: jax.Array
    cooldown_count: jax.Array
    count: jax.Array  # pyright: ignore[reportIncompatibleMethodOverride]
    avg_value: jax.Array
    controller: Any = ()


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
    checks.in_order("rtol", checks.number("rtol", rtol), "the whole value", 1)
    window = options.window("accumulation_size", accumulation_size)
    rule = plateau(patience, rtol, atol, mode, window, cooldown)
    floor = checks.fraction("min_scale", min_scale)
    rate = reduce_on(rule, 1.0, factor, floor, metric=metric, axis_name=axis_name)

    def init(params: optax.Params) -> ReduceLROnPlateauState:
        del params
        return _shown(rate, jnp.ones(()), rate.init())

    def update(
        updates: optax.Updates, state: Any, params: Any = None, **extra_args: Any
    ) -> tuple[optax.Updates, ReduceLROnPlateauState]:
        del params
        if require_value:
            require(state, extra_args)
        scale, after = rate.advance(state.controller, **extra_args)
        return scaled(updates, scale), _shown(rate, scale, after)

    return optax.GradientTransformationExtraArgs(init, update)


def _shown(rate: Any, scale: jax.Array, state: ControllerState) -> ReduceLROnPlateauState:
    monitor = memory_of(rate, state).monitors["monitor"]
    shown = together(monitor[:5], state.counts[0])
    return ReduceLROnPlateauState(scale, *shown, controller=state)


def restart_on_plateau(
    schedule: ScheduleFn | float,
    *,
    patience: int | jax.Array = 10,
    rtol: float | jax.Array = 1e-4,
    atol: float | jax.Array = 0.0,
    mode: str = "min",
    window: int | jax.Array = 1,
    cooldown: int | jax.Array = 0,
    peak_mult: float | jax.Array = 1.0,
    period_mult: float | jax.Array = 1,
    max_restarts: int | jax.Array | None = None,
    metric: str = "value",
    axis_name: str | tuple[str, ...] | None = None,
    require_value: bool = False,
) -> optax.GradientTransformationExtraArgs:
    """A learning rate whose schedule starts again each time a metric has stopped improving.

    In place of a learning rate: it multiplies updates by minus the rate.

        optax.chain(optax.scale_by_adam(), jaxsched.restart_on_plateau(schedule, patience=5))

    After a restart the best value is forgotten, as a higher rate makes the metric worse for a
    while; if the schedule warms up, a `cooldown` as long leaves out the losses of the warm-up. It
    is `scale_by_learning_rate(restart_on(plateau(..., reset_best=True), schedule))`.

    Args:
      schedule: a schedule or a number, which has nothing to restart but keeps the record.
      patience: as for `plateau`, like `rtol`, `atol`, `mode`, `window` and `cooldown`.
      rtol: see `plateau`.
      atol: see `plateau`.
      mode: see `plateau`.
      window: see `plateau`.
      cooldown: see `plateau`.
      peak_mult: the rates of each run over those of the one before.
      period_mult: the length of each run over that of the one before.
      max_restarts: how often it restarts at most; None for no limit.
      metric: the name of the metric.
      axis_name: the mapped axes of `pmap` or `shard_map` over which metrics are averaged.
      require_value: whether an update without the metric is a `TypeError`.

    Example:
      >>> import jax.numpy as jnp, jaxsched
      >>> line = jaxsched.linear_schedule(1.0, 0.0, 4)
      >>> optimizer = jaxsched.restart_on_plateau(line, patience=2)
      >>> state = optimizer.init(jnp.ones(2))
      >>> for loss in (2.0, 1.0, 1.0, 1.0):
      ...     updates, state = optimizer.update(jnp.ones(2), state, value=loss)
      ...     print(jaxsched.learning_rate(state), end=" ")
      1.0 0.75 0.5 1.0
    """
    rule = plateau(patience, rtol, atol, mode, window, cooldown, reset_best=True)
    rate = restart_on(
        rule, schedule, peak_mult, period_mult, max_restarts, metric, axis_name=axis_name
    )
    return scale_by_learning_rate(rate, require_value=require_value)


def cooldown_on_plateau(
    schedule: ScheduleFn | float,
    cooldown_steps: float | jax.Array,
    *,
    end_scale: float | jax.Array = 0.0,
    patience: int | jax.Array = 10,
    rtol: float | jax.Array = 1e-4,
    atol: float | jax.Array = 0.0,
    mode: str = "min",
    window: int | jax.Array = 1,
    metric: str = "value",
    axis_name: str | tuple[str, ...] | None = None,
    require_value: bool = False,
) -> optax.GradientTransformationExtraArgs:
    """A learning rate that goes down to its end once a metric has stopped improving.

    A schedule, usually a warm-up to a constant, until then; from there on a straight line
    from the value then in force. In place of a learning rate: it multiplies updates by
    minus the rate.

        optax.chain(optax.scale_by_adam(), jaxsched.cooldown_on_plateau(schedule, 1000))

    It is `scale_by_learning_rate(advance_on(plateau(...), [schedule, linear_schedule(1.0,
    end_scale, cooldown_steps)]))`; for another shape of cooldown, use that.

    Args:
      schedule: a schedule or a number.
      cooldown_steps: the length of the cooldown.
      end_scale: where it ends, as a fraction of the value in force when it began.
      patience: as for `plateau`, like `rtol`, `atol`, `mode` and `window`.
      rtol: see `plateau`.
      atol: see `plateau`.
      mode: see `plateau`.
      window: see `plateau`.
      metric: the name of the metric.
      axis_name: the mapped axes of `pmap` or `shard_map` over which metrics are averaged.
      require_value: whether an update without the metric is a `TypeError`.

    Example:
      >>> import jax.numpy as jnp, jaxsched
      >>> optimizer = jaxsched.cooldown_on_plateau(0.8, cooldown_steps=4, patience=2)
      >>> state = optimizer.init(jnp.ones(2))
      >>> for loss in (2.0, 1.0, 1.0, 1.0, 1.0):
      ...     updates, state = optimizer.update(jnp.ones(2), state, value=loss)
      ...     print(f"{jaxsched.learning_rate(state):.1f}", end=" ")
      0.8 0.8 0.8 0.8 0.6
    """
    rule = plateau(patience, rtol, atol, mode, window)
    end = checks.fraction("end_scale", end_scale)
    down = linear_schedule(1.0, end, checks.steps("cooldown_steps", cooldown_steps))
    rate = advance_on(rule, [schedule, down], metric, axis_name)
    return scale_by_learning_rate(rate, require_value=require_value)
