"""What a controller is: a schedule, a monitor, and what to do on an event.

A controller's function is `f(phase, *hyperparameters) -> (phase, rate)`, in which each monitor
stands for whether it fires now. The decorator `controller` turns it into a maker, which
returns a `Controller`: a stateful schedule in the sense of Optax.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Concatenate, NamedTuple, ParamSpec

import jax
import jax.numpy as jnp

from jaxsched.control.inbox import consume, given
from jaxsched.control.monitor import Monitor
from jaxsched.control.packing import once, together
from jaxsched.control.state import (
    Contents,
    ControllerState,
    Memory,
    best_value,
    packed,
    recorded,
    start,
    unpacked,
)
from jaxsched.core.bound import Bound, Check, Maker
from jaxsched.core.compiled import as_one_program
from jaxsched.core.schedule import anything

P = ParamSpec("P")


class Phase(NamedTuple):
    """Where a controller stands.

    Attributes:
      count: updates since the schedule began or began again; int32.
      events: the events that it has acted on; int32.
      scale: what the schedule now in force is multiplied by; float32.
    """

    count: jax.Array  # pyright: ignore[reportIncompatibleMethodOverride]
    events: jax.Array
    scale: jax.Array


@jax.tree_util.register_pytree_with_keys_class
@dataclass(frozen=True, eq=False, repr=False)
class Controller(Bound):
    """A schedule that reacts to a metric: an `optax.schedules.StatefulSchedule`.

    For `jaxsched.scale_by_learning_rate`, or for any hyperparameter of
    `optax.inject_hyperparams`. The metric comes by `update(..., value=loss)` or by
    `jaxsched.observe`.

    Attributes:
      maker: what made it; static.
      hyperparams: the numbers, schedules and monitors by name; the leaves. Not to be
        changed in place: see `replace`.
    """

    def init(self) -> ControllerState:
        """The state before the first update."""
        return _init(self)

    def update(self, state: ControllerState, **extra_args: Any) -> ControllerState:
        """The state after an update that brings the metrics in `extra_args`, if any."""
        return self.advance(state, **extra_args)[1]

    def __call__(self, state: ControllerState, **extra_args: Any) -> jax.Array:
        """The value at the update that brings the metrics in `extra_args`."""
        return self.advance(state, **extra_args)[0]

    def advance(
        self, state: ControllerState, **extra_args: Any
    ) -> tuple[jax.Array, ControllerState]:
        """Both: the value at an update, and the state after it."""
        if not isinstance(state, ControllerState):
            raise TypeError(
                f"`{self.maker}` reacts to a metric, so its value is not a function of"
                f" {state!r} but of its own state. Use it in"
                " `jaxsched.scale_by_learning_rate(controller)`, or in"
                " `optax.inject_hyperparams(optax.adam)(learning_rate=controller)`."
            )
        return _advance(self, state, given(self.metric, extra_args))

    @property
    def metric(self) -> str:
        """The name of the metric it listens to."""
        return str(self.hyperparams.get("metric", "value"))


def _monitors(hyperparams: dict[str, Any]) -> dict[str, Monitor]:
    return {name: value for name, value in hyperparams.items() if isinstance(value, Monitor)}


def _start(controller: Controller) -> Contents:
    return start({name: m.init() for name, m in _monitors(controller.hyperparams).items()})


@as_one_program
def _init(controller: Controller) -> ControllerState:
    return packed(controller.metric, _start(controller))


def memory_of(controller: Controller, state: ControllerState) -> Memory:
    """What a state holds, taken out of its vectors."""
    return _unpacked(controller, state).memory


def _unpacked(controller: Controller, state: ControllerState) -> Contents:
    return unpacked(jax.eval_shape(lambda: _start(controller)), state)


@as_one_program
def _advance(
    controller: Controller, state: ControllerState, value: jax.Array | None
) -> tuple[jax.Array, ControllerState]:
    before = _unpacked(controller, together(state, state.counts[0]))
    axis_name = controller.hyperparams.get("axis_name")
    heard = consume(before.total, before.number, value, axis_name)
    rate, memory = _react(controller, before.memory, *heard)
    rate = once(rate, before.memory.record.updates)
    zero = jnp.zeros_like(rate)
    return rate, packed(controller.metric, Contents(zero, zero, rate, memory))


def _react(
    controller: Controller, before: Memory, value: jax.Array, observed: jax.Array
) -> tuple[jax.Array, Memory]:
    """The value at an update, and what is to be remembered after it."""
    hyperparams = controller.known()
    monitors, fired = {}, {}
    for name, monitor in _monitors(hyperparams).items():
        monitors[name], fired[name] = monitor.update(before.monitors[name], value, observed)
    phase = Phase(before.record.count, before.record.events, before.scale)
    phase, rate = controller.maker.function(phase, **{**hyperparams, **fired})
    record = recorded(before.record, phase.count, phase.events, observed)
    scale = jnp.asarray(phase.scale, before.scale.dtype)
    after = Memory(record, scale, best_value(monitors), monitors)
    return jnp.asarray(rate, before.scale.dtype), after


def controller(
    *, check: Check | None = None
) -> Callable[[Callable[Concatenate[Phase, P], Any]], Maker[P, Controller]]:
    """Turns `f(phase, *hyperparameters) -> (phase, rate)` into a maker of controllers.

    The function sees where the controller stands, a `Phase`, and its hyperparameters, in which
    each monitor is whether it fires now. It returns where it stands after the event, if there
    was one, and the rate of this update. It must not branch in Python on values. The count
    goes on by itself; whoever acts on an event adds 1 to `phase.events`.

    Two hyperparameters have a meaning if it has them: `metric`, the name the controller listens
    to, "value" if not, and `axis_name`, the mapped axes over which metrics are averaged.

    Args:
      check: called with the dict of hyperparameters when a controller is made.

    Example:
      >>> import jax, jaxsched
      >>> @jaxsched.controller()
      ... def hold_on(phase, monitor, peak_value, end_value):
      ...     phase = phase._replace(events=phase.events + monitor)
      ...     return phase, jax.numpy.where(phase.events > 0, end_value, peak_value)
      >>> rate = hold_on(jaxsched.threshold(0.5), peak_value=0.1, end_value=0.01)
      >>> state = rate.init()
      >>> for loss in (1.0, 0.4, 0.6):
      ...     print(rate(state, value=loss), end=" ")
      ...     state = rate.update(state, value=loss)
      0.1 0.01 0.01
    """
    return lambda function: Maker(function, Controller, _read, first=1, check=check)


def _read(name: str, value: Any) -> Any:
    return value if isinstance(value, Monitor) else anything(name, value)
