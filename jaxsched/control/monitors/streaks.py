"""Monitors that look at the statistics of several observations."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from scipy.special import stdtrit

from jaxsched.control.monitor import monitor
from jaxsched.control.monitors.arithmetic import margin, running_mean, sign
from jaxsched.control.options import Factor, Mode, Window
from jaxsched.core import checks
from jaxsched.core.steps import unfused
from jaxsched.core.types import NonNegative, Positive


class SlowProgressState(NamedTuple):
    """The state of `slow_progress`.

    Attributes:
      previous: the mean of the last whole window; NaN before there is one.
      count: observations in the window so far.
      mean: their mean.
    """

    previous: jax.Array
    count: jax.Array  # pyright: ignore[reportIncompatibleMethodOverride]
    mean: jax.Array


def _some_margin(hyperparams: dict[str, Any]) -> None:
    if all(checks.known(hyperparams[name]) == 0 for name in ("rtol", "atol")):
        raise ValueError(
            "`rtol` or `atol` must be positive, got 0 for both: no progress is slower than that."
        )


@monitor(
    start=lambda **_: SlowProgressState(
        jnp.asarray(jnp.nan), jnp.zeros((), jnp.int32), jnp.zeros(())
    ),
    check=_some_margin,
)
def slow_progress(
    state: SlowProgressState,
    value: jax.Array,
    window: Window = 10,
    rtol: NonNegative = 1e-3,
    atol: NonNegative = 0.0,
    mode: Mode = "min",
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
    count = state.count + 1
    mean = running_mean(state.mean, value, count)
    ends, finite = count >= window, jnp.isfinite(mean)
    gained = sign(mode) * (state.previous - mean)
    slow = ~finite | (gained < margin(state.previous, rtol, atol))
    after = SlowProgressState(
        previous=jnp.where(ends & finite, mean, state.previous),
        count=jnp.where(ends, 0, count),
        mean=jnp.where(ends, 0, mean),
    )
    return after, ends & slow & ~jnp.isnan(state.previous)


class SpikeState(NamedTuple):
    """The state of `spike`.

    Attributes:
      count: finite observations so far.
      mean: their running mean.
      variance: their running variance.
    """

    count: jax.Array  # pyright: ignore[reportIncompatibleMethodOverride]
    mean: jax.Array
    variance: jax.Array


@monitor(start=lambda **_: SpikeState(jnp.zeros((), jnp.int32), jnp.zeros(()), jnp.zeros(())))
def spike(
    state: SpikeState,
    value: jax.Array,
    deviations: Positive = 6.0,
    window: Window = 128,
    min_count: Window = 64,
    mode: Mode = "min",
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
    jump = jnp.maximum(sign(mode) * deviation, 0)
    outside = jump * jump > deviations * deviations * state.variance
    fired = ~finite | (outside & (state.count >= min_count))
    count = jnp.minimum(state.count, checks.MAX_COUNT - 1) + 1
    number = jnp.minimum(count, window)
    spread = state.variance + unfused(deviation * deviation) / number
    after = SpikeState(
        count=count,
        # Not left to rounding where the value is all of the mean: it would be off by a digit.
        mean=jnp.where(number == 1, value, state.mean + deviation / number),
        variance=spread - spread / number,
    )
    return jax.tree.map(lambda new, old: jnp.where(finite, new, old), after, state), fired


class SlopeState(NamedTuple):
    """The state of `slope_test`: the sums of a least-squares fit, free of cancellation.

    Attributes:
      count: observations in the window so far.
      mean: their mean.
      squares: the sum of their squared deviations from it.
      products: the sum of these deviations times those of their numbers.
    """

    count: jax.Array  # pyright: ignore[reportIncompatibleMethodOverride]
    mean: jax.Array
    squares: jax.Array
    products: jax.Array


def _enough_to_fit(hyperparams: dict[str, Any]) -> None:
    window = checks.known(hyperparams["window"])
    if window is not None and window < 3:
        checks.refuse("window", window, "at least 3, to fit a line and its error")


@monitor(
    start=lambda **_: SlopeState(jnp.zeros((), jnp.int32), *[jnp.zeros(())] * 3),
    check=_enough_to_fit,
)
def slope_test(
    state: SlopeState,
    value: jax.Array,
    window: Window = 100,
    significance: Factor = 0.05,
    mode: Mode = "min",
):
    """Fires when a metric is not significantly improving, by the slope of its regression line.

    At the end of each window of n observations y_i, unless

        t = b / sqrt(R / ((n - 2) S)) < -c

    with the least-squares slope b of y_i over i, the sum R of the squared residuals, and
    S = n (n^2 - 1) / 12; c is the critical value of Student's t with n - 2 degrees of freedom.
    For mode "max" the sign of b is the other one. A window with a value that is not
    finite is not improving.

    Args:
      window: observations in a window, at least 3.
      significance: the probability of taking a flat metric for an improving one. If it
        or the window is traced, c is that of the normal distribution.
      mode: "min" if the metric is to fall, "max" if it is to rise.

    Source: the SLOPE test of Zhang, Lang, Liu and Xiao, arXiv 2002.10597.

    Example:
      >>> rule = slope_test(window=4)
      >>> state = rule.init()
      >>> for loss in (4.0, 3.1, 1.9, 1.0, 1.0, 1.1, 0.9, 1.0):
      ...     state, fired = rule.update(state, loss)
      ...     print(fired, end=" ")
      False False False False False False False True
    """
    count = state.count + 1
    deviation = value - state.mean
    mean = state.mean + deviation / count
    rest = value - mean
    squares = state.squares + unfused(deviation * rest)
    # The mean number of the observations before this one is (count - 2) / 2 from 0 on.
    products = state.products + unfused(0.5 * count * rest)
    ends = count >= window
    fired = ends & ~_falls(sign(mode) * products, squares, window, significance)
    after = SlopeState(count, mean, squares, products)
    return jax.tree.map(lambda leaf: jnp.where(ends, 0, leaf), after), fired


def _falls(products: jax.Array, squares: jax.Array, n: Any, significance: Any) -> jax.Array:
    """Whether the slope is below minus its critical value, without dividing by its error."""
    n = jnp.asarray(n, squares.dtype) if isinstance(n, jax.Array) else float(n)
    spread = n * (n * n - 1) / 12
    explained = products * products / spread
    residual = jnp.maximum(squares - explained, 0)
    critical = _critical_value(significance, n - 2)
    return (products < 0) & (explained * (n - 2) > critical * critical * residual)


def _critical_value(significance: Any, freedom: Any) -> Any:
    if isinstance(significance, float) and isinstance(freedom, float):
        return max(float(-stdtrit(freedom, significance)), 0.0)
    return jnp.maximum(-jax.scipy.stats.norm.ppf(significance), 0)
