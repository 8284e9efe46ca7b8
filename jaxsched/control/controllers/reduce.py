"""Lowering the rate when a monitor fires."""

import jax.numpy as jnp

from jaxsched.control.controllers.controller import Rate, controller
from jaxsched.control.controllers.limit import limit
from jaxsched.control.controllers.phase import Phase
from jaxsched.control.monitors.monitor import AMonitor
from jaxsched.control.options import Axis, Factor, Metric, Observations
from jaxsched.core.arithmetic.powers import exponential
from jaxsched.core.schedule import at
from jaxsched.core.types import NonNegative


@controller()
def reduce_on(
    phase: Phase,
    monitor: AMonitor,
    schedule: Rate,
    factor: Factor = 0.1,
    min_value: NonNegative = 0.0,
    max_reductions: Observations | None = None,
    metric: Metric = "value",
    axis_name: Axis | None = None,
):
    """Lowers the rate by a factor each time a monitor fires.

        rate = max(schedule(count) factor ** events, min(schedule(count), min_value))

    Args:
      monitor: when to lower it.
      schedule: a schedule, a number or a controller; it runs on, whatever happens.
      factor: between 0 and 1.
      min_value: the floor. It holds up reductions, not the schedule: where that is below
        the floor, the rate is the schedule.
      max_reductions: how often it is lowered at most; None for no limit.
      metric: the name of the metric the monitor listens to.
      axis_name: the mapped axes of `pmap` or `shard_map` over which metrics are averaged.

    Example:
      >>> import jaxsched
      >>> rate = reduce_on(jaxsched.plateau(patience=2), 1.0, factor=0.5)
      >>> state = rate.init()
      >>> for loss in (2.0, 1.0, 1.0, 1.0, 1.0):
      ...     print(rate(state, value=loss), end=" ")
      ...     state = rate.update(state, value=loss)
      1.0 1.0 1.0 0.5 0.5
    """
    fired = monitor & (phase.events < limit(max_reductions))
    events = phase.events + fired
    scale = jnp.where(fired, exponential(1.0, factor, events, 1), phase.scale)
    value = at(schedule, phase.count)
    rate = jnp.maximum(value * scale, jnp.minimum(value, min_value))
    return Phase(phase.count, events, scale), rate
