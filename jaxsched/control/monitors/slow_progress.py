"""Events where a metric improves by less than a margin from window to window."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxsched.control.monitors.arithmetic import grown, margin, never, running_mean, sign
from jaxsched.control.monitors.monitor import monitor
from jaxsched.control.options import Metric, Mode, Window
from jaxsched.core import checks
from jaxsched.core.reach import whole_dtype
from jaxsched.core.types import AtLeastOne, NonNegative


class SlowProgressState(NamedTuple):
    """The state of `slow_progress`.

    Attributes:
      previous: the mean of the last whole window, infinite before there is one.
      count: observations in the window so far.
      mean: their mean.
      events: how often it has fired.
    """

    previous: jax.Array
    count: jax.Array
    mean: jax.Array
    events: jax.Array


def _start(mode: str, **_: object) -> SlowProgressState:
    whole = jnp.zeros((), whole_dtype())
    return SlowProgressState(jnp.asarray(never(mode)), whole, jnp.zeros(()), whole)


def _anew(state: SlowProgressState, mode: str, **_: object) -> SlowProgressState:
    """What has grown stays grown."""
    return _start(mode)._replace(events=state.events)


def _some_margin(hyperparams: dict[str, Any]) -> None:
    if all(checks.known(hyperparams[name]) == 0 for name in ("rtol", "atol")):
        raise ValueError(
            "`rtol` or `atol` must be positive, got 0 for both: no progress is slower than that."
        )


@monitor(start=_start, anew=_anew, check=_some_margin)
def slow_progress(
    state: SlowProgressState,
    value: jax.Array,
    window: Window = 10,
    rtol: NonNegative = 1e-3,
    atol: NonNegative = 0.0,
    mode: Mode = "min",
    window_growth: AtLeastOne = 1.0,
    metric: Metric | None = None,
):
    """Fires when a metric improves more slowly than a given rate over a window.

    At the end of each window of observations, if

        previous - mean < rtol |previous| + atol      for mode "min"
        mean - previous < rtol |previous| + atol      for mode "max"

    where `mean` and `previous` are the means of the window and of the one before. A mean that
    is not finite is no progress, and the next window is compared with the one before it.

    Args:
      window: observations in a window. To ask for a rate of r per observation, set
        `atol = r * window`.
      rtol: the improvement asked for from window to window, as a part of the previous mean.
      atol: the improvement asked for, in units of the metric.
      mode: "min" if the metric is to fall, "max" if it is to rise.
      window_growth: after each event the window is that many times longer, rounded to whole
        observations, halves down. A margin in `atol` does not grow with it.
      metric: the name of its metric, if not that of the controller.

    Raises:
      ValueError: also if both margins are 0; `worsening` is for that.

    Example:
      >>> rule = slow_progress(window=2, rtol=0.0, atol=0.5)
      >>> state = rule.init()
      >>> for loss in (4.0, 3.0, 2.0, 2.0, 1.9, 1.8):
      ...     state, fired = rule.update(state, loss)
      ...     print(fired, end=" ")
      False False False False False True
    """
    window = grown(window, window_growth, state.events)
    count = state.count + 1
    mean = running_mean(state.mean, value, count)
    ends, finite = count >= window, jnp.isfinite(mean)
    gained = sign(mode) * (state.previous - mean)
    slow = ~finite | (gained < margin(state.previous, rtol, atol))
    fired = ends & slow & jnp.isfinite(state.previous)
    after = SlowProgressState(
        previous=jnp.where(ends & finite, mean, state.previous),
        count=jnp.where(ends, 0, count),
        mean=jnp.where(ends, 0, mean),
        events=state.events + fired,
    )
    return after, fired
