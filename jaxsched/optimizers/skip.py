"""Leaving out the updates at which a monitor fires."""

import functools
import operator
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxsched.control.controllers.controller import Controller
from jaxsched.control.controllers.inbox import require
from jaxsched.control.controllers.packing import once
from jaxsched.control.controllers.restart import restart_on
from jaxsched.control.controllers.state import ControllerState, record_of
from jaxsched.control.monitors.monitor import Monitor, read_monitor
from jaxsched.core import checks
from jaxsched.optimizers.applying import an_optimizer


class SkipOnState(NamedTuple):
    """The state of `skip_on`.

    Attributes:
      inner_state: the optimizer's, as the last update left it that was not skipped.
      triggers: by metric, the state of its monitor, with its record and its inbox.
    """

    inner_state: Any
    triggers: dict[str, ControllerState]


def skip_on(
    monitor: Monitor | Mapping[str, Monitor],
    optimizer: optax.GradientTransformation,
    *,
    metric: str = "value",
    axis_name: str | tuple[str, ...] | None = None,
    require_value: bool = False,
) -> optax.GradientTransformationExtraArgs:
    """An optimizer that leaves out each update at which a monitor fires.

    At an event the update is 0 and the state of the optimizer stays, to the bit: no moment takes
    up the gradient, no count goes on, and nothing inside hears the metric. Both are selected,
    so the program has no branch. The monitor goes on at each update. A rate outside counts the
    skipped updates, one inside does not:

        optax.chain(skip_on(monitor, optax.scale_by_adam()), scale_by_learning_rate(rate))

    The record has the number of skipped updates as its `events`.

    Args:
      monitor: when to skip, such as `spike()` or `nonfinite()`; or several by the names of their
        metrics, as in `{"value": spike(), "grad_norm": spike()}`: any of them skips.
      optimizer: any optimizer; it is given the metrics and all other arguments, too.
      metric: the name of the metric of a single monitor.
      axis_name: the mapped axes of `pmap` or `shard_map` over which metrics are averaged.
      require_value: whether an update without a metric is a `TypeError`.

    Raises:
      TypeError: for what is not a monitor, or a mapping of them.
      ValueError: for a mapping without any.

    Example:
      >>> import jax.numpy as jnp, optax, jaxsched
      >>> optimizer = jaxsched.skip_on(jaxsched.nonfinite(), optax.trace(0.5))
      >>> state = optimizer.init(jnp.zeros(1))
      >>> for loss in (3.0, float("nan"), 2.5):
      ...     updates, state = optimizer.update(jnp.ones(1), state, value=loss)
      ...     print(updates, end=" ")
      [1.] [0.] [1.5]
      >>> print(jaxsched.record(state)["events"])
      1
    """
    inner = an_optimizer("optimizer", optimizer)
    triggers = _triggers(monitor, metric, axis_name)
    require_value = checks.switch("require_value", require_value)

    def init(params: optax.Params) -> SkipOnState:
        starts = {name: trigger.init() for name, trigger in triggers.items()}
        return SkipOnState(inner.init(params), starts)

    def update(
        updates: optax.Updates, state: Any, params: Any = None, **extra_args: Any
    ) -> tuple[optax.Updates, SkipOnState]:
        if require_value:
            require(state.triggers, extra_args)
        after = {
            name: trigger.update(state.triggers[name], **extra_args)
            for name, trigger in triggers.items()
        }
        skipped = functools.reduce(operator.or_, map(_fired, after.values()))
        updates, moved = inner.update(updates, state.inner_state, params, **extra_args)
        updates = jax.tree.map(lambda new: jnp.where(skipped, 0, new), updates)
        inner_state = jax.tree.map(
            lambda old, new: jnp.where(skipped, old, new), state.inner_state, moved
        )
        return updates, SkipOnState(inner_state, after)

    return optax.GradientTransformationExtraArgs(init, update)


def _triggers(monitor: Any, metric: str, axis_name: Any) -> dict[str, Controller]:
    """A record of events for each metric: a controller of a rate that there is no use for."""
    by_metric = monitor if isinstance(monitor, Mapping) else {metric: monitor}
    if not by_metric:
        checks.refuse("monitor", monitor, "a mapping of at least one metric to its monitor")
    return {
        name: restart_on(read_monitor("monitor", rule), 1.0, metric=name, axis_name=axis_name)
        for name, rule in by_metric.items()
    }


def _fired(after: ControllerState) -> jax.Array:
    """Whether the last update was an event. By the new state: a GPU would copy the old one."""
    record = record_of(after)
    # As a number computed once: every part of the state would find it out again.
    fired = record.last_event == record.updates - 1
    return once(fired.astype(jnp.float32), record.updates) > 0
