"""Events where the best value of a metric has not been improved for a while."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsched.control.monitors.arithmetic import (
    grown,
    improves,
    never,
    running_mean,
)
from jaxsched.control.monitors.monitor import monitor
from jaxsched.control.options import Metric, Mode, Observations, Window
from jaxsched.core.reach import whole_dtype
from jaxsched.core.types import AtLeastOne, Flag, Fraction, NonNegative


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
    count: jax.Array
    avg_value: jax.Array
    events: jax.Array


def _plateau_start(mode: str, **_: object) -> PlateauState:
    zero = jnp.zeros((), whole_dtype())
    return PlateauState(jnp.asarray(never(mode)), zero, zero, zero, jnp.zeros(()), zero)


def _without_best(state: PlateauState, mode: str, **_: object) -> PlateauState:
    """What has grown stays grown, and a cooldown goes on."""
    fresh = _plateau_start(mode)
    return fresh._replace(cooldown_count=state.cooldown_count, events=state.events)


@monitor(start=_plateau_start, anew=_without_best)
def plateau(
    state: PlateauState,
    value: jax.Array,
    patience: Observations = 10,
    rtol: Fraction = 1e-4,
    atol: NonNegative = 0.0,
    mode: Mode = "min",
    window: Window = 1,
    cooldown: Observations = 0,
    patience_growth: AtLeastOne = 1.0,
    window_growth: AtLeastOne = 1.0,
    reset_best: Flag = False,
    metric: Metric | None = None,
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
      rtol: the relative margin, at most 1. It has the right sign for negative metrics, too.
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
      metric: the name of its metric, if not that of the controller.

    Example:
      >>> rule = plateau(patience=2)
      >>> state = rule.init()
      >>> for loss in (3.0, 2.0, 2.0, 2.0):
      ...     state, fired = rule.update(state, loss)
      ...     print(fired, end=" ")
      False False False True
    """
    patience = grown(patience, patience_growth, state.events)
    window = grown(window, window_growth, state.events)
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
