"""How a controller reacts: from what it remembers and hears to a value and what it remembers."""

import functools
import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxsched.control.controllers.levels import (
    beginning,
    monitors_of,
    nested_in,
    own_metric,
    own_metrics,
)
from jaxsched.control.controllers.phase import Phase
from jaxsched.control.controllers.state import Memory, best_value, recorded
from jaxsched.control.monitors.hearing import UNNAMED
from jaxsched.control.monitors.monitor import Monitor
from jaxsched.core.bound import Bound
from jaxsched.core.returned import one_number
from jaxsched.core.traced import saying_how_to_branch

Heard = dict[str, tuple[jax.Array, jax.Array]]
"""By the name of the metric its value, and whether there is one."""


def react(controller: Bound, before: Memory, heard: Heard) -> tuple[jax.Array, Memory]:
    """The value at an update, and what is to be remembered after it."""
    hyperparams = controller.known()
    rules, inner, left = monitors_of(hyperparams), nested_in(hyperparams), []
    monitors, fired = {}, {}
    metrics = _by_monitor(controller, heard)
    for name, monitor in rules.items():
        monitors[name], fired[name] = monitor.update(before.monitors[name], *metrics)
    running = {
        name: _running(name, one, memory, before.record.updates, heard, left)
        for (name, one), memory in zip(inner.items(), before.inner, strict=True)
    }
    record = before.record
    phase = Phase(record.count, record.events, before.scale, record.updates)
    with saying_how_to_branch():
        returned = controller.maker.function(phase, **{**hyperparams, **running, **fired})
    phase, rate = _pair(controller, returned)
    if len(left) != len(inner):
        raise TypeError(f"`{controller.__name__}` must call `{next(iter(inner))}` at each update.")
    monitors = {name: _anew(rules[name], phase, state) for name, state in monitors.items()}
    record = recorded(record, phase.count, phase.events, _any_heard(controller, heard))
    scale = jnp.asarray(phase.scale, before.scale.dtype)
    after = Memory(record, scale, best_value((monitors, left)), tuple(left), monitors)
    return jnp.asarray(rate, before.scale.dtype), after


def _running(
    name: str, inner: Bound, memory: Memory, updates: jax.Array, heard: Heard, left: list[Memory]
) -> Callable[[jax.Array], jax.Array]:
    """A controller as a schedule is called, which begins anew where that begins again."""

    def rate(count: jax.Array) -> jax.Array:
        if left:
            raise TypeError(f"`{name}`, a controller, can be called once an update, not again.")
        anew = (count == 0) & (updates > 0)
        before = jax.tree.map(partial(jnp.where, anew), beginning(inner), memory)
        # What made it begin again is of the run before, and nothing to the new one.
        now = {metric: (value, there & ~anew) for metric, (value, there) in heard.items()}
        value, after = react(inner, before, now)
        left.append(after)
        return value

    return rate


def _by_monitor(controller: Bound, heard: Heard) -> tuple[Any, Any]:
    """What its monitors hear: one metric, or several by name."""
    own = own_metric(controller)
    names = own_metrics(controller) or {own}
    nothing = jnp.zeros(()), jnp.zeros((), bool)
    if len(names) == 1:
        return heard.get(next(iter(names)), nothing)
    every = {name: heard[name] for name in names} | {UNNAMED: heard.get(own, nothing)}
    return {n: one for n, (one, _) in every.items()}, {n: there for n, (_, there) in every.items()}


def _any_heard(controller: Bound, heard: Heard) -> jax.Array:
    names = own_metrics(controller) & heard.keys() or heard.keys()
    return functools.reduce(operator.or_, (heard[name][1] for name in sorted(names)))


def _anew(monitor: Monitor, phase: Phase, state: Any) -> Any:
    """The state of a monitor after an update, or as it begins anew."""
    if phase.anew is False:
        return state
    return jax.tree.map(partial(jnp.where, phase.anew), monitor.anew(state), state)


def _pair(controller: Bound, returned: Any) -> tuple[Phase, Any]:
    if isinstance(returned, tuple) and len(returned) == 2 and isinstance(returned[0], Phase):
        one_number(controller.maker.function, returned[1])
        return returned
    raise TypeError(f"`{controller.__name__}` must return a pair `phase, rate`, got {returned!r}.")
