"""Reading the current rate from an optimizer's state, wherever it is nested."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.tree_util import keystr, tree_flatten_with_path

from jaxsched.control.applying import RateLike, rate_at
from jaxsched.control.by_path import ScaleByPathState
from jaxsched.control.finding import by_rule, names, nodes, rates_in, the_one
from jaxsched.control.matching import matched, paths_of
from jaxsched.control.state import ControllerState, best_value_of, record_of
from jaxsched.core.schedule import operand


def learning_rate(opt_state: Any, *, schedule: RateLike | None = None, all: bool = False) -> Any:
    """The learning rate in an optimizer's state: the last applied, or before that the next.

    Found in the states of our transformations and of `optax.inject_hyperparams`, through
    any nesting: `chain`, `MultiSteps`, `masked`, `partition`, `apply_if_finite`, or a whole
    Flax `TrainState`. Works inside and outside of `jit`.

    Args:
      opt_state: an optimizer's state, or any tree that holds one.
      schedule: for Optax's own transformations, which keep a count but no rate: the schedule
        given to Optax, evaluated at that count, as in
        `learning_rate(state, schedule=s)` for `optax.adam(s)`.
      all: whether to return all rates found, as a dict from paths to rates.

    Returns:
      The rate, a scalar array; with `all`, a dict from the path of each rate to the rate.

    Raises:
      ValueError: if there is no rate, or if there are several that differ, or that cannot be
        compared inside `jit`, and `all` is false. The message lists their paths.

    Example:
      >>> import jax.numpy as jnp, optax, jaxsched
      >>> rate = jaxsched.linear_schedule(1.0, 0.0, 4)
      >>> state = optax.chain(
      ...     optax.clip(1.0), jaxsched.scale_by_learning_rate(rate)
      ... ).init(jnp.ones(2))
      >>> print(jaxsched.learning_rate(state))
      1.0
      >>> print(jaxsched.learning_rate(optax.adam(rate).init(jnp.ones(2)), schedule=rate))
      1.0
    """
    found = _rates(opt_state) if schedule is None else _rates_at_counts(opt_state, schedule)
    if not found:
        raise ValueError(
            "No learning rate in this state. `scale_by_learning_rate` of jaxsched and"
            " `optax.inject_hyperparams` keep one; for Optax's own optimizers, give the"
            f" `schedule`. Searched: {names(opt_state)}."
        )
    return found if all else the_one("learning rates", found)


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
      - `best_value`: the best metric so far, for monitors that keep one, and otherwise NaN.

    Raises:
      ValueError: if there is no controller, or if there are several whose records differ
        and `all` is false. The message lists their paths.

    Example:
      >>> import jax.numpy as jnp, jaxsched
      >>> optimizer = jaxsched.reduce_on_plateau(patience=1)
      >>> state = optimizer.init(jnp.ones(2))
      >>> for loss in (0.5, 0.7):
      ...     _, state = optimizer.update(jnp.ones(2), state, value=loss)
      >>> print({name: float(value) for name, value in jaxsched.record(state).items()})
      ... # doctest: +NORMALIZE_WHITESPACE
      {'count': 2.0, 'updates': 2.0, 'observations': 2.0, 'events': 1.0, 'last_event': 1.0,
       'observations_since_event': 0.0, 'best_value': 0.5}
    """
    leaves = tree_flatten_with_path(opt_state, is_leaf=_is_controller)[0]
    found = {keystr(path): _record(node) for path, node in leaves if _is_controller(node)}
    if not found:
        raise ValueError(f"No controller in this state. Searched: {names(opt_state)}.")
    return found if all else the_one("records", found)


def learning_rates(opt_state: Any, params: Any = None) -> dict[str, jax.Array]:
    """The learning rates of `scale_by_path` in an optimizer's state, to log them.

    Those that the last update applied, or before the first the rates to come; 0 for what
    is frozen. Works inside and outside of `jit`.

    Args:
      opt_state: an optimizer's state, or any tree that holds one.
      params: the parameters, for the rate of each of their leaves.

    Returns:
      A dict from the regular expressions of the transformation, in their order, to scalar
      arrays; with `params`, from the path of each leaf.

    Raises:
      ValueError: if the state of no `scale_by_path`, or of several, is there; or if there is no
        rate for a leaf of `params`.

    Example:
      >>> import jax.numpy as jnp, jaxsched
      >>> optimizer = jaxsched.scale_by_path({"bias": None, ".*": 0.5})
      >>> params = {"hidden": {"bias": jnp.ones(1), "kernel": jnp.ones((1, 1))}}
      >>> rates = jaxsched.learning_rates(optimizer.init(params), params)
      >>> {path: float(rate) for path, rate in rates.items()}
      {'hidden/bias': 0.0, 'hidden/kernel': 0.5}
    """
    leaves = tree_flatten_with_path(opt_state, is_leaf=_is_by_path)[0]
    found = {keystr(path): node for path, node in leaves if _is_by_path(node)}
    if len(found) != 1:
        places = ", ".join(found) or names(opt_state)
        raise ValueError(f"The states of {len(found)} `scale_by_path`, not of one, in: {places}.")
    (state,) = found.values()
    rates = by_rule(state)
    if params is None:
        return rates
    rules, paths = tuple(rates), paths_of(params)
    return {path: rates[rules[i]] for path, i in zip(paths, matched(rules, paths), strict=True)}


def _is_by_path(node: Any) -> bool:
    return isinstance(node, ScaleByPathState)


def _is_controller(node: Any) -> bool:
    return isinstance(node, ControllerState)


def _record(state: ControllerState) -> dict[str, jax.Array]:
    return {**record_of(state)._asdict(), "best_value": best_value_of(state)}


def _rates(opt_state: Any) -> dict[str, jax.Array]:
    return {
        keystr(path) + name: rate
        for path, node in nodes(opt_state)
        for name, rate in rates_in(node).items()
    }


def _rates_at_counts(opt_state: Any, schedule: RateLike) -> dict[str, jax.Array]:
    rate = operand("schedule", schedule)
    return {
        keystr(path): jnp.asarray(rate_at(rate, jnp.maximum(node.count - 1, 0)))
        for path, node in nodes(opt_state)
        if isinstance(node, optax.ScaleByScheduleState)
    }
