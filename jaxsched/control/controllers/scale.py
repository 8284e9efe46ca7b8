"""Multiplying the rate when a monitor fires, up and down."""

from typing import Any

import jax.numpy as jnp

from jaxsched.control.controllers.controller import Rate, controller
from jaxsched.control.controllers.phase import Phase
from jaxsched.control.monitors.monitor import AMonitor
from jaxsched.control.options import Axis, Factor, Metric
from jaxsched.core import checks
from jaxsched.core.schedule import Operand, at
from jaxsched.core.types import NonNegative


def _factor_and_scales(hyperparams: dict[str, Any]) -> None:
    if not callable(hyperparams["factor"]):
        checks.positive("factor", hyperparams["factor"])
    low, high = hyperparams["min_scale"], hyperparams["max_scale"]
    checks.in_order("min_scale", low, "max_scale", high)


@controller(check=_factor_and_scales)
def scale_on(
    phase: Phase,
    monitor: AMonitor,
    schedule: Rate,
    factor: Operand,
    min_scale: NonNegative = 0.0,
    max_scale: NonNegative = 1.0,
    metric: Metric = "value",
    axis_name: Axis | None = None,
):
    """Multiplies the rate, by a factor that may depend on it, each time a monitor fires.

        rate = scale schedule(count)
        scale <- min(max(scale factor, min_scale), max_scale)     when it fires

    Args:
      monitor: when to multiply.
      schedule: a schedule, a number or a controller; it runs on, whatever happens.
      factor: a number, which may be above 1, or a function of the rate in force.
      min_scale: how far below the schedule the rate may go, as a fraction of it.
      max_scale: how far above it may go.
      metric: the name of the metric the monitor listens to.
      axis_name: the mapped axes of `pmap` or `shard_map` over which metrics are averaged.

    Example:
      >>> import jaxsched
      >>> rate = scale_on(jaxsched.worsening(), 0.1, factor=2.0, max_scale=4.0)
      >>> state = rate.init()
      >>> for loss in (1.0, 2.0, 3.0, 4.0):
      ...     print(rate(state, value=loss), end=" ")
      ...     state = rate.update(state, value=loss)
      0.1 0.2 0.4 0.4
    """
    value = at(schedule, phase.count)
    scaled = phase.scale * at(factor, jnp.asarray(phase.scale * value))
    scaled = jnp.clip(scaled, min_scale, max_scale)
    scale = jnp.where(monitor, scaled, phase.scale)
    return Phase(phase.count, phase.events + monitor, scale), scale * value


@controller(check=_factor_and_scales)
def raise_and_lower_on(
    phase: Phase,
    raise_on: AMonitor,
    lower_on: AMonitor,
    schedule: Rate,
    factor: Factor = 0.95,
    min_scale: NonNegative = 0.01,
    max_scale: NonNegative = 10.0,
    metric: Metric = "value",
    axis_name: Axis | None = None,
):
    """Raises the rate while a metric improves, and lowers it when it stagnates.

        rate = scale schedule(count)
        scale <- min(scale / factor, max_scale)     when `raise_on` fires
        scale <- max(scale factor, min_scale)       when `lower_on` fires

    Known as GreedyLR, there with one patience for both. The bounds here are fractions of the
    schedule, so they are safe for any rate. Where both fire at once, the scale stays.

    Args:
      raise_on: when to raise it, such as `improving(patience=10)`.
      lower_on: when to lower it, such as `plateau(patience=10)`.
      schedule: a schedule, a number or a controller; it runs on, whatever happens.
      factor: between 0 and 1.
      min_scale: how far below the schedule the rate may go, as a fraction of it.
      max_scale: how far above it may go.
      metric: the name of the metric the monitors listen to.
      axis_name: the mapped axes of `pmap` or `shard_map` over which metrics are averaged.

    Source: arXiv 2512.14527.

    Example:
      >>> import jaxsched
      >>> rate = raise_and_lower_on(
      ...     jaxsched.improving(patience=2), jaxsched.plateau(patience=1), 0.4, factor=0.5
      ... )
      >>> state = rate.init()
      >>> for loss in (3.0, 2.0, 2.0, 2.0):
      ...     print(rate(state, value=loss), end=" ")
      ...     state = rate.update(state, value=loss)
      0.4 0.8 0.4 0.2
    """
    raised = jnp.minimum(phase.scale / factor, max_scale)
    lowered = jnp.maximum(phase.scale * factor, min_scale)
    scale = jnp.where(raise_on, raised, jnp.where(lower_on, lowered, phase.scale))
    acts = raise_on ^ lower_on
    scale = jnp.where(acts, scale, phase.scale)
    return Phase(phase.count, phase.events + acts, scale), scale * at(schedule, phase.count)
