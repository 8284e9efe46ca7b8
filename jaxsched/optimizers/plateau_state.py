"""The state of `reduce_on_plateau`: a controller's, read by the names of Optax's six fields."""

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxsched.control.controllers.controller import Controller, memory_of, state_of
from jaxsched.control.controllers.packing import places
from jaxsched.control.controllers.state import (
    Contents,
    ControllerState,
    Memory,
    contents,
    counts_of,
    first_memory,
    values_of,
)
from jaxsched.control.monitors.plateau import PlateauState, plateau


class _Stored(NamedTuple):
    controller: Any


class ReduceLROnPlateauState(_Stored):
    """The state of `reduce_on_plateau`: that of a controller, with Optax's six fields to read.

    `state.scale`, unpacking and `_replace` are as in Optax. Made of the six alone, by hand or from
    a checkpoint of Optax's, it goes on where they say. `optax.tree_utils.tree_get` does not
    see them: a tree has only `controller`.

    Attributes:
      controller: what the fields are read from.
    """

    __slots__ = ()

    def __new__(cls, *fields: Any, controller: Any = None, **named: Any) -> Any:
        """From the state of a controller, or from the six, in their order or by name."""
        if controller is not None or (len(fields) == 1 and not named):
            return super().__new__(cls, *fields if controller is None else (controller,))
        return super().__new__(cls, Fields(*fields, **named))

    @property
    def scale(self) -> Any:
        """What the last update multiplied by; 1 before the first."""
        return _field(self, "scale")

    @property
    def best_value(self) -> Any:
        """The best value so far, infinite before the first."""
        return _field(self, "best_value")

    @property
    def plateau_count(self) -> Any:
        """Values without improvement in a row."""
        return _field(self, "plateau_count")

    @property
    def cooldown_count(self) -> Any:
        """Values still to be left out."""
        return _field(self, "cooldown_count")

    @property
    def count(self) -> Any:
        """Values accumulated so far."""
        return _field(self, "count")

    @property
    def avg_value(self) -> Any:
        """Their mean."""
        return _field(self, "avg_value")

    def __iter__(self) -> Iterator[Any]:
        """The six, in Optax's order."""
        return iter(_six(self))

    def __getnewargs__(self) -> tuple[Any]:
        """What a copy is made of."""
        return (self.controller,)

    def _asdict(self) -> dict[str, Any]:
        return _six(self)._asdict()

    def _replace(self, **changes: Any) -> Any:
        return type(self)(*_six(self)._replace(**changes))


class Fields(NamedTuple):
    """Optax's six fields, from which a controller can go on."""

    scale: Any
    best_value: Any
    plateau_count: Any
    cooldown_count: Any
    count: Any
    avg_value: Any


def begun(controller: Controller) -> ReduceLROnPlateauState:
    """The state before the first update, which says that the scale is 1."""
    state = controller.init()
    values = values_of(state)
    one = jnp.where(jnp.arange(values.size) == _places().rate, 1, values)
    by_metric = dict.fromkeys(state.values.by_metric, one)
    return ReduceLROnPlateauState(state._replace(values=state.values._replace(by_metric=by_metric)))


def adopted(controller: Controller, state: Any) -> ControllerState:
    """A controller's state out of ours, or one that says what Optax's six fields do."""
    held = getattr(state, "controller", state)
    if isinstance(held, ControllerState):
        return held
    scale, *fields = (jnp.asarray(getattr(held, name)) for name in Fields._fields)
    events = jnp.round(jnp.log(scale) / jnp.log(controller.known()["factor"]))
    memory = memory_of(controller, controller.init())
    monitor = PlateauState(*fields, events=events)
    record = memory.record._replace(events=events)
    told = Memory(record, scale, monitor.best_value, (), {"monitor": monitor})
    like = jax.tree.map(lambda new, old: jnp.asarray(new, old.dtype), told, memory)
    return state_of(controller, like)


def _six(state: ReduceLROnPlateauState) -> Fields:
    return Fields(*(_field(state, name) for name in Fields._fields))


def _field(state: ReduceLROnPlateauState, name: str) -> Any:
    held = state.controller
    if not isinstance(held, ControllerState):
        return getattr(held, name)
    place = _places()
    if name == "scale":
        return values_of(held)[..., place.rate]
    vector = values_of if name in ("best_value", "avg_value") else counts_of
    return vector(held)[..., getattr(place.memory.monitors["monitor"], name)]


@functools.cache
def _places() -> Contents:
    def first() -> Contents:
        return contents(first_memory({"monitor": plateau().init()}), jnp.zeros(()), 1)

    return places(jax.eval_shape(first))
