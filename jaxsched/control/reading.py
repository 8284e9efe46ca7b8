"""Reading the current rate from an optimizer's state, wherever it is nested."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.core import Tracer
from jax.tree_util import GetAttrKey, keystr, tree_flatten_with_path

from jaxsched.control.transforms import RateLike, ScaleByLearningRateState, rate_at
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
            f" `schedule`. Searched: {_names(opt_state)}."
        )
    if all:
        return found
    first, *others = found.values()
    if not _same(first, others):
        paths = "\n".join(f"  {path}: {rate}" for path, rate in found.items())
        raise ValueError(f"Several learning rates; `all=True` returns them all:\n{paths}")
    return first


def _rates(opt_state: Any) -> dict[str, jax.Array]:
    return {
        keystr(path): rate for path, node in _nodes(opt_state) if (rate := _rate(node)) is not None
    }


def _rate(node: Any) -> jax.Array | None:
    if isinstance(node, ScaleByLearningRateState):
        return node.learning_rate
    return node.hyperparams.get("learning_rate") if _is_injected(node) else None


def _rates_at_counts(opt_state: Any, schedule: RateLike) -> dict[str, jax.Array]:
    rate = operand("schedule", schedule)
    return {
        keystr(path): jnp.asarray(rate_at(rate, jnp.maximum(node.count - 1, 0)))
        for path, node in _nodes(opt_state)
        if isinstance(node, optax.ScaleByScheduleState)
    }


def _is_injected(node: Any) -> bool:
    return hasattr(node, "hyperparams") and hasattr(node, "inner_state")


def _nodes(tree: Any, prefix: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], Any]]:
    """The states that may hold a rate. An injected optimizer's own state repeats its rate."""

    def is_state(node: Any) -> bool:
        kinds = (ScaleByLearningRateState, optax.ScaleByScheduleState)
        return isinstance(node, kinds) or _is_injected(node)

    nodes = []
    for path, node in tree_flatten_with_path(tree, is_leaf=is_state)[0]:
        path = (*prefix, *path)
        if _is_injected(node) and "learning_rate" not in node.hyperparams:
            nodes += _nodes(node.inner_state, (*path, GetAttrKey("inner_state")))
        else:
            nodes.append((path, node))
    return nodes


def _names(tree: Any) -> str:
    names: set[str] = set()

    def collect(node: Any) -> bool:
        if hasattr(node, "_fields"):
            names.add(type(node).__name__)
        return False

    jax.tree.flatten(tree, is_leaf=collect)
    return ", ".join(sorted(names)) or repr(tree)


def _same(first: Any, others: list[Any]) -> bool:
    if any(isinstance(rate, Tracer) for rate in (first, *others)):
        return not others
    return all(np.array_equal(first, other) for other in others)
