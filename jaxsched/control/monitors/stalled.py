"""Events where the best value of a metric has not been improved for some updates."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsched.control.monitors.arithmetic import improves, never
from jaxsched.control.monitors.monitor import ticking
from jaxsched.control.options import Metric, Mode, Window
from jaxsched.core.reach import reach, whole_dtype
from jaxsched.core.types import NonNegative


class StalledState(NamedTuple):
    """The state of `stalled`.

    Attributes:
      best_value: the best value so far, infinite before the first.
      passed: updates from that with the best value, or from the last event, to the next one.
    """

    best_value: jax.Array
    passed: jax.Array


@ticking(
    start=lambda mode, **_: StalledState(jnp.asarray(never(mode)), jnp.zeros((), whole_dtype()))
)
def stalled(
    state: StalledState,
    value: jax.Array,
    observed: jax.Array,
    steps: Window,
    rtol: NonNegative = 1e-4,
    atol: NonNegative = 0.0,
    mode: Mode = "min",
    metric: Metric | None = None,
):
    """Fires when a metric has not improved for some updates: a `plateau` with patience in time.

    For a metric that is rare or comes at irregular times, such as a validation loss. A value
    improves as in `plateau`. One that does not is an event if it comes at least `steps` updates
    after the best one, or after the last event; so it needs values to fire, and what comes in
    between does not matter.

    Args:
      steps: updates without improvement until it fires; before the first finite value counted
        from the first update on.
      rtol: the relative margin.
      atol: the absolute margin.
      mode: "min" if the metric is to fall, "max" if it is to rise.
      metric: the name of its metric, if not that of the controller.

    Example:
      >>> rule = stalled(steps=3)
      >>> state = rule.init()
      >>> for loss in (3.0, 2.0, 2.0, None, 2.0):
      ...     state, fired = rule.update(state, loss or 0.0, observed=loss is not None)
      ...     print(fired, end=" ")
      False False False False True
    """
    improved = observed & improves(value, state.best_value, rtol, atol, mode)
    fired = observed & ~improved & (state.passed >= steps)
    best = jnp.where(improved, value, state.best_value)
    passed = jnp.minimum(state.passed, reach() - 1) + 1
    return StalledState(best, jnp.where(improved | fired, 1, passed)), fired
