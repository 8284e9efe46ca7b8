"""What a controller is: a schedule, a monitor, and what to do on an event.

A controller's function is `f(phase, *hyperparameters) -> (phase, rate)`, in which each monitor
stands for whether it fires now. The decorator `controller` turns it into a maker, which
returns a `Controller`: a stateful schedule in the sense of Optax.
"""

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Concatenate, ParamSpec

import jax
import jax.numpy as jnp

from jaxsched.control.controllers.inbox import consume, given, names_in, warn_if_misspelt
from jaxsched.control.controllers.levels import (
    all_metrics,
    axis_of,
    beginning,
    check_one,
    rule_of,
)
from jaxsched.control.controllers.packing import once, together
from jaxsched.control.controllers.phase import Phase
from jaxsched.control.controllers.reacting import react
from jaxsched.control.controllers.state import (
    Contents,
    ControllerState,
    Memory,
    contents,
    counts_of,
    packed,
    unpacked,
    values_of,
)
from jaxsched.control.monitors.monitor import Monitor
from jaxsched.core.bound import Bound
from jaxsched.core.compiled import as_one_program
from jaxsched.core.maker import Check, Maker, maker
from jaxsched.core.schedule import anything, operand
from jaxsched.core.types import ScheduleFn

P = ParamSpec("P")


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
        metrics = self.metrics
        warn_if_misspelt(metrics, extra_args)
        return _advance(self, state, {name: given(name, extra_args) for name in metrics})

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the metrics that it listens to."""
        return all_metrics(self)


@as_one_program
def _init(controller: Controller) -> ControllerState:
    return state_of(controller, beginning(controller))


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
    like = jax.eval_shape(lambda: contents(beginning(controller), jnp.zeros(()), number))
    return unpacked(like, state)


@as_one_program
def _advance(
    controller: Controller, state: ControllerState, values: dict[str, jax.Array | None]
) -> tuple[jax.Array, ControllerState]:
    before = _unpacked(controller, together(state, counts_of(state)[0]))
    axis_name = axis_of(controller)
    heard = {
        name: consume(*waiting, values[name], axis_name)
        for name, waiting in zip(controller.metrics, before.inbox, strict=True)
    }
    rate, memory = react(controller, before.memory, heard)
    rate = once(rate, before.memory.record.updates)
    return rate, state_of(controller, memory, rate)


def controller(
    *bare: Any, check: Check | None = None
) -> Callable[[Callable[Concatenate[Phase, P], Any]], Maker[P, Controller]]:
    """Turns `f(phase, *hyperparameters) -> (phase, rate)` into a maker of controllers.

    The function sees where the controller stands, a `Phase`, and its hyperparameters, in which
    each monitor is whether it fires now. It returns where it stands after the event, if there
    was one, and the rate of this update. It must not branch in Python on values. The count
    goes on by itself; whoever acts on an event adds 1 to `phase.events`.

    Two hyperparameters have a meaning if it has them: `metric`, the name the controller listens
    to, "value" if not, and `axis_name`, the mapped axes over which metrics are averaged. One may
    be a controller: the function calls it once, with the count of its schedule, and it begins
    anew where that is 0 again.

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

    def checked(hyperparams: dict[str, Any]) -> None:
        check_one(hyperparams)
        if check:
            check(hyperparams)

    return lambda function: maker(function, Controller, _read, first=1, check=checked)


def _read(name: str, value: Any) -> Any:
    return value if isinstance(value, (Monitor, Controller)) else anything(name, value)


def read_rate(name: str, value: Any) -> Any:
    """What `operand` reads, or a controller."""
    return value if isinstance(value, Controller) else operand(name, value)


Rate = Annotated[ScheduleFn | float | jax.Array | Controller, read_rate]
"""A schedule, a number, or a controller, which its function calls as it would a schedule."""
