"""Going on with an optimizer's state under another optimizer."""

import functools
import warnings
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxsched.control.controllers.inbox import Inbox, names_in
from jaxsched.control.controllers.state import (
    ControllerState,
    Record,
    counts_of,
    depth_of,
    innermost_count,
    rate_of,
    scale_of,
    values_of,
)
from jaxsched.core import checks
from jaxsched.core.reach import whole_dtype
from jaxsched.optimizers.by_path import ScaleByPathState
from jaxsched.optimizers.scale import ScaleByLearningRateState
from jaxsched.optimizers.states.parts import (
    Part,
    counterparts,
    is_controller,
    is_part,
    parts_of,
    rebuilt,
)
from jaxsched.optimizers.states.rules import in_order_of, keyed_by_rule
from jaxsched.optimizers.tokens import ScaleByTokensState

Tree = TypeVar("Tree")


def carry_over(old_state: Any, new_state: Tree, *, restart_schedule: bool = False) -> Tree:
    """The state of a new optimizer with all that the state of an old one already knows.

    For a run that goes on with a transformation or a controller added, taken away or changed, or
    with 64-bit numbers switched on. Arrays are found by what they belong to: the moments of
    Adam are those of Adam, wherever it stands in a chain, and a rate of `scale_by_path` is
    that of its rule. Values are converted to the dtype of their new place. Then:

    - A schedule goes on at the count of the old one; where there was none, at the number of
      updates that the old optimizer has counted.
    - Under another monitor it goes on with its events and its scale, and the monitor begins
      anew. A controller that is added begins at the count.

    Under another schedule, or the same controller with other numbers, nothing need be carried
    over: the state holds no part of a schedule.

    Args:
      old_state: what `init` or `update` of the old optimizer returned.
      new_state: what `init` of the new one returns.
      restart_schedule: whether schedules and controllers begin anew, and only what the optimizer
        has gathered is kept.

    Returns:
      A tree like `new_state`. A warning lists what was found in one of the states only.

    Raises:
      TypeError: for what is no optimizer's state.

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
    restart_schedule = checks.switch("restart_schedule", restart_schedule)
    old, new = (list(parts_of(keyed_by_rule(tree))) for tree in (old_state, new_state))
    _check_states(old, new, old_state, new_state)
    found = counterparts(old, new)
    count = _count_of(old)
    missed: list[str] = []

    def replaced(path: str, arrays: dict[str, Any]) -> dict[str, Any]:
        kept = found.get(path)
        node = nodes[path]
        if restart_schedule and (is_controller(node) or isinstance(node, RATES)):
            return arrays
        if is_controller(node):
            return {"": _controller(kept.node if kept else None, node, count)}
        if isinstance(node, RATES) and (kept is None or _forgets_controller(kept.node, node)):
            return {**arrays, ".count": jnp.broadcast_to(count, jnp.shape(node.count))}
        old = kept.arrays if kept else {}
        if not isinstance(node, RATES):
            missed.extend(path + n for n in arrays if not _fits(old.get(n), arrays[n]))
        return {name: _converted(old.get(name), leaf) for name, leaf in arrays.items()}

    nodes = {part.path: part.node for part in new}
    carried = in_order_of(rebuilt(keyed_by_rule(new_state), replaced), new_state)
    _tell(missed, _left(old, found))
    return carried


RATES = (
    ScaleByLearningRateState,
    ScaleByTokensState,
    ScaleByPathState,
    optax.ScaleByScheduleState,
)
"""The states that say where a schedule is."""


def _check_states(old: list[Part], new: list[Part], *states: Any) -> None:
    for name, parts, state in zip(("old_state", "new_state"), (old, new), states, strict=True):
        if not any(is_part(part.node) for part in parts):
            shown = type(state).__name__
            raise TypeError(
                f"`{name}` must be an optimizer's state, got a {shown} without any. A checkpoint"
                " is restored into a target, what `init` of its optimizer returns."
            )


def _count_of(old: list[Part]) -> Any:
    """Where the schedule of an old state is, or else how many updates it has counted."""
    controllers = [innermost_count(part.node) for part in old if is_controller(part.node)]
    rates = [_schedule_count(part.node) for part in old if isinstance(part.node, RATES)]
    others = [part.node.count for part in old if _counts(part.node)]
    of_rates = rates or controllers
    none = jnp.zeros((), whole_dtype())
    return of_rates[0] if of_rates else functools.reduce(jnp.maximum, others, none)


def _schedule_count(node: Any) -> Any:
    """Where the schedule of a rate is: that of a controller may have begun again."""
    controller = getattr(node, "controller", ())
    return innermost_count(controller) if is_controller(controller) else node.count


def _forgets_controller(old: Any, new: Any) -> bool:
    own, others = (is_controller(getattr(node, "controller", ())) for node in (new, old))
    return others and not own


def _counts(node: Any) -> bool:
    count = getattr(node, "count", None)
    return isinstance(count, (jax.Array, np.ndarray)) and jnp.issubdtype(count.dtype, jnp.integer)


def _controller(old: Any, new: ControllerState, count: Any) -> ControllerState:
    """The old one, or a new one that goes on at its place with a monitor that begins anew."""
    if old is None:
        return _started(new, count)
    like, found = jax.tree.structure(new), jax.tree.structure(old)
    if like == found and all(map(_fits, jax.tree.leaves(old), jax.tree.leaves(new))):
        return jax.tree.map(_converted, old, new)
    (rule,), (metrics,) = new.counts, new.values.by_metric
    count = innermost_count(old)
    counts = _first(len(Record._fields), counts_of(old), counts_of(_started(new, count)))
    if depth_of(new) == 1:
        counts = jnp.where(jnp.arange(counts.shape[-1]) == 0, _column(count), counts)
    return ControllerState({rule: counts}, Inbox({metrics: _with_scale(old, new)}))


def _first(number: int, old: jax.Array, new: jax.Array) -> jax.Array:
    """The first numbers of an old vector before the others of a new one."""
    first = jnp.asarray(old[..., :number], new.dtype)
    return jnp.concatenate([first, new[..., number:]], axis=-1)


def _with_scale(old: ControllerState, new: ControllerState) -> jax.Array:
    """The new real numbers with the old rate and scale; nothing waits, of whatever metric."""
    values, place = values_of(new), jnp.arange(values_of(new).shape[-1])
    rate = 2 * len(names_in(new.values))
    kept = jnp.where(place == rate, _column(rate_of(old)), _column(scale_of(old)))
    known = (place == rate) | (place == rate + 1)
    return jnp.where(known, jnp.asarray(kept, values.dtype), jnp.where(place < rate, 0, values))


def _column(numbers: Any) -> jax.Array:
    return jnp.asarray(numbers)[..., None]


def _started(controller: ControllerState, count: Any) -> ControllerState:
    """A controller at the beginning of whose records its schedule has run for some updates."""
    (rule,) = controller.counts
    counts = counts_of(controller)
    place, size = jnp.arange(counts.shape[-1]), len(Record._fields)
    is_count = (place % size < 2) & (place < size * depth_of(controller))
    return controller._replace(counts={rule: jnp.where(is_count, _column(count), counts)})


def _fits(kept: Any, new: Any) -> bool:
    if kept is None or jnp.shape(kept) != jnp.shape(new):
        return False
    kinds = [
        next((kind for kind in (jnp.floating, jnp.integer) if jnp.issubdtype(dtype, kind)), dtype)
        for dtype in (jnp.result_type(kept), jnp.result_type(new))
    ]
    return kinds[0] == kinds[1]


def _converted(kept: Any, new: Any) -> Any:
    if not _fits(kept, new):
        return new
    same = jnp.result_type(kept) == jnp.result_type(new)
    return kept if same else jnp.asarray(kept, jnp.result_type(new))


def _left(old: list[Part], found: dict[str, Part]) -> list[str]:
    """The arrays of an old state that belong to nothing in the new one."""
    taken = {part.path for part in found.values()}
    return [
        part.path + name
        for part in old
        if part.path not in taken
        and not isinstance(part.node, RATES)
        and not is_controller(part.node)
        for name in part.arrays
    ]


def _tell(missed: list[str], left: list[str]) -> None:
    """Warns of what was found in one of the states only."""
    told = [
        f"{what}: {', '.join(paths)}"
        for what, paths in (("begin anew", missed), ("are left behind", left))
        if paths
    ]
    if told:
        warnings.warn("Arrays that " + "; that ".join(told) + ".", stacklevel=3)
