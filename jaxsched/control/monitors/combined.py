"""Monitors made of monitors."""

import functools
import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxsched.control.monitors.hearing import hears
from jaxsched.control.monitors.monitor import AMonitor, Monitor, Monitors, ticking
from jaxsched.core.reach import whole_dtype


def _starts(monitors: Sequence[Monitor]) -> tuple[Any, ...]:
    return tuple(monitor.init() for monitor in monitors)


def _all_anew(states: Any, monitors: Sequence[Monitor]) -> tuple[Any, ...]:
    return tuple(m.anew(state) for m, state in zip(monitors, states, strict=True))


@hears("inside")
@ticking(start=lambda monitors: _starts(monitors), anew=_all_anew)
def any_of(state: Any, value: jax.Array, observed: jax.Array, monitors: Monitors):
    """Fires when one of several monitors does.

    Each goes on as if it were alone.

    Args:
      monitors: a list of at least one.

    Example:
      >>> from jaxsched import every, threshold
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


@hears("inside")
@ticking(
    start=lambda monitors: AllOfState(
        _starts(monitors), (jnp.zeros((), whole_dtype()),) * len(monitors)
    ),
    anew=lambda state, monitors: state._replace(monitors=_all_anew(state.monitors, monitors)),
)
def all_of(state: AllOfState, value: jax.Array, observed: jax.Array, monitors: Monitors):
    """Fires when each of several monitors has fired, at the same time or one after the other.

    Then it starts anew: each has to fire again.

    Args:
      monitors: a list of at least one; each may name its `metric`.

    Example:
      >>> from jaxsched import plateau, threshold
      >>> rule = all_of([threshold(0.5), plateau(patience=3)])
      >>> rule
      all_of(monitors=(threshold(target=0.5), plateau(patience=3)))
      >>> both = all_of([threshold(0.5, metric="loss"), threshold(0.9, "max", metric="accuracy")])
      >>> state = both.init()
      >>> for loss, accuracy in ((0.4, 0.8), (0.6, 0.7), (0.6, 0.9)):
      ...     state, fired = both.update(state, {"loss": loss, "accuracy": accuracy})
      ...     print(fired, end=" ")
      False False True
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


@hears("inside")
@ticking(start=lambda monitor: monitor.init(), anew=lambda state, monitor: monitor.anew(state))
def ignore_nonfinite(state: Any, value: jax.Array, observed: jax.Array, monitor: AMonitor):
    """A monitor to which a value that is NaN or infinite is no observation at all.

    Args:
      monitor: the monitor.

    Example:
      >>> from jaxsched import plateau, threshold
      >>> rule = ignore_nonfinite(plateau(patience=1))
      >>> state, fired = rule.update(rule.init(), 1.0)
      >>> print(rule.update(state, float("nan"))[1])
      False
    """
    finite = jax.tree.map(jnp.isfinite, value)
    value = jax.tree.map(lambda one, there: jnp.where(there, one, 0), value, finite)
    return monitor.update(state, value, jax.tree.map(operator.and_, observed, finite))
