"""A flag in an optimizer's state that says when to stop training."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxsched.control.controllers.inbox import require
from jaxsched.control.controllers.restart import restart_on
from jaxsched.control.controllers.state import ControllerState, record_of
from jaxsched.control.monitors.monitor import Monitor


class StopOnState(NamedTuple):
    """The state of `stop_on`.

    Attributes:
      trigger: the state of the monitor, with its record and its inbox.
    """

    trigger: ControllerState


def stop_on(
    monitor: Monitor,
    *,
    metric: str = "value",
    axis_name: str | tuple[str, ...] | None = None,
    require_value: bool = False,
) -> optax.GradientTransformationExtraArgs:
    """Early stopping: raises a flag when a monitor fires, which `should_stop` reads.

    Leaves updates as they are; it is for anywhere in an `optax.chain`. The flag stays up.

    Args:
      monitor: when to stop.
      metric: the name of the metric the monitor listens to.
      axis_name: the mapped axes of `pmap` or `shard_map` over which metrics are averaged.
      require_value: whether an update without the metric is a `TypeError`.

    Example:
      >>> import jax.numpy as jnp, optax, jaxsched
      >>> patience = jaxsched.plateau(patience=2)
      >>> optimizer = optax.chain(optax.sgd(0.1), jaxsched.stop_on(patience))
      >>> state = optimizer.init(jnp.ones(2))
      >>> for loss in (1.0, 1.0, 1.0, 1.0, 1.0):
      ...     updates, state = optimizer.update(jnp.ones(2), state, value=loss)
      ...     if jaxsched.should_stop(state):
      ...         break
      >>> print(jaxsched.record(state)["updates"])
      3
    """
    trigger = restart_on(
        monitor, 1.0, max_restarts=1, reset_monitor=False, metric=metric, axis_name=axis_name
    )

    def init(params: optax.Params) -> StopOnState:
        del params
        return StopOnState(trigger.init())

    def update(
        updates: optax.Updates, state: Any, params: Any = None, **extra_args: Any
    ) -> tuple[optax.Updates, StopOnState]:
        del params
        if require_value:
            require(state.trigger, extra_args)
        return updates, StopOnState(trigger.update(state.trigger, **extra_args))

    return optax.GradientTransformationExtraArgs(init, update)


def should_stop(opt_state: Any) -> jax.Array:
    """Whether a `stop_on` in an optimizer's state has fired, at any update so far.

    A check on the host each step waits for the step; every so many steps is enough. Works inside
    of `jit`, too, as the condition of a `lax.while_loop` around whole steps.

    Args:
      opt_state: an optimizer's state, or any tree that holds one, such as a Flax `TrainState`.

    Returns:
      A boolean scalar array.

    Raises:
      ValueError: if there is no `stop_on`.

    Example:
      >>> import jax.numpy as jnp, jaxsched
      >>> state = jaxsched.stop_on(jaxsched.threshold(0.1)).init(jnp.ones(2))
      >>> print(jaxsched.should_stop(state))
      False
    """
    nodes = jax.tree.leaves(opt_state, is_leaf=_is_stop)
    events = [record_of(node.trigger).events for node in nodes if _is_stop(node)]
    if not events:
        raise ValueError("No `stop_on` in this state: put one into the `optax.chain`.")
    return jnp.stack([jnp.any(number > 0) for number in events]).any()


def _is_stop(node: Any) -> bool:
    return isinstance(node, StopOnState)
