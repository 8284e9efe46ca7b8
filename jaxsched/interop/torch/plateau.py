"""PyTorch's reduction on a plateau as a controller."""

from typing import Any

import jax.numpy as jnp

from jaxsched.control.controllers.controller import Controller, state_of
from jaxsched.control.controllers.state import ControllerState, first_memory
from jaxsched.core import checks
from jaxsched.interop.shared.plateau import reduced_on_plateau as on_plateau
from jaxsched.interop.shared.reading import read, read_group, whole_steps
from jaxsched.interop.torch.compose import kind_of
from jaxsched.interop.torch.entry import group_rate


def reduced_on_plateau(scheduler: Any, group: int) -> Controller:
    """A `ReduceLROnPlateau` of a parameter group, from the rate in force."""
    rate = group_rate(scheduler, group, "lr")
    return on_plateau(scheduler, group, rate, rate)


def state_from_torch(scheduler: Any, *, group: int = 0) -> ControllerState:
    """The state of a `ReduceLROnPlateau` in mid-run, for the controller that `from_torch` gives.

    With the best value, the observations without improvement, and those of the cooldown still to
    come, so that the next reduction is at the observation at which PyTorch's would be. The rate in
    force is the one that the controller starts at.

    Args:
      scheduler: the scheduler. Nothing is changed.
      group: the index of the parameter group, as in `from_torch`.

    Raises:
      TypeError: for a scheduler that does not listen to a metric.
      ValueError: for an impossible attribute.

    Example:
      >>> import jaxsched
      >>> controller = jaxsched.from_torch(scheduler)  # doctest: +SKIP
      >>> optimizer = jaxsched.scale_by_learning_rate(controller)  # doctest: +SKIP
      >>> opt_state = optimizer.init(params)  # doctest: +SKIP
      >>> opt_state = opt_state._replace(
      ...     controller=jaxsched.state_from_torch(scheduler)
      ... )  # doctest: +SKIP
    """
    kind = kind_of(scheduler)
    if kind != "ReduceLROnPlateau":
        raise TypeError(f"A `{kind}` has no state but its step, at which `from_torch` begins.")
    read_group(read(scheduler, "optimizer"), "param_groups", group)
    controller = reduced_on_plateau(scheduler, group)
    fresh = controller.hyperparams["monitor"].init()
    monitor = fresh._replace(
        best_value=jnp.full_like(fresh.best_value, read(scheduler, "best", _value)),
        plateau_count=jnp.full_like(fresh.count, read(scheduler, "num_bad_epochs", whole_steps)),
        cooldown_count=jnp.full_like(fresh.count, read(scheduler, "cooldown_counter", whole_steps)),
    )
    return state_of(controller, first_memory({"monitor": monitor}))


def _value(name: str, value: Any) -> Any:
    """A metric, which may be infinite: before the first it is."""
    if not checks.is_number(value):
        checks.refuse(name, value, "a number", TypeError)
    return value
