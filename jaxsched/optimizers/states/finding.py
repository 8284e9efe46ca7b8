"""Finding the states that hold a rate, wherever they are nested in an optimizer's state."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.tree_util import GetAttrKey, tree_flatten_with_path

from jaxsched.core.traced import any_traced
from jaxsched.optimizers.by_path import ScaleByPathState, by_rule
from jaxsched.optimizers.scale import ScaleByLearningRateState
from jaxsched.optimizers.tokens import ScaleByTokensState

_STATES = (
    ScaleByLearningRateState,
    ScaleByTokensState,
    ScaleByPathState,
    optax.ScaleByScheduleState,
)


def rates_in(node: Any) -> dict[str, jax.Array]:
    """The rates in a state, by what comes behind its path."""
    if isinstance(node, ScaleByPathState):
        return {f"[{rule!r}]": rate for rule, rate in by_rule(node).items()}
    if isinstance(node, (ScaleByLearningRateState, ScaleByTokensState)):
        return {"": jnp.asarray(node.learning_rate)}
    if _is_injected(node) and "learning_rate" in node.hyperparams:
        return {"": jnp.asarray(node.hyperparams["learning_rate"])}
    return {}


def _is_injected(node: Any) -> bool:
    return hasattr(node, "hyperparams") and hasattr(node, "inner_state")


def nodes(tree: Any, prefix: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], Any]]:
    """The states that may hold a rate. An injected optimizer's own state repeats its rate."""

    def is_state(node: Any) -> bool:
        return isinstance(node, _STATES) or _is_injected(node)

    found = []
    for path, node in tree_flatten_with_path(tree, is_leaf=is_state)[0]:
        path = (*prefix, *path)
        if _is_injected(node) and "learning_rate" not in node.hyperparams:
            found += nodes(node.inner_state, (*path, GetAttrKey("inner_state")))
        else:
            found.append((path, node))
    return found


def nothing_found(what: str, tree: Any) -> ValueError:
    """The error for a search of a tree, which says what was searched."""
    if found := names(tree):
        return ValueError(f"{what} Searched: {found}.")
    return ValueError(
        f"{what} There is no state at all in this {type(tree).__name__}: a checkpoint is to be"
        " restored into a target, what `init` of its optimizer returns."
    )


def names(tree: Any) -> str:
    """The states in a tree, for an error that has searched it."""
    found: set[str] = set()

    def collect(node: Any) -> bool:
        if hasattr(node, "_fields"):
            found.add(type(node).__name__)
        return False

    jax.tree.flatten(tree, is_leaf=collect)
    return ", ".join(sorted(found))


def _same(first: Any, others: list[Any]) -> bool:
    leaves, *rest = map(jax.tree.leaves, (first, *others))
    if any_traced(leaves):
        return not rest
    return all(
        np.array_equal(one, other, equal_nan=True)
        for other in rest
        for one, other in zip(leaves, other, strict=True)
    )


def the_one(what: str, found: dict[str, Any]) -> Any:
    """What was found if all of it is the same, or an error that lists it."""
    first, *others = found.values()
    if not _same(first, others):
        paths = "\n".join(f"  {path}: {value}" for path, value in found.items())
        raise ValueError(f"Several {what}; `all=True` returns them all:\n{paths}")
    return first
