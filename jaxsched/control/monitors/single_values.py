"""Monitors of single values and of the time, and monitors made of monitors."""

import functools
import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxsched.control.monitor import AMonitor, Monitor, Monitors, monitor, ticking
from jaxsched.control.monitors.arithmetic import sign
from jaxsched.control.options import Mode, Window
from jaxsched.core.types import Number


class ThresholdState(NamedTuple):
    """The state of `threshold`: 1 while the metric is at its threshold or beyond, else 0."""

    reached: jax.Array


@monitor(start=lambda **_: ThresholdState(jnp.zeros((), jnp.int32)))
def threshold(state: ThresholdState, value: jax.Array, target: Number, mode: Mode = "min"):
    """Fires when a metric reaches a preset value.

        value <= target      for mode "min"
        value >= target      for mode "max"

    It fires at the first such observation, and again when the metric comes back after it
    had left. A value that is not finite neither reaches nor leaves.

    Args:
      target: the value to reach.
      mode: "min" if the metric is to fall to it, "max" if it is to rise to it.

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
def nonfinite(state: tuple[()], value: jax.Array):
    """Fires at each value that is NaN or infinite.

    To be combined with others, which by default take such a value for no improvement:
    `any_of([plateau(), nonfinite()])` reacts to it at once.

    Example:
      >>> rule = nonfinite()
      >>> print(rule.update(rule.init(), float("nan"))[1])
      True
    """
    return state, ~jnp.isfinite(value)


class EveryState(NamedTuple):
    """The state of `every`: the updates since it last fired."""

    passed: jax.Array


@ticking(start=lambda **_: EveryState(jnp.zeros((), jnp.int32)))
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


def _starts(monitors: Sequence[Monitor]) -> tuple[Any, ...]:
    return tuple(monitor.init() for monitor in monitors)


@ticking(start=lambda monitors: _starts(monitors))
def any_of(state: Any, value: jax.Array, observed: jax.Array, monitors: Monitors):
    """Fires when one of several monitors does.

    Each goes on as if it were alone.

    Args:
      monitors: a list of at least one.

    Example:
      >>> rule = any_of([threshold(0.1), every(steps=3)])
      >>> state = rule.init()
      >>> for loss in (1.0, 0.1, 0.1, 0.1):
      ...     state, fired = rule.update(state, loss)
      ...     print(fired, end=" ")
      False True False True
    """
    states, fired = _updated(monitors, state, value, observed)
    return states, functools.reduce(operator.or_, fired)


class AllOfState(NamedTuple):
    """The state of `all_of`.

    Attributes:
      monitors: the states of the monitors.
      fired: for each, 1 if it has fired since they last had all done so, else 0.
    """

    monitors: tuple[Any, ...]
    fired: tuple[jax.Array, ...]


@ticking(
    start=lambda monitors: AllOfState(
        _starts(monitors), (jnp.zeros((), jnp.int32),) * len(monitors)
    )
)
def all_of(state: AllOfState, value: jax.Array, observed: jax.Array, monitors: Monitors):
    """Fires when each of several monitors has fired, at the same time or one after the other.

    Then it starts anew: each has to fire again.

    Args:
      monitors: a list of at least one.

    Example:
      >>> from jaxsched import plateau
      >>> rule = all_of([threshold(0.5), plateau(patience=3)])
      >>> rule
      all_of(monitors=(threshold(target=0.5), plateau(patience=3)))
    """
    states, now = _updated(monitors, state.monitors, value, observed)
    fired = [(before > 0) | fires for before, fires in zip(state.fired, now, strict=True)]
    done = functools.reduce(operator.and_, fired)
    return AllOfState(states, tuple(jnp.asarray(one & ~done) for one in fired)), done


def _updated(
    monitors: Sequence[Monitor], states: Any, value: jax.Array, observed: jax.Array
) -> tuple[tuple[Any, ...], list[jax.Array]]:
    pairs = [m.update(s, value, observed) for m, s in zip(monitors, states, strict=True)]
    return tuple(state for state, _ in pairs), [fired for _, fired in pairs]


@ticking(start=lambda monitor: monitor.init())
def ignore_nonfinite(state: Any, value: jax.Array, observed: jax.Array, monitor: AMonitor):
    """A monitor to which a value that is NaN or infinite is no observation at all.

    Args:
      monitor: the monitor.

    Example:
      >>> from jaxsched import plateau
      >>> rule = ignore_nonfinite(plateau(patience=1))
      >>> state, fired = rule.update(rule.init(), 1.0)
      >>> print(rule.update(state, float("nan"))[1])
      False
    """
    finite = jnp.isfinite(value)
    return monitor.update(state, jnp.where(finite, value, 0), observed & finite)
