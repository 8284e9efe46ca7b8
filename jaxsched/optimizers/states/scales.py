"""The scales of `reduce_on_plateau`, which multiply rates that stand elsewhere in a state."""

from typing import Any

import optax
from jax.tree_util import GetAttrKey, tree_flatten_with_path

from jaxsched.optimizers.plateau_state import ReduceLROnPlateauState

Path = tuple[Any, ...]

_PLATEAUS = ReduceLROnPlateauState, optax.contrib.ReduceLROnPlateauState


def scales_beside(tree: Any, rates: list[Path]) -> dict[Path, list[Any]]:
    """For the path of each rate in a tree, the scales that multiply it."""
    leaves = tree_flatten_with_path(tree, is_leaf=_is_plateau)[0]
    scopes = [(_scope(path, rates), node.scale) for path, node in leaves if _is_plateau(node)]
    return {
        rate: [scale for scope, scale in scopes if scope is not None and _holds(scope, rate)]
        for rate in rates
    }


def _scope(path: Path, rates: list[Path]) -> Path | None:
    """The smallest part around a scale that holds a rate; None if its partition ends before."""
    for size in range(len(path) - 1, -1, -1):
        if any(_holds(path[:size], rate) for rate in rates):
            return path[:size]
        if size > 1 and path[size - 2] == GetAttrKey("inner_states"):
            return None
    return None


def _holds(scope: Path, path: Path) -> bool:
    return path[: len(scope)] == scope


def _is_plateau(node: Any) -> bool:
    return isinstance(node, _PLATEAUS)
