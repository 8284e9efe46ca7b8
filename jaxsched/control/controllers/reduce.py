"""The controllers: what to do with a schedule when a monitor fires."""

from typing import Any, cast

import jax.numpy as jnp

from jaxsched.control.controller import Phase, controller
from jaxsched.control.monitor import AMonitor
from jaxsched.control.options import Axis, Factor, Metric, Observations
from jaxsched.core import checks
from jaxsched.core.leaves import whole
from jaxsched.core.powers import exponential
from jaxsched.core.schedule import Operand, at
from jaxsched.core.stack import Schedules, Stack
from jaxsched.core.steps import slowed
from jaxsched.core.types import AtLeastOne, NonNegative, Positive

_UNLIMITED = 2**31 - 1


@controller()
def reduce_on(
    phase: Phase,
    monitor: AMonitor,
    schedule: Operand,
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
      schedule: a schedule or a number; it runs on, whatever happens.
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
    fired = monitor & (phase.events < _limit(max_reductions))
    events = phase.events + fired
    scale = jnp.where(fired, exponential(1.0, factor, events, 1), phase.scale)
    value = at(schedule, phase.count)
    rate = jnp.maximum(value * scale, jnp.minimum(value, min_value))
    return Phase(phase.count, events, scale), rate


def _limit(events: Any) -> Any:
    return _UNLIMITED if events is None else events


@controller()
def restart_on(
    phase: Phase,
    monitor: AMonitor,
    schedule: Operand,
    peak_mult: Positive = 1.0,
    period_mult: AtLeastOne = 1,
    max_restarts: Observations | None = None,
    metric: Metric = "value",
    axis_name: Axis | None = None,
):
    """Starts the schedule again each time a monitor fires.

        rate = peak_mult ** events schedule(count / period_mult ** events)

    `count` being the updates since the last restart. A schedule that begins with a warm-up warms
    up again.

    Args:
      monitor: when to start again.
      schedule: a schedule; after its end, its last value is held until the next restart.
      peak_mult: the rates of each run over those of the one before.
      period_mult: the length of each run over that of the one before. The schedule is
        called with fractional steps then.
      max_restarts: how often it starts again at most; None for no limit.
      metric: the name of the metric the monitor listens to.
      axis_name: the mapped axes of `pmap` or `shard_map` over which metrics are averaged.

    Example:
      >>> import jaxsched
      >>> line = jaxsched.linear_schedule(1.0, 0.0, 4)
      >>> rate = restart_on(jaxsched.plateau(patience=2), line, peak_mult=0.5)
      >>> state = rate.init()
      >>> for loss in (2.0, 1.0, 1.0, 1.0, 1.0):
      ...     print(rate(state, value=loss), end=" ")
      ...     state = rate.update(state, value=loss)
      1.0 0.75 0.5 0.5 0.375
    """
    fired = monitor & (phase.events < _limit(max_restarts))
    events = phase.events + fired
    count = jnp.where(fired, 0, phase.count)
    scale = jnp.where(fired, _power(peak_mult, events), phase.scale)
    rate = scale * at(schedule, slowed(count, _power(period_mult, events)))
    return Phase(count, events, scale), rate


def _power(base: Any, exponent: Any) -> Any:
    base = whole(base)
    if isinstance(base, int) and base == 1:
        return 1
    power = exponential(1.0, base, exponent, 1)
    return jnp.round(power) if isinstance(base, int) else power


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


def _factor_and_scales(hyperparams: dict[str, Any]) -> None:
    if not callable(hyperparams["factor"]):
        checks.positive("factor", hyperparams["factor"])
    low, high = hyperparams["min_scale"], hyperparams["max_scale"]
    checks.in_order("min_scale", low, "max_scale", high)


@controller(check=_factor_and_scales)
def scale_on(
    phase: Phase,
    monitor: AMonitor,
    schedule: Operand,
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
      schedule: a schedule or a number; it runs on, whatever happens.
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
    schedule: Operand,
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
      schedule: a schedule or a number; it runs on, whatever happens.
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
