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

from jaxsched.control.inbox import Inbox, consume, empty
from jaxsched.control.monitor import Monitor
from jaxsched.core import checks
from jaxsched.core.bound import Bound, Check, Maker
from jaxsched.core.checks import MAX_COUNT
from jaxsched.core.compiled import as_one_program

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


class Record(NamedTuple):
    """The whole numbers of a controller's state, in one vector there.

    Attributes:
      count: updates since the schedule began or began again.
      updates: updates in all.
      observations: the updates that brought a metric.
      events: the events acted on.
      last_event: the number of the update, from 0, of the last one; -1 before the first.
      observations_since_event: observations since then.
    """

    count: jax.Array  # pyright: ignore[reportIncompatibleMethodOverride]
    updates: jax.Array
    observations: jax.Array
    events: jax.Array
    last_event: jax.Array
    observations_since_event: jax.Array


class ControllerState(NamedTuple):
    """The state of every controller.

    Attributes:
      record: a `Record` as an int32 vector.
      scale: what the schedule now in force is multiplied by.
      monitors: the state of each monitor, by the name of the argument.
      inbox: metrics that the next update will consume.
    """

    record: jax.Array
    scale: jax.Array
    monitors: dict[str, Any]
    inbox: Inbox


NO_RECORD = Record(0, 0, 0, 0, -1, 0)  # pyright: ignore[reportArgumentType]


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
        names = _monitors(self.hyperparams)
        return ControllerState(
            record=jnp.array(NO_RECORD, jnp.int32),
            scale=jnp.ones(()),
            monitors={name: monitor.init() for name, monitor in names.items()},
            inbox=empty(self.hyperparams["metric"]),
        )

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
        metric = self.hyperparams["metric"]
        value = extra_args.get(metric)
        if value is not None and not checks.is_number(value):
            checks.refuse(metric, value, "a real scalar", TypeError)
        return _advance(self, state, {str(metric): value})


def _monitors(hyperparams: dict[str, Any]) -> dict[str, Monitor]:
    return {name: value for name, value in hyperparams.items() if isinstance(value, Monitor)}


@as_one_program
def _advance(
    controller: Controller, state: ControllerState, arguments: dict[str, Any]
) -> tuple[jax.Array, ControllerState]:
    hyperparams = controller.known()
    value, observed, inbox = consume(state.inbox, arguments, hyperparams["axis_name"])
    monitors, fired = {}, {}
    for name, monitor in _monitors(hyperparams).items():
        monitors[name], fired[name] = monitor.update(state.monitors[name], value, observed)

    before = Record(*state.record)
    phase = Phase(before.count, before.events, state.scale)
    phase, rate = controller.maker.function(phase, **{**hyperparams, **fired})
    acted = phase.events != before.events
    since = jnp.where(acted, 0, _next(before.observations_since_event, observed))
    record = Record(
        count=_next(phase.count),
        updates=_next(before.updates),
        observations=_next(before.observations, observed),
        events=phase.events,
        last_event=jnp.where(acted, before.updates, before.last_event),
        observations_since_event=since,
    )
    scale = jnp.asarray(phase.scale, state.scale.dtype)
    rate = jnp.asarray(rate, jnp.result_type(float))
    return rate, ControllerState(jnp.stack(record), scale, monitors, inbox)


def _next(count: jax.Array, observed: Any = True) -> jax.Array:
    return count + ((count < MAX_COUNT) & observed)


def controller(
    *, check: Check | None = None
) -> Callable[[Callable[Concatenate[Phase, P], Any]], Maker[P, Controller]]:
    """Turns `f(phase, *hyperparameters) -> (phase, rate)` into a maker of controllers.

    Two hyperparameters are read by all: `metric`, the name they listen to, and `axis_name`.
    """
    return lambda function: Maker(function, Controller, checks.number, first=1, check=check)
