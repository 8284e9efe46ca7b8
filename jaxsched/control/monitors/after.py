"""Monitors that begin later, as behind a warm-up."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxsched.control.monitors.hearing import hears
from jaxsched.control.monitors.monitor import AMonitor, Monitor, ticking
from jaxsched.control.options import Observations
from jaxsched.core.reach import whole_dtype


class AfterState(NamedTuple):
    """The state of `after`.

    Attributes:
      passed: updates so far, until there are enough.
      monitor: the state of the monitor.
    """

    passed: jax.Array
    monitor: Any


def _start(monitor: Monitor, **_: object) -> AfterState:
    return AfterState(jnp.zeros((), whole_dtype()), monitor.init())


def _anew(state: AfterState, monitor: Monitor, **_: object) -> AfterState:
    """A schedule that begins again warms up again."""
    return AfterState(jnp.zeros((), whole_dtype()), monitor.anew(state.monitor))


@hears("inside")
@ticking(start=_start, anew=_anew)
def after(
    state: AfterState,
    value: jax.Array,
    observed: jax.Array,
    steps: Observations,
    monitor: AMonitor,
):
    """A monitor that begins only after some updates, such as those of a warm-up.

    It hears nothing of the updates before that one whose number, counted from 0, is `steps`:
    no value is its best, and an `every` does not count them. Updates count with or without a
    metric. When a `restart_on` starts its schedule again, the monitor is deaf for as long again.

    Args:
      steps: the updates left out.
      monitor: the monitor.

    Example:
      >>> from jaxsched import plateau
      >>> rule = after(3, plateau(patience=1))
      >>> state = rule.init()
      >>> for loss in (1.0, 1.0, 1.0, 2.0, 2.0):
      ...     state, fired = rule.update(state, loss)
      ...     print(fired, end=" ")
      False False False False True
    """
    begun = state.passed >= steps
    moved, fired = monitor.update(state.monitor, value, observed)
    inner = jax.tree.map(lambda new, old: jnp.where(begun, new, old), moved, state.monitor)
    return AfterState(state.passed + ~begun, inner), begun & fired
