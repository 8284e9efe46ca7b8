"""Events where a metric does not fall significantly over a window."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from scipy.special import stdtrit

from jaxsched.control.monitors.arithmetic import grown, root_of_sum, sign
from jaxsched.control.monitors.monitor import monitor
from jaxsched.control.options import Factor, Metric, Mode, Window
from jaxsched.core import checks
from jaxsched.core.arithmetic.steps import unfused
from jaxsched.core.reach import whole_dtype
from jaxsched.core.types import AtLeastOne


class SlopeState(NamedTuple):
    """The state of `slope_test`: the sums of a least-squares fit, free of cancellation.

    Attributes:
      count: observations in the window so far.
      mean: their mean.
      spread: the root of the sum of their squared deviations from it.
      products: the sum of these deviations times those of their numbers.
      events: how often it has fired.
    """

    count: jax.Array
    mean: jax.Array
    spread: jax.Array
    products: jax.Array
    events: jax.Array


def _start(**_: object) -> SlopeState:
    whole = jnp.zeros((), whole_dtype())
    return SlopeState(whole, *[jnp.zeros(())] * 3, events=whole)


def _anew(state: SlopeState, **_: object) -> SlopeState:
    """What has grown stays grown."""
    return _start()._replace(events=state.events)


def _enough_to_fit(hyperparams: dict[str, Any]) -> None:
    window = checks.known(hyperparams["window"])
    if window is not None and window < 3:
        checks.refuse("window", window, "at least 3, to fit a line and its error")


@monitor(start=_start, anew=_anew, check=_enough_to_fit)
def slope_test(
    state: SlopeState,
    value: jax.Array,
    window: Window = 100,
    significance: Factor = 0.05,
    mode: Mode = "min",
    window_growth: AtLeastOne = 1.0,
    metric: Metric | None = None,
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
        or the window is traced, or the window grows, c is that of the normal distribution.
      mode: "min" if the metric is to fall, "max" if it is to rise.
      window_growth: after each event the window is that many times longer, rounded to whole
        observations, halves down: a lower rate takes longer to show what it can do.
      metric: the name of its metric, if not that of the controller.

    Source: the SLOPE test of Zhang, Lang, Liu and Xiao, arXiv 2002.10597.

    Example:
      >>> rule = slope_test(window=4)
      >>> state = rule.init()
      >>> for loss in (4.0, 3.1, 1.9, 1.0, 1.0, 1.1, 0.9, 1.0):
      ...     state, fired = rule.update(state, loss)
      ...     print(fired, end=" ")
      False False False False False False False True
    """
    window = grown(window, window_growth, state.events)
    count = state.count + 1
    deviation = value - state.mean
    mean = state.mean + deviation / count
    rest = value - mean
    spread = root_of_sum(state.spread, deviation, rest)
    # The mean number of the observations before this one is (count - 2) / 2 from 0 on.
    products = state.products + unfused(0.5 * count * rest)
    ends = count >= window
    fired = ends & ~_falls(sign(mode) * products, spread, window, significance)
    within = SlopeState(count, mean, spread, products, state.events)
    after = _start()._replace(events=state.events + fired)
    return jax.tree.map(lambda end, inside: jnp.where(ends, end, inside), after, within), fired


def _falls(products: jax.Array, spread: jax.Array, n: Any, significance: Any) -> jax.Array:
    """Whether the slope is below minus its critical value, without dividing by its error."""
    n = jnp.asarray(n, spread.dtype) if isinstance(n, jax.Array) else float(n)
    correlation = products / jnp.where(spread > 0, spread, 1) / jnp.sqrt(n * (n * n - 1) / 12)
    explained = correlation * correlation
    residual = jnp.maximum(1 - explained, 0)
    critical = _critical_value(significance, n - 2)
    return (products < 0) & (explained * (n - 2) > critical * critical * residual)


def _critical_value(significance: Any, freedom: Any) -> Any:
    if isinstance(significance, float) and isinstance(freedom, float):
        return max(float(-stdtrit(freedom, significance)), 0.0)
    return jnp.maximum(-jax.scipy.stats.norm.ppf(significance), 0)
