"""A rate that goes up while a metric improves and down while it does not: GreedyLR."""

from typing import Annotated, Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxsched.control.controllers.controller import Rate, controller
from jaxsched.control.controllers.phase import Phase
from jaxsched.control.monitors.arithmetic import improves, never
from jaxsched.control.monitors.monitor import read_any_monitor, ticking
from jaxsched.control.options import Axis, Factor, Metric, Mode, Observations, Window
from jaxsched.control.options import window as whole_window
from jaxsched.core import checks
from jaxsched.core.arithmetic.powers import exponential
from jaxsched.core.leaves import Whole
from jaxsched.core.reach import whole_dtype
from jaxsched.core.schedule import at
from jaxsched.core.types import Fraction, NonNegative

_CLOSE = 4e-7
"""A scale so near to a bound, relative to it, is at the bound."""


class Level(NamedTuple):
    """A scale as a power, so that it does not drift: `base * factor ** lowered`.

    Attributes:
      base: 0 for 1, 1 for the lower bound, 2 for the upper one.
      lowered: how often it was lowered, less how often raised, since it was there.
    """

    base: jax.Array
    lowered: jax.Array


class GreedyState(NamedTuple):
    """The state of `greedy`.

    Attributes:
      best_value: the best mean so far, infinite before the first.
      streak: improvements in a row, or minus the others in a row.
      idle_count: observations still to be left out.
      floor_count: how often the scale was to be lowered at its floor since it was raised.
      level: the scale.
      count: the observations in the mean.
      recent: those of them before the next one, the latest first; 0 where there is none.
    """

    best_value: jax.Array
    streak: jax.Array
    idle_count: jax.Array
    floor_count: jax.Array
    level: Level
    count: jax.Array
    recent: tuple[jax.Array, ...]


def _static_window(name: str, value: Any) -> Whole:
    """A whole number that is part of the program: so many observations are kept."""
    if checks.known(whole_window(name, value)) is None:
        checks.refuse(name, value, "known when the monitor is made", TypeError)
    return Whole(value)


def _start(mode: str, window: int, **_: object) -> GreedyState:
    zero = jnp.zeros((), whole_dtype())
    return GreedyState(
        best_value=jnp.asarray(never(mode)),
        streak=zero,
        idle_count=zero,
        floor_count=zero,
        level=Level(zero, zero),
        count=zero,
        recent=(jnp.zeros(()),) * (window - 1),
    )


def _floor_below_ceiling(hyperparams: dict[str, Any]) -> None:
    low, high = hyperparams["min_scale"], hyperparams["max_scale"]
    checks.in_order("min_scale", low, "max_scale", high)


@ticking(start=_start, check=_floor_below_ceiling)
def greedy(
    state: GreedyState,
    value: jax.Array,
    observed: jax.Array,
    patience: Window = 10,
    factor: Factor = 0.95,
    min_scale: NonNegative = 0.01,
    max_scale: NonNegative = 10.0,
    rtol: Fraction = 0.0,
    atol: NonNegative = 1e-6,
    mode: Mode = "min",
    window: Annotated[int, _static_window] = 1,
    cooldown: Observations = 0,
    raise_cooldown: Observations = 0,
    reset_after: Window | None = None,
    min_change: NonNegative = 0.0,
):
    """A scale that goes up while a metric improves, and down while it does not.

        scale <- min(scale / factor, max_scale)   at `patience` improvements in a row
        scale <- max(scale factor, min_scale)     at as many observations without one

    from a scale of 1. It is for `follow`, and answers with the scale where other monitors
    answer whether they fire. An observation improves as in `plateau`, the mean of the last
    `window` ones taking its place. After each change the row begins anew.

    Args:
      patience: observations in a row until the scale changes. Transformers changes it one later:
        its patience of 10 is 11 here.
      factor: between 0 and 1.
      min_scale: the floor. A scale that begins below it is only raised.
      max_scale: the ceiling, at least the floor.
      rtol: the relative margin of an improvement, at most 1.
      atol: its absolute margin.
      mode: "min" if the metric is to fall, "max" if it is to rise.
      window: observations in the mean, part of the program: each is kept.
      cooldown: observations left out after the scale is to be lowered, also for the best value.
      raise_cooldown: likewise after it is to be raised.
      reset_after: at so many lowerings at the floor with no raise between them all begins anew:
        the scale is 1, and the best value and the observations are forgotten. None is never.
      min_change: a change of the scale by no more than this is not made.

    Example:
      >>> rule = greedy(patience=2, factor=0.5)
      >>> state = rule.init()
      >>> for loss in (3.0, 2.0, 2.0, 2.0):
      ...     state, scale = rule.update(state, loss)
      ...     print(f"{scale:.1f}", end=" ")
      1.0 2.0 2.0 1.0

    Source: arXiv 2512.14527; `GreedyLR` of Transformers.
    """
    count = jnp.minimum(state.count + 1, window)
    mean = sum(state.recent, value) / count
    idle = state.idle_count > 0
    improved = ~idle & improves(mean, state.best_value, rtol, atol, mode)
    better, worse = jnp.maximum(state.streak, 0) + 1, jnp.minimum(state.streak, 0) - 1
    streak = jnp.where(idle, 0, jnp.where(improved, better, worse))
    up, down = streak >= patience, -streak >= patience
    level, at_floor = _moved(state.level, up, down, factor, min_scale, max_scale, min_change)
    at_floor = jnp.where(up, 0, state.floor_count + (down & at_floor))
    pause = jnp.where(up, raise_cooldown, cooldown)
    after = GreedyState(
        best_value=jnp.where(improved, mean, state.best_value),
        streak=jnp.where(up | down, 0, streak),
        idle_count=jnp.where(up | down, pause, jnp.maximum(state.idle_count - 1, 0)),
        floor_count=at_floor,
        level=level,
        count=count,
        recent=(value, *state.recent)[: len(state.recent)],
    )
    if reset_after is not None:
        anew = _start(mode, window)._replace(idle_count=after.idle_count)
        after = _where(down & (at_floor >= reset_after), anew, after)
    after = _where(observed, after, state)
    return after, _scale(after.level, factor, min_scale, max_scale)


def _where(condition: jax.Array, yes: Any, no: Any) -> Any:
    return jax.tree.map(lambda one, other: jnp.where(condition, one, other), yes, no)


def _scale(level: Level, factor: Any, min_scale: Any, max_scale: Any) -> jax.Array:
    bounds = jnp.where(level.base == 1, min_scale, max_scale)
    base = jnp.where(level.base == 0, 1.0, bounds)
    return jnp.where(level.lowered == 0, base, exponential(base, factor, level.lowered, 1))


def _moved(
    level: Level, up: Any, down: Any, factor: Any, min_scale: Any, max_scale: Any, min_change: Any
) -> tuple[Level, jax.Array]:
    """The level after a raise or a lowering, and whether it is at its floor, or below."""
    step = Level(level.base, level.lowered + jnp.where(up, -1, 1))
    now, then = (_scale(one, factor, min_scale, max_scale) for one in (level, step))
    ceiling = up & (then >= max_scale * (1 - _CLOSE))
    floor = ~up & (then <= min_scale * (1 + _CLOSE))
    bound = Level(jnp.where(floor, 1, 2), jnp.zeros_like(level.lowered))
    step = _where(ceiling | floor, bound, step)
    change = _scale(step, factor, min_scale, max_scale) - now
    changes = (up | down) & (jnp.where(up, change, -change) > min_change)
    after = _where(changes, step, level)
    scale = _scale(after, factor, min_scale, max_scale)
    return after, scale <= min_scale * (1 + _CLOSE)


vars(greedy).update(gives_scale=True)


def _scale_giver(name: str, value: Any) -> Any:
    """A monitor that gives a scale."""
    if read_any_monitor(name, value).maker is not greedy:
        checks.refuse(name, value, "one that gives a scale: `greedy`")
    return value


@controller()
def follow(
    phase: Phase,
    monitor: Annotated[Any, _scale_giver],
    schedule: Rate,
    metric: Metric = "value",
    axis_name: Axis | None = None,
):
    """The rate is a schedule times the scale that a monitor gives.

        rate = scale schedule(count)

    Args:
      monitor: what gives the scale: `greedy`.
      schedule: a schedule, a number or a controller; it runs on, whatever happens.
      metric: the name of the metric the monitor listens to.
      axis_name: the mapped axes of `pmap` or `shard_map` over which metrics are averaged.

    Raises:
      ValueError: for a monitor that fires, and gives no scale.

    Example:
      >>> import jaxsched
      >>> rate = follow(jaxsched.greedy(patience=2, factor=0.5), 0.4)
      >>> state = rate.init()
      >>> for loss in (3.0, 2.0, 2.0, 2.0):
      ...     print(f"{rate(state, value=loss):.1f}", end=" ")
      ...     state = rate.update(state, value=loss)
      0.4 0.8 0.8 0.4
    """
    # By more than the digits in which programs differ that know its numbers and that do not.
    changed = jnp.abs(monitor - phase.scale) > 1e-6 * phase.scale
    return Phase(phase.count, phase.events + changed, monitor), monitor * at(schedule, phase.count)
