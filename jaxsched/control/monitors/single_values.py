"""Events that need one value, or none: a bound reached, a value that is not finite, a time."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsched.control.monitors.arithmetic import sign
from jaxsched.control.monitors.hearing import hears
from jaxsched.control.monitors.monitor import monitor, ticking, unchanged
from jaxsched.control.options import Metric, Mode, Window
from jaxsched.core.reach import whole_dtype
from jaxsched.core.types import Number


class ThresholdState(NamedTuple):
    """The state of `threshold`: 1 while the metric is at its threshold or beyond, else 0."""

    reached: jax.Array


@monitor(start=lambda **_: ThresholdState(jnp.zeros((), whole_dtype())), anew=unchanged)
def threshold(
    state: ThresholdState,
    value: jax.Array,
    target: Number,
    mode: Mode = "min",
    metric: Metric | None = None,
):
    """Fires when a metric reaches a preset value.

        value <= target      for mode "min"
        value >= target      for mode "max"

    It fires at the first such observation, and again when the metric comes back after it
    had left. A value that is not finite neither reaches nor leaves.

    Args:
      target: the value to reach.
      mode: "min" if the metric is to fall to it, "max" if it is to rise to it.
      metric: the name of its metric, if not that of the controller.

    Example:
      >>> rule = threshold(0.9, mode="max")
      >>> state = rule.init()
      >>> for accuracy in (0.8, 0.9, 0.95, 0.85, 0.9):
      ...     state, fired = rule.update(state, accuracy)
      ...     print(fired, end=" ")
      False True False False True
    """
    there = sign(mode) * value <= sign(mode) * jnp.asarray(target, value.dtype)
    reached = jnp.where(jnp.isfinite(value), there, state.reached > 0)
    return ThresholdState(reached), reached & (state.reached == 0)


@monitor(start=lambda **_: ())
def above(state: tuple[()], value: jax.Array, bound: Number, metric: Metric | None = None):
    """Fires at each value above a bound.

        value > bound

    `threshold` fires where the metric gets there, and not while it stays. NaN is not above any
    bound, infinity is.

    Args:
      bound: a number, in units of the metric.
      metric: the name of its metric, if not that of the controller.

    Example:
      >>> rule = above(0.02)
      >>> for divergence in (0.01, 0.03, 0.04, 0.01):
      ...     print(rule.update(rule.init(), divergence)[1], end=" ")
      False True True False
    """
    return state, value > jnp.asarray(bound, value.dtype)


@monitor(start=lambda **_: ())
def below(state: tuple[()], value: jax.Array, bound: Number, metric: Metric | None = None):
    """Fires at each value below a bound.

        value < bound

    Otherwise as `above`.

    Args:
      bound: a number, in units of the metric.
      metric: the name of its metric, if not that of the controller.

    Example:
      >>> rule = below(0.005)
      >>> for divergence in (0.01, 0.003, 0.002, 0.01):
      ...     print(rule.update(rule.init(), divergence)[1], end=" ")
      False True True False
    """
    return state, value < jnp.asarray(bound, value.dtype)


@monitor(start=lambda **_: ())
def nonfinite(state: tuple[()], value: jax.Array, metric: Metric | None = None):
    """Fires at each value that is NaN or infinite.

    To be combined with others, which by default take such a value for no improvement:
    `any_of([plateau(), nonfinite()])` reacts to it at once.

    Args:
      metric: the name of its metric, if not that of the controller.

    Example:
      >>> rule = nonfinite()
      >>> print(rule.update(rule.init(), float("nan"))[1])
      True
    """
    return state, ~jnp.isfinite(value)


class EveryState(NamedTuple):
    """The state of `every`: the updates since it last fired."""

    passed: jax.Array


@hears("nothing")
@ticking(start=lambda **_: EveryState(jnp.zeros((), whole_dtype())), anew=unchanged)
def every(state: EveryState, value: jax.Array, observed: jax.Array, steps: Window):
    """Fires every so many updates, whether they bring an observation or not.

    Args:
      steps: from one event to the next. The first is at the update that number `steps`, counted
        from 0, so that the updates before it are as many as between two events.

    Example:
      >>> rule = every(2)
      >>> state = rule.init()
      >>> for loss in (1.0, 1.0, 1.0, 1.0, 1.0):
      ...     state, fired = rule.update(state, loss)
      ...     print(fired, end=" ")
      False False True False True
    """
    del value, observed
    fired = state.passed >= steps
    return EveryState(jnp.where(fired, 1, state.passed + 1)), fired
