"""Events where a metric is far above what it has been."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsched.control.monitors.arithmetic import root_of_sum, sign
from jaxsched.control.monitors.monitor import monitor
from jaxsched.control.options import Metric, Mode, Window
from jaxsched.core.reach import reach, whole_dtype
from jaxsched.core.types import Flag, Positive


class SpikeState(NamedTuple):
    """The state of `spike`.

    Attributes:
      count: finite observations so far.
      mean: their running mean.
      deviation: their running standard deviation, the root of their variance, which of large or
        small values no float could hold.
    """

    count: jax.Array
    mean: jax.Array
    deviation: jax.Array


@monitor(start=lambda **_: SpikeState(jnp.zeros((), whole_dtype()), jnp.zeros(()), jnp.zeros(())))
def spike(
    state: SpikeState,
    value: jax.Array,
    deviations: Positive = 6.0,
    window: Window = 128,
    min_count: Window = 64,
    mode: Mode = "min",
    skip_fired: Flag = False,
    metric: Metric | None = None,
):
    """Fires when a metric leaves its running mean by some standard deviations.

        value - mean > deviations * sqrt(variance)      for mode "min": a jump upwards
        mean - value > deviations * sqrt(variance)      for mode "max": a fall

    Mean and variance are of all finite observations before this one, each weighing
    `1 - 1 / window` of the one after it; the first `window` ones weigh the same. A value
    that is not finite is a spike from the first observation on, and is left out of both.

    Args:
      deviations: how many standard deviations make a spike.
      window: observations that the mean and the variance reach back.
      min_count: finite observations before a finite one can be a spike.
      mode: "min" if the metric is to fall, "max" if it is to rise.
      skip_fired: whether a value at which it fires is left out of mean and variance, so that a
        high spike does not hide a lower one behind it. A metric that has jumped for good then
        fires at every value.
      metric: the name of its metric, if not that of the controller.

    Example:
      >>> rule = spike(deviations=3.0, window=8, min_count=4)
      >>> state = rule.init()
      >>> for loss in (1.0, 1.1, 0.9, 1.0, 1.1, 5.0):
      ...     state, fired = rule.update(state, loss)
      ...     print(fired, end=" ")
      False False False False False True
    """
    finite = jnp.isfinite(value)
    deviation = value - state.mean
    outside = sign(mode) * deviation > deviations * state.deviation
    fired = ~finite | (outside & (state.count >= min_count))
    count = jnp.minimum(state.count, reach() - 1) + 1
    number = jnp.minimum(count, window)
    spread = root_of_sum(state.deviation, deviation, deviation / number)
    after = SpikeState(
        count=count,
        # Not left to rounding where the value is all of the mean: it would be off by a digit.
        mean=jnp.where(number == 1, value, state.mean + deviation / number),
        deviation=spread * jnp.sqrt(1 - 1 / number),
    )
    kept = finite & ~(fired & skip_fired)
    return jax.tree.map(lambda new, old: jnp.where(kept, new, old), after, state), fired
