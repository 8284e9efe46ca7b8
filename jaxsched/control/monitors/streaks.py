"""Events where a metric has become worse, or better, several times in a row."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxsched.control.monitors.arithmetic import (
    better,
    improves,
    never,
    running_mean,
    worsens,
)
from jaxsched.control.monitors.monitor import monitor
from jaxsched.control.options import Metric, Mode, Observations, Window
from jaxsched.core.reach import whole_dtype
from jaxsched.core.types import NonNegative


class StreakState(NamedTuple):
    """The state of `improving` and `worsening`.

    Attributes:
      best_value: the best mean of a window so far, infinite before the first.
      streak: windows in a row that count.
      cooldown_count: windows still to be left out.
      count: observations in the window so far.
      mean: their mean.
    """

    best_value: jax.Array
    streak: jax.Array
    cooldown_count: jax.Array
    count: jax.Array
    mean: jax.Array


def _streak_start(mode: str, **_: object) -> StreakState:
    whole = jnp.zeros((), whole_dtype())
    return StreakState(jnp.asarray(never(mode)), whole, whole, whole, jnp.zeros(()))


def _without_best(state: StreakState, mode: str, **_: object) -> StreakState:
    return _streak_start(mode)._replace(cooldown_count=state.cooldown_count)


@monitor(start=_streak_start, anew=_without_best)
def worsening(
    state: StreakState,
    value: jax.Array,
    patience: Window = 1,
    rtol: NonNegative = 0.0,
    atol: NonNegative = 0.0,
    mode: Mode = "min",
    cooldown: Observations = 0,
    window: Window = 1,
    metric: Metric | None = None,
):
    """Fires when a metric is worse than its best, by a margin or for some observations.

    The metric is averaged over windows, one after the other. A window is worse if

        mean > best + (rtol |best| + atol)      for mode "min"
        mean < best - (rtol |best| + atol)      for mode "max"

    or if its mean is not finite. When it fires, the best is forgotten: the mean at which it
    fired takes its place, if it is finite, or else the next one that is.

    Args:
      patience: worse windows in a row until it fires.
      rtol: the relative margin.
      atol: the absolute margin.
      mode: "min" if the metric is to fall, "max" if it is to rise.
      cooldown: windows left out after it fires, but for the best value.
      window: observations in a window.
      metric: the name of its metric, if not that of the controller.

    Example:
      >>> rule = worsening(patience=2)
      >>> state = rule.init()
      >>> for loss in (2.0, 1.0, 1.5, 1.2):
      ...     state, fired = rule.update(state, loss)
      ...     print(fired, end=" ")
      False False False True
    """
    count, mean = _in_window(state, value)
    worse = worsens(mean, state.best_value, rtol, atol, mode)
    after, fired = _streak(state, worse, patience, cooldown)
    fresh = jnp.where(jnp.isfinite(mean), mean, never(mode))
    best = jnp.where(fired, fresh, better(mean, state.best_value, mode))
    within = state._replace(count=count, mean=mean)
    return _at_end(count >= window, within, after._replace(best_value=best), fired)


@monitor(start=_streak_start, anew=_without_best)
def improving(
    state: StreakState,
    value: jax.Array,
    patience: Window = 1,
    rtol: NonNegative = 1e-4,
    atol: NonNegative = 0.0,
    mode: Mode = "min",
    cooldown: Observations = 0,
    window: Window = 1,
    metric: Metric | None = None,
):
    """Fires when a metric has improved several times in a row: the opposite of `plateau`.

    A window improves as in `plateau`; the first finite one does. For controllers that raise
    the rate while all goes well.

    Args:
      patience: improvements in a row until it fires.
      rtol: the relative margin.
      atol: the absolute margin.
      mode: "min" if the metric is to fall, "max" if it is to rise.
      cooldown: windows left out after it fires, but for the best value.
      window: observations in a window.
      metric: the name of its metric, if not that of the controller.

    Example:
      >>> rule = improving(patience=2)
      >>> state = rule.init()
      >>> for loss in (3.0, 2.0, 2.0, 1.0):
      ...     state, fired = rule.update(state, loss)
      ...     print(fired, end=" ")
      False True False False
    """
    count, mean = _in_window(state, value)
    improved = improves(mean, state.best_value, rtol, atol, mode)
    after, fired = _streak(state, improved, patience, cooldown)
    best = jnp.where(improved, mean, state.best_value)
    within = state._replace(count=count, mean=mean)
    return _at_end(count >= window, within, after._replace(best_value=best), fired)


def _in_window(state: StreakState, value: jax.Array) -> tuple[jax.Array, jax.Array]:
    count = state.count + 1
    return count, running_mean(state.mean, value, count)


def _at_end(
    ends: jax.Array, within: StreakState, after: StreakState, fired: jax.Array
) -> tuple[StreakState, jax.Array]:
    after = after._replace(count=jnp.zeros_like(within.count), mean=jnp.zeros_like(within.mean))
    return jax.tree.map(partial(jnp.where, ends), after, within), ends & fired


def _streak(
    state: StreakState, counts: jax.Array, patience: Any, cooldown: Any
) -> tuple[StreakState, jax.Array]:
    cooling = state.cooldown_count > 0
    streak = jnp.where(counts & ~cooling, state.streak + 1, 0)
    fired = streak >= patience
    rest = jnp.where(fired, cooldown, jnp.maximum(state.cooldown_count - 1, 0))
    return state._replace(streak=jnp.where(fired, 0, streak), cooldown_count=rest), fired
