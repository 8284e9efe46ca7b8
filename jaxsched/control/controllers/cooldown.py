"""Going down to an end when a monitor fires."""

from typing import Annotated, Any

import jax.numpy as jnp

from jaxsched.control.controllers.controller import Rate, controller
from jaxsched.control.controllers.phase import Phase
from jaxsched.control.monitors.monitor import AMonitor
from jaxsched.control.options import Axis, Metric
from jaxsched.core import checks
from jaxsched.core.arithmetic.shapes import Shape, check_ends, ramp
from jaxsched.core.schedule import at
from jaxsched.core.types import Steps

Share = Annotated[float | Any, checks.fraction]


def _one_length(hyperparams: dict[str, Any]) -> None:
    given = [name for name in ("cooldown_steps", "fraction") if hyperparams[name] is not None]
    if len(given) != 1:
        raise TypeError(
            "`cooldown_on` needs either `cooldown_steps` or `fraction`,"
            f" got {' and '.join(given) or 'neither'}."
        )
    check_ends(hyperparams["shape"], end_scale=hyperparams["end_scale"])


@controller(check=_one_length)
def cooldown_on(
    phase: Phase,
    monitor: AMonitor,
    schedule: Rate,
    cooldown_steps: Steps | None = None,
    end_scale: Share = 0.0,
    shape: Shape = "linear",
    fraction: Share | None = None,
    metric: Metric = "value",
    axis_name: Axis | None = None,
):
    """Follows a schedule until a monitor fires, and then goes down from the rate in force.

        rate = schedule(count)                                       before the first event
        rate = from r to end_scale r in cooldown_steps, by a shape    from there on

    r being the schedule's value at that event; later events are ignored. Usually a warm-up to a
    constant: a stable phase that lasts as long as it pays. For other schedules after the
    event, see `advance_on`.

    Args:
      monitor: when to begin the cooldown.
      schedule: a schedule, a number or a controller.
      cooldown_steps: the length of the cooldown; or else
      fraction: its length over that of the run before it, from 0 to 1.
      end_scale: where it ends, as a fraction of the rate at its begin; held from then on.
      shape: how it goes down, as in `with_cooldown`.
      metric: the name of the metric the monitor listens to.
      axis_name: the mapped axes of `pmap` or `shard_map` over which metrics are averaged.

    Raises:
      TypeError: for both lengths, or neither.

    Example:
      >>> import jaxsched
      >>> rate = cooldown_on(jaxsched.plateau(patience=2), 0.8, cooldown_steps=4)
      >>> state = rate.init()
      >>> for loss in (2.0, 1.0, 1.0, 1.0, 1.0):
      ...     print(f"{rate(state, value=loss):.1f}", end=" ")
      ...     state = rate.update(state, value=loss)
      0.8 0.8 0.8 0.8 0.6
    """
    fired = monitor & (phase.events == 0)
    events = phase.events + fired
    count = jnp.where(fired, 0, phase.count)
    value = at(schedule, phase.count)
    scale = jnp.where(fired, value, phase.scale)
    steps = cooldown_steps if fraction is None else jnp.round(fraction * (phase.updates - count))
    cooling = ramp(shape, scale, scale * end_scale, count, steps)
    after = phase._replace(count=count, events=events, scale=scale)
    return after, jnp.where(events > 0, cooling, value)
