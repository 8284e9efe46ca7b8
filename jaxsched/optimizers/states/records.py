"""What controllers have seen and done, read from an optimizer's state."""

import math
from typing import Any

import jax
from jax.tree_util import GetAttrKey, keystr, tree_flatten_with_path

from jaxsched.control.controllers.state import (
    ControllerState,
    acting_levels,
    best_value_of,
    record_of,
    scale_of,
    waiting_of,
)
from jaxsched.core import checks
from jaxsched.optimizers.states.finding import nothing_found, the_one
from jaxsched.optimizers.states.reading import learning_rate


def record(opt_state: Any, *, all: bool = False) -> Any:
    """What the controllers in an optimizer's state have seen and done, as arrays for a logger.

    A run that no metric ever reached shows in `observations`, which stays 0.

    Args:
      opt_state: an optimizer's state, or any tree that holds one.
      all: whether to return the records of all controllers found, as a dict from paths.

    Returns:
      A dict of scalar arrays, with `all` one for each path:

      - `updates`: the updates so far;
      - `observations`: those that brought a metric;
      - `events`: the events acted on;
      - `last_event`: the number of the update of the last one, from 0; -1 if there was none;
      - `observations_since_event`: observations since then, or since the start;
      - `count`: updates since the schedule began, or began again;
      - `scale`: what events have multiplied the schedule by, before a floor holds it up;
      - `best_value`: the best metric so far; infinite before the first, and for monitors that
        keep none;
      - `waiting`: the metrics that `observe` has left for the next update, and
      - `waiting_value`: their mean, 0 if there are none. Where monitors hear several metrics, both
        with the name of each behind, as in `waiting_accuracy`.

      Of a controller inside of another, what it has done itself is under the same names with
      `inner_` before them, but for what waits.

      Of a `reset_on` around a controller, the record is the controller's.

    Raises:
      ValueError: if there is no controller, or if there are several whose records differ
        and `all` is false. The message lists their paths.

    Example:
      >>> import jax.numpy as jnp, jaxsched
      >>> optimizer = jaxsched.reduce_on_plateau(patience=1)
      >>> state = optimizer.init(jnp.ones(2))
      >>> for loss in (0.5, 0.7):
      ...     _, state = optimizer.update(jnp.ones(2), state, value=loss)
      >>> print({name: round(float(value), 6) for name, value in jaxsched.record(state).items()})
      ... # doctest: +NORMALIZE_WHITESPACE
      {'count': 2.0, 'updates': 2.0, 'observations': 2.0, 'events': 1.0, 'last_event': 1.0,
       'observations_since_event': 0.0, 'scale': 0.1, 'best_value': 0.5, 'waiting': 0.0,
       'waiting_value': 0.0}
    """
    all = checks.switch("all", all)
    leaves = tree_flatten_with_path(opt_state, is_leaf=_is_controller)[0]
    found = {path: _record(node) for path, node in leaves if _is_controller(node)}
    if not found:
        raise nothing_found("No controller in this state.", opt_state)
    if all:
        return {keystr(path): one for path, one in found.items()}
    return the_one("records", {keystr(path): one for path, one in _of_rates(found).items()})


def log_values(opt_state: Any) -> dict[str, float | int]:
    """The rate and the record in an optimizer's state as plain numbers, for any logger.

    One transfer from the device. Not for use inside of `jit`.

    Args:
      opt_state: an optimizer's state, or any tree that holds one.

    Returns:
      A dict of Python numbers that JSON can hold: `learning_rate` as of `learning_rate`, and
      what `record` has, if there is a controller, without what is not finite. Where there are
      several that differ, each under its name and path, as in `learning_rate[1][0]`.

    Raises:
      ValueError: if there is no rate and no controller.

    Example:
      >>> import jax.numpy as jnp, jaxsched
      >>> rate = jaxsched.reduce_on(jaxsched.plateau(patience=1), 0.5)
      >>> state = jaxsched.scale_by_learning_rate(rate).init(jnp.ones(2))
      >>> jaxsched.log_values(state)["learning_rate"], jaxsched.log_values(state)["events"]
      (0.5, 0)
    """
    rates = _each("learning_rate", learning_rate, opt_state)
    records = _each("", record, opt_state)
    if not rates and not records:
        raise nothing_found("Neither a learning rate nor a controller in this state.", opt_state)
    values = rates | {
        (f"{name} {path}" if path else name): value
        for path, one in records.items()
        for name, value in one.items()
    }
    numbers = {name: value.item() for name, value in jax.device_get(values).items()}
    return {name: number for name, number in numbers.items() if math.isfinite(number)}


def _each(name: str, read: Any, opt_state: Any) -> dict[str, Any]:
    """The one that is there under a name, or each that is with its path."""
    try:
        found = read(opt_state, all=True)
    except ValueError:
        return {}
    try:
        return {name: read(opt_state)}
    except ValueError:
        return {name + path: one for path, one in found.items()}


def _of_rates(found: dict[Any, Any]) -> dict[Any, Any]:
    """Without those that trigger a reset, if there is a controller of a rate."""
    trigger = GetAttrKey("trigger")
    return {path: one for path, one in found.items() if path[-1:] != (trigger,)} or found


def _is_controller(node: Any) -> bool:
    return isinstance(node, ControllerState)


def _record(state: ControllerState) -> dict[str, jax.Array]:
    waiting = waiting_of(state)
    return {
        **{
            "inner_" * depth + name: number
            for depth, level in enumerate(acting_levels(state))
            for name, number in _at_level(state, level).items()
        },
        **{
            f"{field}{name}": number
            for metric, numbers in waiting.items()
            for name in ["" if len(waiting) == 1 else f"_{metric}"]
            for field, number in zip(("waiting", "waiting_value"), numbers, strict=True)
        },
    }


def _at_level(state: ControllerState, level: int) -> dict[str, jax.Array]:
    """What the controller at a level has done, counted from without."""
    return {
        **record_of(state, level)._asdict(),
        "scale": scale_of(state, level),
        "best_value": best_value_of(state, level),
    }
