"""Reading the current rate from an optimizer's state, wherever it is nested."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.tree_util import keystr, tree_flatten_with_path

from jaxsched.core import checks
from jaxsched.core.schedule import operand
from jaxsched.optimizers.applying import RateLike, rate_at
from jaxsched.optimizers.by_path import ScaleByPathState, by_rule
from jaxsched.optimizers.matching import matched, paths_of
from jaxsched.optimizers.states.finding import names, nodes, nothing_found, rates_in, the_one
from jaxsched.optimizers.states.scales import scales_beside


def learning_rate(opt_state: Any, *, schedule: RateLike | None = None, all: bool = False) -> Any:
    """The learning rate in an optimizer's state: the last applied, or before that the next.

    Times the scale of a `reduce_on_plateau` beside it, ours or Optax's. What a transformation
    of another library multiplies updates by, no state tells.

    Found in the states of our transformations and of `optax.inject_hyperparams`, through
    any nesting: `chain`, `MultiSteps`, `masked`, `partition`, `apply_if_finite`, or a whole
    Flax `TrainState`. Works inside and outside of `jit`.

    Args:
      opt_state: an optimizer's state, or any tree that holds one.
      schedule: for Optax's own transformations, which keep a count but no rate: the schedule
        or the number given to Optax, the schedule evaluated at that count, as in
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
    all = checks.switch("all", all)
    found = _rates(opt_state) if schedule is None else _rates_at_counts(opt_state, schedule)
    if not found:
        raise nothing_found(
            "No learning rate in this state. `scale_by_learning_rate` of jaxsched and"
            " `optax.inject_hyperparams` keep one; for Optax's own optimizers, give the"
            " `schedule`.",
            opt_state,
        )
    return found if all else the_one("learning rates", found)


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
    found = {path: node for path, node in leaves if _is_by_path(node)}
    if len(found) != 1:
        places = ", ".join(map(keystr, found)) or names(opt_state)
        raise ValueError(f"The states of {len(found)} `scale_by_path`, not of one, in: {places}.")
    ((path, state),) = found.items()
    scales = scales_beside(opt_state, [path])[path]
    rates = {rule: math.prod(scales, start=rate) for rule, rate in by_rule(state).items()}
    if params is None:
        return rates
    rules, paths = tuple(rates), paths_of(params)
    return {path: rates[rules[i]] for path, i in zip(paths, matched(rules, paths), strict=True)}


def _is_by_path(node: Any) -> bool:
    return isinstance(node, ScaleByPathState)


def _rates(opt_state: Any) -> dict[str, jax.Array]:
    found = {path: rates_in(node) for path, node in nodes(opt_state)}
    scales = scales_beside(opt_state, [path for path, rates in found.items() if rates])
    return {
        keystr(path) + name: math.prod(scales[path], start=rate)
        for path, rates in found.items()
        for name, rate in rates.items()
    }


def _rates_at_counts(opt_state: Any, schedule: RateLike) -> dict[str, jax.Array]:
    rate = operand("schedule", schedule)
    found = {
        path: jnp.asarray(rate_at(rate, jnp.maximum(node.count - 1, 0)))
        for path, node in nodes(opt_state)
        if isinstance(node, optax.ScaleByScheduleState)
    }
    if not found and checks.is_number(schedule):
        found = {(): jnp.asarray(schedule, jnp.result_type(float))}
    scales = scales_beside(opt_state, list(found))
    return {keystr(path): math.prod(scales[path], start=rate) for path, rate in found.items()}
