"""What a controller remembers, and how it is kept in two vectors."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxsched.control.controllers.inbox import Inbox, joined, names_in, waiting_in
from jaxsched.control.controllers.packing import pack, unpack
from jaxsched.core.reach import reach, whole_dtype


class Record(NamedTuple):
    """What a controller has seen and done.

    Attributes:
      count: updates since the schedule began or began again.
      updates: updates in all.
      observations: the updates that brought a metric.
      events: the events acted on.
      last_event: the number of the update, from 0, of the last one; -1 before the first.
      observations_since_event: observations since then.
    """

    count: jax.Array
    updates: jax.Array
    observations: jax.Array
    events: jax.Array
    last_event: jax.Array
    observations_since_event: jax.Array


class Memory(NamedTuple):
    """What a controller remembers from update to update.

    Attributes:
      record: what it has seen and done.
      scale: what the schedule now in force is multiplied by.
      best_value: the best value of the first monitor that keeps one; infinite if none does.
      inner: what the controller that stands for its schedule remembers, if there is one.
      monitors: the state of each monitor, by the name of the argument.
    """

    record: Record
    scale: jax.Array
    best_value: jax.Array
    inner: tuple[Any, ...]
    monitors: dict[str, Any]


class ControllerState(NamedTuple):
    """The state of every controller, in two vectors.

    Attributes:
      counts: the whole numbers, first those of the `Record`, by the rule they belong to: the
        names of its monitors.
      values: the real numbers: the sum and the number of the values that `observe` has left, of
        each metric, the value at the last update, the scale, the best value, and those of the
        monitors.
    """

    counts: dict[str, jax.Array]
    values: Inbox


class Contents(NamedTuple):
    """What is packed into a state, in the order of its real numbers.

    Attributes:
      inbox: for each metric, in the order of their names, the sum of the values that wait, and
        their number.
      rate: the value at the last update.
      memory: the rest.
    """

    inbox: tuple[tuple[jax.Array, jax.Array], ...]
    rate: jax.Array
    memory: Memory


_AROUND = " around "
"""Between the rules of a controller and of the one inside of it."""


NO_MONITOR = "no monitor"
"""The rule of a controller without any, such as one that follows another."""


def joined_rules(rules: Iterable[str]) -> str:
    """The rule of controllers inside of one another, from without to within."""
    return _AROUND.join(rules)


def depth_of(state: ControllerState) -> int:
    """How many controllers there are inside of one another."""
    (rule,) = state.counts
    return 1 + rule.count(_AROUND)


def acting_levels(state: ControllerState) -> list[int]:
    """The levels that have a monitor, from without to within; the outermost if none has."""
    (rule,) = state.counts
    return [i for i, own in enumerate(rule.split(_AROUND)) if own != NO_MONITOR] or [0]


def record_of(state: ControllerState, level: int = 0) -> Record:
    """The record in a state, which may have leading axes, as one replicated over devices has.

    The records of controllers inside of one another come first, from without to within.
    """
    size = len(Record._fields)
    own = counts_of(state)[..., level * size : (level + 1) * size]
    return Record(*jnp.moveaxis(own, -1, 0))


def innermost_count(state: ControllerState) -> jax.Array:
    """Where the schedule in a state is, which may be that of a controller inside of others."""
    return record_of(state, depth_of(state) - 1).count


def counts_of(state: ControllerState) -> jax.Array:
    """The vector of whole numbers in a state."""
    (counts,) = state.counts.values()
    return counts


def values_of(state: ControllerState) -> jax.Array:
    """The vector of real numbers in a state."""
    (values,) = state.values.by_metric.values()
    return values


def best_value_of(state: ControllerState, level: int = 0) -> jax.Array:
    """The best metric in a state; infinite if its monitors keep none."""
    return values_of(state)[..., 2 * len(names_in(state.values)) + 2 * level + 2]


def scale_of(state: ControllerState, level: int = 0) -> jax.Array:
    """What the schedule in a state is multiplied by."""
    return values_of(state)[..., 2 * len(names_in(state.values)) + 2 * level + 1]


def rate_of(state: ControllerState) -> jax.Array:
    """The value at the last update."""
    return values_of(state)[..., 2 * len(names_in(state.values))]


def waiting_of(state: ControllerState) -> dict[str, tuple[jax.Array, jax.Array]]:
    """How many values of each metric wait in a state for the next update, and their mean."""
    return {
        name: (number, total / jnp.maximum(number, 1))
        for name, (total, number) in waiting_in(state.values).items()
    }


def first_memory(monitors: dict[str, Any], inner: tuple[Memory, ...] = ()) -> Memory:
    """What is remembered before the first update, from the states of the monitors."""
    record = Record(*jnp.array([0, 0, 0, 0, -1, 0], whole_dtype()))
    return Memory(record, jnp.ones(()), best_value((monitors, inner)), inner, monitors)


def contents(memory: Memory, rate: jax.Array, metrics: int) -> Contents:
    """The contents of a state that remembers this, with nothing in its inbox."""
    zero = jnp.zeros_like(rate)
    return Contents(((zero, zero),) * metrics, rate, memory)


def packed(rule: str, metrics: Iterable[str], memory: Memory, rate: Any = 0.0) -> ControllerState:
    """What is remembered, in two vectors, with nothing in the inbox."""
    names = list(metrics)
    rate = jnp.asarray(rate, memory.scale.dtype)
    counts, values = pack(contents(memory, rate, len(names)))
    return ControllerState({rule: counts}, Inbox({joined(names): values}))


def unpacked(like: Contents, state: ControllerState) -> Contents:
    """The contents of a state, with the structure of `like`."""
    return unpack(like, counts_of(state), values_of(state))


def best_value(monitors: Any) -> jax.Array:
    """The best value of the first monitor that keeps one; infinite if none does."""
    leaves = jax.tree_util.tree_leaves_with_path(monitors)
    best = (leaf for path, leaf in leaves if path[-1] == jax.tree_util.GetAttrKey("best_value"))
    return next(best, jnp.full((), jnp.inf))


def recorded(before: Record, count: jax.Array, events: jax.Array, observed: jax.Array) -> Record:
    """The record after an update that leaves a controller at a count and a number of events."""
    acted = events != before.events
    since = _next(before.observations_since_event, observed)
    return Record(
        count=_next(count),
        updates=_next(before.updates),
        observations=_next(before.observations, observed),
        events=events,
        last_event=jnp.where(acted, before.updates, before.last_event),
        observations_since_event=jnp.where(acted, 0, since),
    )


def _next(count: jax.Array, observed: Any = True) -> jax.Array:
    return count + ((count < reach()) & observed)
