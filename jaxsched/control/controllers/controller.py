"""What a controller is: a schedule, a monitor, and what to do on an event.

A controller's function is `f(phase, *hyperparameters) -> (phase, rate)`, in which each monitor
stands for whether it fires now. The decorator `controller` turns it into a maker, which
returns a `Controller`: a stateful schedule in the sense of Optax.
"""

import functools
import operator
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Concatenate, NamedTuple, ParamSpec

import jax
import jax.numpy as jnp

from jaxsched.control.controllers.inbox import consume, given, names_in
from jaxsched.control.controllers.packing import once, together
from jaxsched.control.controllers.state import (
    Contents,
    ControllerState,
    Memory,
    best_value,
    contents,
    counts_of,
    first_memory,
    packed,
    recorded,
    unpacked,
    values_of,
)
from jaxsched.control.monitors.hearing import UNNAMED, metrics_of
from jaxsched.control.monitors.monitor import Monitor, name_of
from jaxsched.core.bound import Bound
from jaxsched.core.compiled import as_one_program
from jaxsched.core.maker import Check, Maker, maker
from jaxsched.core.schedule import anything
from jaxsched.core.traced import saying_how_to_branch

P = ParamSpec("P")


class Phase(NamedTuple):
    """Where a controller stands: what the function of a `controller` is given, and returns.

    It returns `phase, rate`: the phase after the event, if there was one, and the rate of this
    update. `phase._replace(count=...)` changes a field; the count goes on by itself.

    Attributes:
      count: updates since the schedule began or began again; a whole number.
      events: the events that it has acted on; likewise.
      scale: what the schedule now in force is multiplied by; float32.
      updates: updates in all, before this one; to be read.
      anew: whether the monitors begin anew after this update, as after a restart; False unless
        the function says so.
    """

    count: jax.Array
    events: jax.Array
    scale: jax.Array
    updates: Any = 0
    anew: Any = False


@jax.tree_util.register_pytree_with_keys_class
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

    __slots__ = ()

    def init(self, *params: Any) -> ControllerState:
        """The state before the first update."""
        if params:
            raise TypeError(
                f"`{self.__name__}` is a learning rate and no transformation. Write"
                f" `optax.chain(..., jaxsched.scale_by_learning_rate({self.__name__}(...)))`."
            )
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
                f"`{self.__name__}` reacts to a metric, so its value is not a function of"
                f" {state!r} but of its own state. Use it in"
                " `jaxsched.scale_by_learning_rate(controller)`, or in"
                " `optax.inject_hyperparams(optax.adam)(learning_rate=controller)`."
            )
        check_owner(self, state)
        return _advance(self, state, {name: given(name, extra_args) for name in self.metrics})

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the metrics that it listens to."""
        own = _own_metric(self)
        monitors = _monitors(self.hyperparams).values()
        named = set[str]().union(*map(metrics_of, monitors)) or {UNNAMED}
        return tuple(sorted({name or own for name in named}))


def _monitors(hyperparams: dict[str, Any]) -> dict[str, Monitor]:
    """The monitors by the names of the arguments, in the order of a tree's."""
    return {n: value for n, value in sorted(hyperparams.items()) if isinstance(value, Monitor)}


def _own_metric(controller: Controller) -> str:
    """The name of the metric of those of its monitors that name none."""
    return str(controller.hyperparams.get("metric", "value"))


def _start(controller: Controller) -> Memory:
    return first_memory({name: m.init() for name, m in _monitors(controller.hyperparams).items()})


@as_one_program
def _init(controller: Controller) -> ControllerState:
    return state_of(controller, _start(controller))


def rule_of(controller: Controller) -> str:
    """What the states of a controller belong to: the names of its monitors."""
    return ", ".join(map(name_of, _monitors(controller.hyperparams).values()))


def check_owner(controller: Controller, state: ControllerState) -> None:
    """Raises for a state of another rule, which would be misread."""
    real = jnp.result_type(float)
    own = f"of `{rule_of(controller)}` on {_shown(controller.metrics)} in {real}"
    if isinstance(state.counts, dict):
        (rule,), metrics = state.counts, names_in(state.values)
        found = f"of `{rule}` on {_shown(metrics)} in {jnp.result_type(values_of(state))}"
    else:
        found = "of another version"
    if found != own:
        raise ValueError(
            f"This state is {found}, and that of `{controller.__name__}` {own}."
            " `jaxsched.carry_over` goes on with the schedule where it was, and with a monitor that"
            " begins anew."
        )


def _shown(metrics: Iterable[str]) -> str:
    return " and ".join(f"`{name}`" for name in metrics)


def memory_of(controller: Controller, state: ControllerState) -> Memory:
    """What a state holds, taken out of its vectors."""
    return _unpacked(controller, state).memory


def state_of(controller: Controller, memory: Memory, rate: Any = 0.0) -> ControllerState:
    """A state that remembers this, with nothing in its inbox."""
    return packed(rule_of(controller), controller.metrics, memory, rate)


def _unpacked(controller: Controller, state: ControllerState) -> Contents:
    number = len(controller.metrics)
    like = jax.eval_shape(lambda: contents(_start(controller), jnp.zeros(()), number))
    return unpacked(like, state)


@as_one_program
def _advance(
    controller: Controller, state: ControllerState, values: dict[str, jax.Array | None]
) -> tuple[jax.Array, ControllerState]:
    before = _unpacked(controller, together(state, counts_of(state)[0]))
    axis_name = controller.hyperparams.get("axis_name")
    heard = {
        name: consume(*waiting, values[name], axis_name)
        for name, waiting in zip(controller.metrics, before.inbox, strict=True)
    }
    rate, memory = _react(controller, before.memory, heard)
    rate = once(rate, before.memory.record.updates)
    return rate, state_of(controller, memory, rate)


Heard = dict[str, tuple[jax.Array, jax.Array]]
"""By the name of the metric its value, and whether there is one."""


def _react(controller: Controller, before: Memory, heard: Heard) -> tuple[jax.Array, Memory]:
    """The value at an update, and what is to be remembered after it."""
    hyperparams = controller.known()
    monitors, fired, rules = {}, {}, _monitors(hyperparams)
    value, observed = _by_monitor(controller, heard)
    for name, monitor in rules.items():
        del hyperparams[name]
        monitors[name], fired[name] = monitor.update(before.monitors[name], value, observed)
    record = before.record
    observed = functools.reduce(operator.or_, (heard[name][1] for name in controller.metrics))
    phase = Phase(record.count, record.events, before.scale, record.updates)
    with saying_how_to_branch():
        phase, rate = _pair(controller, controller.maker.function(phase, **hyperparams, **fired))
    monitors = {name: _anew(rules[name], phase, state) for name, state in monitors.items()}
    record = recorded(record, phase.count, phase.events, observed)
    scale = jnp.asarray(phase.scale, before.scale.dtype)
    after = Memory(record, scale, best_value(monitors), monitors)
    return jnp.asarray(rate, before.scale.dtype), after


def _by_monitor(controller: Controller, heard: Heard) -> tuple[Any, Any]:
    """What its monitors hear: one metric, or several by name."""
    names = controller.metrics
    if len(names) == 1:
        return heard[names[0]]
    nothing = jnp.zeros(()), jnp.zeros((), bool)
    every = {name: heard[name] for name in names}
    every[UNNAMED] = heard.get(_own_metric(controller), nothing)
    return {n: one for n, (one, _) in every.items()}, {n: there for n, (_, there) in every.items()}


def _anew(monitor: Monitor, phase: Phase, state: Any) -> Any:
    """The state of a monitor after an update, or as it begins anew."""
    if phase.anew is False:
        return state
    return jax.tree.map(partial(jnp.where, phase.anew), monitor.anew(state), state)


def _pair(controller: Controller, returned: Any) -> tuple[Phase, Any]:
    if isinstance(returned, tuple) and len(returned) == 2 and isinstance(returned[0], Phase):
        return returned
    raise TypeError(f"`{controller.__name__}` must return a pair `phase, rate`, got {returned!r}.")


def controller(
    *bare: Any, check: Check | None = None
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
    if bare:
        raise TypeError("Write `@controller()`, with parentheses.")
    return lambda function: maker(function, Controller, _read, first=1, check=check)


def _read(name: str, value: Any) -> Any:
    return value if isinstance(value, Monitor) else anything(name, value)
