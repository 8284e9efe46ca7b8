"""Events where a metric has become worse, or better, several times in a row."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxsched.control.monitors.arithmetic import (
    better,
    improves,
    never,
    worsens,
)
from jaxsched.control.monitors.monitor import monitor
from jaxsched.control.options import Mode, Observations, Window
from jaxsched.core.reach import whole_dtype
from jaxsched.core.types import NonNegative


class StreakState(NamedTuple):
    """The state of `improving` and `worsening`.

    Attributes:
      best_value: the best value so far, infinite before the first.
      streak: observations in a row that count.
      cooldown_count: observations still to be left out.
    """

    best_value: jax.Array
    streak: jax.Array
    cooldown_count: jax.Array


def _streak_start(mode: str, **_: object) -> StreakState:
    return StreakState(jnp.asarray(never(mode)), *[jnp.zeros((), whole_dtype())] * 2)


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
):
    """Fires when a metric is worse than its best, by a margin or for some observations.

    An observation is worse if

        value > best + (rtol |best| + atol)      for mode "min"
        value < best - (rtol |best| + atol)      for mode "max"

    or if it is not finite. When it fires, the best is forgotten: the value at which it
    fired takes its place, if it is finite, or else the next one that is.

    Args:
      patience: worse observations in a row until it fires.
      rtol: the relative margin.
      atol: the absolute margin.
      mode: "min" if the metric is to fall, "max" if it is to rise.
      cooldown: observations left out after it fires, but for the best value.

    Example:
      >>> rule = worsening(patience=2)
      >>> state = rule.init()
      >>> for loss in (2.0, 1.0, 1.5, 1.2):
      ...     state, fired = rule.update(state, loss)
      ...     print(fired, end=" ")
      False False False True
    """
    worse = worsens(value, state.best_value, rtol, atol, mode)
    after, fired = _streak(state, worse, patience, cooldown)
    fresh = jnp.where(jnp.isfinite(value), value, never(mode))
    best = jnp.where(fired, fresh, better(value, state.best_value, mode))
    return after._replace(best_value=best), fired


@monitor(start=_streak_start, anew=_without_best)
def improving(
    state: StreakState,
    value: jax.Array,
    patience: Window = 1,
    rtol: NonNegative = 1e-4,
    atol: NonNegative = 0.0,
    mode: Mode = "min",
    cooldown: Observations = 0,
):
    """Fires when a metric has improved several times in a row: the opposite of `plateau`.

    An observation improves as in `plateau`; the first finite one does. For controllers that
    raise the rate while all goes well.

    Args:
      patience: improvements in a row until it fires.
      rtol: the relative margin.
      atol: the absolute margin.
      mode: "min" if the metric is to fall, "max" if it is to rise.
      cooldown: observations left out after it fires, but for the best value.

    Example:
      >>> rule = improving(patience=2)
      >>> state = rule.init()
      >>> for loss in (3.0, 2.0, 2.0, 1.0):
      ...     state, fired = rule.update(state, loss)
      ...     print(fired, end=" ")
      False True False False
    """
    improved = improves(value, state.best_value, rtol, atol, mode)
    after, fired = _streak(state, improved, patience, cooldown)
    return after._replace(best_value=jnp.where(improved, value, state.best_value)), fired


def _streak(
    state: StreakState, counts: jax.Array, patience: Any, cooldown: Any
) -> tuple[StreakState, jax.Array]:
    cooling = state.cooldown_count > 0
    streak = jnp.where(counts & ~cooling, state.streak + 1, 0)
    fired = streak >= patience
    rest = jnp.where(fired, cooldown, jnp.maximum(state.cooldown_count - 1, 0))
    return StreakState(state.best_value, jnp.where(fired, 0, streak), rest), fired
