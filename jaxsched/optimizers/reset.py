"""Resetting an optimizer's memory when a monitor fires."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.tree_util import GetAttrKey, tree_leaves_with_path, tree_map_with_path

from jaxsched.control.controllers.inbox import consume, given, require, waiting_in
from jaxsched.control.controllers.packing import once
from jaxsched.control.controllers.restart import restart_on
from jaxsched.control.controllers.state import ControllerState, record_of
from jaxsched.control.monitors.arithmetic import improves, never
from jaxsched.control.monitors.monitor import Monitor
from jaxsched.control.options import mode as read_mode
from jaxsched.core import checks
from jaxsched.core.lenient import lenient
from jaxsched.optimizers.applying import an_optimizer
from jaxsched.optimizers.by_path import ScaleByPathState
from jaxsched.optimizers.plateau_state import ReduceLROnPlateauState
from jaxsched.optimizers.scale import ScaleByLearningRateState
from jaxsched.optimizers.tokens import ScaleByTokensState

PARTS = {
    "momentum": {"mu", "m", "trace", "momentum"},
    "second_moments": {"nu", "nu_max", "v", "v_row", "v_col", "sum_of_squares"},
}
"""The fields in which Optax's states keep them."""

_RATES = (
    ScaleByLearningRateState,
    ScaleByTokensState,
    ScaleByPathState,
    ReduceLROnPlateauState,
    ControllerState,
    optax.ScaleByScheduleState,
)
_INJECTED = {"hyperparams", "hyperparams_states"}


class ResetOnState(NamedTuple):
    """The state of `reset_on`.

    Attributes:
      inner_state: the optimizer's.
      trigger: the state of the monitor, with its record and its inbox.
      best_value: the best metric so far, and
      best_params: the parameters that had it, and
      best_memory: what the optimizer had gathered before it; each empty unless asked for.
    """

    inner_state: Any
    trigger: ControllerState
    best_value: Any = ()
    best_params: Any = ()
    best_memory: tuple[jax.Array, ...] = ()


def reset_on(
    monitor: Monitor,
    optimizer: optax.GradientTransformation,
    *,
    reinitialize: str | Sequence[str] = "all",
    zero: str | Sequence[str] = (),
    return_to_best: bool = False,
    best_memory: bool = False,
    reset_monitor: bool = True,
    mode: str = "min",
    metric: str = "value",
    axis_name: str | tuple[str, ...] | None = None,
    require_value: bool = False,
) -> optax.GradientTransformationExtraArgs:
    """An optimizer that forgets what it has gathered each time a monitor fires.

    The parts of its state named in `reinitialize` go back to what `optimizer.init` makes, those
    in `zero` to 0, and the others are kept; then the update is made, from the state so
    reset. What rates, schedules and controllers keep in the state is never touched: around
    a `restart_on` of the same monitor, the schedule and the moments start again together.

    Args:
      monitor: when to reset.
      optimizer: any optimizer; it is given the metrics, too.
      reinitialize: "all", "momentum", "second_moments", or names of fields of its state, such as
        "mu", "nu" or "count"; or several of these.
      zero: likewise, those to be set to 0 where `init` would not.
      return_to_best: whether an event also brings the parameters back to those with the best
        metric so far, instead of an update. Keeps a copy of the parameters. The metric must be
        that of the parameters before the update, as a loss computed with the gradients is.
      best_memory: whether the parts in `reinitialize` then go back to what they were at these
        parameters, in place of what `optimizer.init` makes. Keeps a copy of the state.
      reset_monitor: whether the monitor begins anew after a reset, as in `restart_on`; False
        around a `reduce_on` of the same monitor, to act at the same updates.
      mode: for the best metric, "min" or "max".
      metric: the name of the metric.
      axis_name: the mapped axes of `pmap` or `shard_map` over which metrics are averaged.
      require_value: whether an update without the metric is a `TypeError`.

    Raises:
      ValueError: for `best_memory` without `return_to_best`; in `init`, if the state has no
        part of a given name.

    Example:
      >>> import jax.numpy as jnp, optax, jaxsched
      >>> optimizer = jaxsched.reset_on(jaxsched.worsening(), optax.trace(0.9))
      >>> state = optimizer.init(jnp.zeros(1))
      >>> for loss in (3.0, 2.0, 2.5):
      ...     updates, state = optimizer.update(jnp.ones(1), state, value=loss)
      ...     print(updates, end=" ")
      [1.] [1.9] [1.]
    """
    inner = an_optimizer("optimizer", optimizer)
    trigger = restart_on(
        monitor, 1.0, reset_monitor=reset_monitor, metric=metric, axis_name=axis_name
    )
    parts = _fields("reinitialize", reinitialize), _fields("zero", zero)
    return_to_best = checks.switch("return_to_best", return_to_best)
    best_memory = checks.switch("best_memory", best_memory)
    require_value = checks.switch("require_value", require_value)
    keep_best = read_mode("mode", mode) if return_to_best else None
    if best_memory and not return_to_best:
        raise ValueError("`best_memory` is for `return_to_best=True` only.")
    if keep_best and metric not in trigger.metrics:
        heard = " and ".join(trigger.metrics)
        checks.refuse("metric", metric, f"one that the monitor hears, which is {heard}")

    def init(params: optax.Params) -> ResetOnState:
        state = inner.init(params)
        _check_parts(parts, state)
        best = _no_best(params, keep_best) if keep_best else ((), ())
        memory = _copied(_memory_in(state)) if best_memory else ()
        return ResetOnState(state, trigger.init(), *best, memory)

    def update(
        updates: optax.Updates, state: Any, params: Any = None, **extra_args: Any
    ) -> tuple[optax.Updates, ResetOnState]:
        if require_value:
            require(state.trigger, extra_args)
        after = trigger.update(state.trigger, **extra_args)
        events = record_of(state.trigger).events
        # As a number computed once: every part of the memory would count the events again.
        fired = once((record_of(after).events != events).astype(jnp.float32), events) > 0
        if best_memory:
            fresh = _with_memory(state.inner_state, state.best_memory)
        else:
            fresh = inner.init(updates if params is None else params)
        reset = _reset(state.inner_state, fresh, fired, *parts)
        updates, inner_state = inner.update(updates, reset, params, **extra_args)
        if not keep_best:
            return updates, ResetOnState(inner_state, after)
        waiting = waiting_in(state.trigger.values)[metric]
        heard = consume(*waiting, given(metric, extra_args), axis_name)
        best = _best(state, heard, params, keep_best, best_memory)
        back = jax.tree.map(lambda best, now: best - now, best[1], params)
        # No update is made then: the memory stays as it was reset, and only rates move on.
        memory = _map_memory(lambda new, old: jnp.where(fired, old, new), inner_state, reset)
        return _select(fired, back, updates), ResetOnState(memory, after, *best)

    return optax.GradientTransformationExtraArgs(lenient(init), lenient(update))


def _no_best(params: optax.Params, mode: str) -> tuple[jax.Array, optax.Params]:
    return jnp.full((), never(mode), jnp.result_type(float)), _copied(params)


def _copied(tree: Any) -> Any:
    return jax.tree.map(jnp.array, tree)


def _best(state: ResetOnState, heard: Any, params: Any, mode: str, best_memory: bool) -> Any:
    """The best metric and what was there with it, after an update that heard a value."""
    value, observed = heard
    found = observed & improves(value, state.best_value, 0.0, 0.0, mode)
    memory = _memory_in(state.inner_state) if best_memory else ()
    return _select(found, (value, params, memory), state[2:])


def _memory_in(state: Any) -> tuple[Any, ...]:
    """What an optimizer has gathered, without what belongs to rates."""
    found: list[Any] = []
    _map_memory(lambda leaf, _: found.append(leaf), state, state)
    return tuple(found)


def _with_memory(state: Any, memory: tuple[Any, ...]) -> Any:
    """The state with what it had gathered at another time."""
    leaves = iter(memory)
    return _map_memory(lambda *_: next(leaves), state, state)


def _select(condition: jax.Array, yes: Any, no: Any) -> Any:
    return jax.tree.map(lambda one, other: jnp.where(condition, one, other), yes, no)


def _reset(
    state: Any,
    fresh: Any,
    fired: jax.Array,
    fresh_parts: frozenset[str],
    zero_parts: frozenset[str],
) -> Any:
    def part(path: Any, old: Any, new: Any) -> Any:
        names = _names(path)
        if names & zero_parts:
            return jnp.where(fired, jnp.zeros_like(old), old)
        return jnp.where(fired, new, old) if names & fresh_parts else old

    return _map_memory_with_path(part, state, fresh)


def _map_memory(function: Callable[..., Any], state: Any, other: Any) -> Any:
    return _map_memory_with_path(lambda _, *leaves: function(*leaves), state, other)


def _map_memory_with_path(function: Callable[..., Any], state: Any, other: Any) -> Any:
    """Maps over what an optimizer has gathered; what belongs to rates stays as in `state`."""

    def leaf(path: Any, old: Any, new: Any) -> Any:
        is_rate = isinstance(old, _RATES) or _names(path) & _INJECTED
        return old if is_rate else function(path, old, new)

    return tree_map_with_path(leaf, state, other, is_leaf=lambda node: isinstance(node, _RATES))


def _names(path: Any) -> set[str]:
    """What a leaf of a state can be called by: its fields, and the parts they are."""
    fields = {key.name for key in path if isinstance(key, GetAttrKey)}
    return {"all"} | fields | {part for part in PARTS if fields & PARTS[part]}


def _check_parts(parts: tuple[frozenset[str], ...], state: Any) -> None:
    names = set().union(*(_names(path) for path, _ in tree_leaves_with_path(state)))
    unknown = frozenset().union(*parts) - names - {"all"}
    if unknown:
        raise ValueError(
            f"No part of the optimizer's state is called {sorted(unknown)};"
            f" there are {sorted(names - {'all'})}."
        )


def _fields(name: str, parts: str | Sequence[str]) -> frozenset[str]:
    named = (parts,) if isinstance(parts, str) else parts
    if not isinstance(named, Iterable) or not all(isinstance(part, str) for part in named):
        wanted = "the name of a part of an optimizer's state, or a list of names"
        checks.refuse(name, parts, wanted, TypeError)
    return frozenset(named)
