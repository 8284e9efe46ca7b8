"""Going on with an optimizer's state under another optimizer."""

from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jax.tree_util import keystr, tree_leaves_with_path, tree_map_with_path

from jaxsched.control.by_path import ScaleByPathState
from jaxsched.control.state import ControllerState
from jaxsched.control.transforms import ScaleByLearningRateState

Tree = TypeVar("Tree")


def carry_over(old_state: Any, new_state: Tree) -> Tree:
    """The state of a new optimizer with all that the state of an old one already knows.

    For a run that goes on with a controller added, or with another optimizer around the same
    parts. Where both states have an array of the same shape and dtype in the same place, it is
    the old one. A controller that the old state had not, in a transformation that it had,
    starts at the old one's count, so that its schedule goes on where it was.

    Under another schedule, or the same controller with other numbers, nothing need be carried
    over: the state holds no part of a schedule.

    Args:
      old_state: what `init` or `update` of the old optimizer returned.
      new_state: what `init` of the new one returns.

    Returns:
      A tree like `new_state`.

    Example:
      >>> import jax.numpy as jnp, jaxsched
      >>> line = jaxsched.linear_schedule(1.0, 0.0, 8)
      >>> old, params = jaxsched.scale_by_learning_rate(line), jnp.ones(2)
      >>> state = old.init(params)
      >>> for _ in range(3):
      ...     updates, state = old.update(params, state)
      >>> rule = jaxsched.plateau(patience=5)
      >>> new = jaxsched.scale_by_learning_rate(jaxsched.reduce_on(rule, line))
      >>> state = jaxsched.carry_over(state, new.init(params))
      >>> updates, state = new.update(params, state, value=0.3)
      >>> print(jaxsched.learning_rate(state), line(3))
      0.625 0.625
    """
    old = {keystr(path): leaf for path, leaf in tree_leaves_with_path(old_state)}

    def leaf(path: Any, new: Any) -> Any:
        kept = old.get(keystr(path))
        return kept if _alike(kept, new) else new

    def at_its_count(path: Any, node: Any) -> Any:
        def begun(inner: Any, part: Any) -> Any:
            added = (
                isinstance(part, ControllerState) and f"{keystr(path + inner)}.counts" not in old
            )
            return _started(part, node.count) if added else part

        known = f"{keystr(path)}.count" in old
        return tree_map_with_path(begun, node, is_leaf=_is_controller) if known else node

    def is_rate(node: Any) -> bool:
        return isinstance(node, (ScaleByLearningRateState, ScaleByPathState))

    carried = tree_map_with_path(leaf, new_state)
    return tree_map_with_path(at_its_count, carried, is_leaf=is_rate)


def _alike(kept: Any, new: Any) -> bool:
    return (
        kept is not None
        and jnp.shape(kept) == jnp.shape(new)
        and jnp.result_type(kept) == jnp.result_type(new)
    )


def _is_controller(node: Any) -> bool:
    return isinstance(node, ControllerState)


def _started(controller: ControllerState, count: jax.Array) -> ControllerState:
    """A controller at the beginning of whose record its schedule has run for some updates."""
    is_count = jnp.arange(controller.counts.shape[-1]) < 2
    return controller._replace(counts=jnp.where(is_count, count, controller.counts))
