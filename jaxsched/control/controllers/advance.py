"""Going on to the next schedule when a monitor fires."""

from typing import cast

import jax.numpy as jnp

from jaxsched.control.controllers.controller import controller
from jaxsched.control.controllers.phase import Phase
from jaxsched.control.monitors.monitor import AMonitor
from jaxsched.control.options import Axis, Metric
from jaxsched.core.stack import Schedules, Stack


@controller()
def advance_on(
    phase: Phase,
    monitor: AMonitor,
    schedules: Schedules,
    metric: Metric = "value",
    axis_name: Axis | None = None,
):
    """Goes on to the next of several schedules each time a monitor fires.

        rate = scale schedules[events](count)

    `count` being the updates since it began. Each one after the first begins at the value then
    in force: `scale` is that value over the schedule's first one. So a cooldown may be
    written as a fraction, `linear_schedule(1.0, 0.0, 1000)`, or in rates. A schedule whose first
    value is 0 is taken as it is.

    Args:
      monitor: when to go on. After the last schedule its events are ignored.
      schedules: a list of schedules or numbers.
      metric: the name of the metric the monitor listens to.
      axis_name: the mapped axes of `pmap` or `shard_map` over which metrics are averaged.

    Example:
      >>> import jaxsched
      >>> cooldown = jaxsched.linear_schedule(1.0, 0.0, 4)
      >>> rate = advance_on(jaxsched.plateau(patience=2), [0.8, cooldown])
      >>> state = rate.init()
      >>> for loss in (2.0, 1.0, 1.0, 1.0, 1.0):
      ...     print(f"{rate(state, value=loss):.1f}", end=" ")
      ...     state = rate.update(state, value=loss)
      0.8 0.8 0.8 0.8 0.6
    """
    stack = cast(Stack, schedules)
    fired = monitor & (phase.events < len(stack) - 1)
    events = phase.events + fired
    count = jnp.where(fired, 0, phase.count)
    in_force = phase.scale * stack.at(phase.events, phase.count)
    first = stack.at(events, jnp.zeros_like(count))
    ratio = jnp.where(first == 0, 1, in_force / jnp.where(first == 0, 1, first))
    scale = jnp.where(fired, ratio, phase.scale)
    return Phase(count, events, scale), scale * stack.at(events, count)
