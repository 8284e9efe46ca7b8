"""Starting the schedule again when a monitor fires."""

from typing import Any

import jax.numpy as jnp

from jaxsched.control.controllers.controller import Controller, Rate, controller
from jaxsched.control.controllers.limit import limit
from jaxsched.control.controllers.phase import Phase
from jaxsched.control.monitors.monitor import AMonitor
from jaxsched.control.options import Axis, Metric, Observations
from jaxsched.core import checks
from jaxsched.core.arithmetic.chosen import whole
from jaxsched.core.arithmetic.powers import exponential
from jaxsched.core.arithmetic.steps import slowed
from jaxsched.core.schedule import at
from jaxsched.core.types import AtLeastOne, Flag, Positive


def _no_stretched_controller(hyperparams: dict[str, Any]) -> None:
    schedule, period_mult = hyperparams["schedule"], hyperparams["period_mult"]
    if isinstance(schedule, Controller) and checks.known(period_mult) not in (None, 1):
        checks.refuse("period_mult", period_mult, "1 around a controller, which counts updates")


@controller(check=_no_stretched_controller)
def restart_on(
    phase: Phase,
    monitor: AMonitor,
    schedule: Rate,
    peak_mult: Positive = 1.0,
    period_mult: AtLeastOne = 1,
    max_restarts: Observations | None = None,
    reset_monitor: Flag = True,
    metric: Metric = "value",
    axis_name: Axis | None = None,
):
    """Starts the schedule again each time a monitor fires.

        rate = peak_mult ** events schedule(count / period_mult ** events)

    `count` being the updates since the last restart. A schedule that begins with a warm-up warms
    up again.

    Args:
      monitor: when to start again.
      schedule: a schedule, whose last value is held from its end until the next restart; or a
        controller, which begins anew at each, with all that its monitors have gathered.
      peak_mult: the rates of each run over those of the one before.
      period_mult: the length of each run over that of the one before. The schedule is
        called with fractional steps then.
      max_restarts: how often it starts again at most; None for no limit.
      reset_monitor: whether the monitor begins anew at a restart, as after one a metric is worse
        for a while: its best value is forgotten. If the schedule warms up, a `cooldown` as long
        leaves out the losses of the warm-up.
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
    fired = monitor & (phase.events < limit(max_restarts))
    events = phase.events + fired
    count = jnp.where(fired, 0, phase.count)
    scale = jnp.where(fired, _power(peak_mult, events), phase.scale)
    rate = scale * at(schedule, slowed(count, _power(period_mult, events)))
    return phase._replace(count=count, events=events, scale=scale, anew=fired & reset_monitor), rate


def _power(base: Any, exponent: Any) -> Any:
    base = whole(base)
    if isinstance(base, int) and base == 1:
        return 1
    power = exponential(1.0, base, exponent, 1)
    return jnp.round(power) if isinstance(base, int) else power
