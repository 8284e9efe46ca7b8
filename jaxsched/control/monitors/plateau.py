"""Monitors that compare a metric with the best value it has had."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxsched.control.monitor import monitor
from jaxsched.control.monitors.arithmetic import (
    better,
    improves,
    never,
    running_mean,
    worsens,
)
from jaxsched.control.options import Mode, Observations, Window
from jaxsched.core.powers import exponential
from jaxsched.core.types import AtLeastOne, Flag, NonNegative


class PlateauState(NamedTuple):
    """The state of `plateau`; the first five fields are those of Optax.

    Attributes:
      best_value: the best mean of a window so far, infinite before the first.
      plateau_count: windows without improvement in a row.
      cooldown_count: windows still to be left out.
      count: observations in the window so far.
      avg_value: their mean.
      events: how often it has fired.
    """

    best_value: jax.Array
    plateau_count: jax.Array
    cooldown_count: jax.Array
    count: jax.Array  # pyright: ignore[reportIncompatibleMethodOverride]
    avg_value: jax.Array
    events: jax.Array


def _plateau_start(mode: str, **_: object) -> PlateauState:
    zero = jnp.zeros((), jnp.int32)
    return PlateauState(jnp.asarray(never(mode)), zero, zero, zero, jnp.zeros(()), zero)


@monitor(start=_plateau_start)
def plateau(
    state: PlateauState,
    value: jax.Array,
    patience: Observations = 10,
    rtol: NonNegative = 1e-4,
    atol: NonNegative = 0.0,
    mode: Mode = "min",
    window: Window = 1,
    cooldown: Observations = 0,
    patience_growth: AtLeastOne = 1.0,
    window_growth: AtLeastOne = 1.0,
    reset_best: Flag = False,
):
    """Fires when a metric has stopped improving.

    The metric is averaged over windows, one after the other. A window improves if

        mean < best - (rtol |best| + atol)      for mode "min"
        mean > best + (rtol |best| + atol)      for mode "max"

    and fires if it is the `patience`-th in a row that does not. The first finite one improves.
    A mean that is not finite does not improve, and never becomes the best.

    Args:
      patience: windows without improvement in a row until it fires; 0 is as 1. PyTorch fires
        one later: its patience of 10 is 11 here. Keras, Optax and fastai count as here.
      rtol: the relative margin. It has the right sign for negative metrics, too.
      atol: the absolute margin.
      mode: "min" if the metric is to fall, "max" if it is to rise.
      window: observations in a window.
      cooldown: windows left out after it fires. The best value goes on being updated, unless it
        is to be forgotten. Keras leaves out one fewer.
      patience_growth: after each event the patience is that many times longer, rounded to
        whole windows, halves down: a lower rate takes longer to show what it can do.
      window_growth: likewise the window, rounded to whole observations, halves down.
      reset_best: whether to forget the best value when it fires, so that the next window, after
        the cooldown, is the new best. For restarts, after which a metric is worse for a while; with
        a warm-up, whose first values are the best of all, let the cooldown cover it.

    Example:
      >>> rule = plateau(patience=2)
      >>> state = rule.init()
      >>> for loss in (3.0, 2.0, 2.0, 2.0):
      ...     state, fired = rule.update(state, loss)
      ...     print(fired, end=" ")
      False False False True
    """
    patience = _grown(patience, patience_growth, state.events)
    window = _grown(window, window_growth, state.events)
    count = state.count + 1
    mean = running_mean(state.avg_value, value, count)
    ends = count >= window
    improved = improves(mean, state.best_value, rtol, atol, mode)
    cooling = state.cooldown_count > 0
    bad = jnp.where(improved | cooling, 0, state.plateau_count + 1)
    fired = ends & (bad > 0) & (bad >= patience)
    found = improved & ~(cooling & reset_best)
    best = jnp.where(found, mean, state.best_value)
    after = PlateauState(
        best_value=jnp.where(fired & reset_best, never(mode), best),
        plateau_count=jnp.where(fired, 0, bad),
        cooldown_count=jnp.where(fired, cooldown, jnp.maximum(state.cooldown_count - 1, 0)),
        count=jnp.zeros_like(count),
        avg_value=jnp.zeros_like(mean),
        events=state.events + fired,
    )
    within = state._replace(count=count, avg_value=mean)
    return jax.tree.map(lambda end, inside: jnp.where(ends, end, inside), after, within), fired


def _grown(number: Any, growth: Any, events: jax.Array) -> Any:
    if isinstance(growth, (int, float)) and growth == 1:
        return number
    # Half a window is rounded down, also where a power is a hair above it.
    return jnp.ceil(exponential(number, growth, events, 1) - 0.501)


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
    return StreakState(jnp.asarray(never(mode)), *[jnp.zeros((), jnp.int32)] * 2)


@monitor(start=_streak_start)
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


@monitor(start=_streak_start)
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
