"""What a monitor is: a stream of metric values turned into events.

A monitor's function is `f(state, value, *hyperparameters) -> (state, fired)` of one value; the
decorator `monitor` turns it into a maker `f(*hyperparameters)`, which returns a `Monitor`. Its
numbers are leaves, as in a schedule, so a monitor too can be an argument of a jitted
function and an axis of `vmap`.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Concatenate, ParamSpec

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxsched.core import checks
from jaxsched.core.bound import Bound, Check, Maker
from jaxsched.core.compiled import as_one_program

P = ParamSpec("P")
Start = Callable[..., Any]
"""From the hyperparameters, by keyword, to the state before the first observation."""


@jax.tree_util.register_pytree_with_keys_class
@dataclass(frozen=True, eq=False, repr=False)
class Monitor(Bound):
    """A rule that turns a stream of metric values into events.

        state = monitor.init()
        state, fired = monitor.update(state, value)

    Both are pure. The state is a tuple of scalars, float32 (float64 under `jax_enable_x64`)
    or int32 whatever the metric is.

    Attributes:
      maker: what made it; static.
      hyperparams: the numbers and inner monitors by name; the leaves. Not to be changed
        in place: see `replace`.
    """

    def init(self) -> Any:
        """The state before the first observation."""
        return jax.tree.map(_strong, self.maker.start(**self.known()))  # pyright: ignore

    def update(
        self, state: Any, value: ArrayLike, observed: ArrayLike = True
    ) -> tuple[Any, jax.Array]:
        """The state after an observation, and whether it is an event.

        Args:
          state: the state before.
          value: the metric, a real scalar.
          observed: whether there is a value at all. If not, only what counts updates moves.
        """
        return _update(self, state, metric_value("value", value), jnp.asarray(observed))


def metric_value(name: str, value: Any) -> jax.Array:
    """A metric as a floating scalar; anything else raises."""
    if not checks.is_number(value):
        checks.refuse(name, value, "a real scalar", TypeError)
    return jnp.asarray(value, jnp.result_type(float))


@as_one_program
def _update(
    monitor: Monitor, state: Any, value: jax.Array, observed: jax.Array
) -> tuple[Any, jax.Array]:
    after, fired = monitor.maker.function(state, value, observed, **monitor.known())
    after = jax.tree.map(lambda new, old: jnp.asarray(new, jnp.asarray(old).dtype), after, state)
    return after, jnp.asarray(fired)


def _strong(leaf: Any) -> jax.Array:
    array = jnp.asarray(leaf)
    kind = jnp.result_type(float) if jnp.issubdtype(array.dtype, jnp.floating) else array.dtype
    return jnp.array(array, jnp.int32 if jnp.issubdtype(kind, jnp.integer) else kind)


def monitor(
    start: Start, *, check: Check | None = None
) -> Callable[[Callable[Concatenate[Any, jax.Array, P], Any]], Maker[P, Monitor]]:
    """Turns `f(state, value, *hyperparameters) -> (state, fired)` into a maker of monitors.

    The function sees one observation at a time, a floating scalar. Where there was none,
    what it returns is dropped, so it need not know. It must not branch in Python on values.

    Args:
      start: from the hyperparameters, by keyword, to the first state, a tuple of scalars.
      check: called with the dict of hyperparameters when a monitor is made.

    Example:
      >>> import jaxsched
      >>> @jaxsched.monitor(start=lambda **hyperparams: 0.0)
      ... def doubled(previous, value, ratio=2.0):
      ...     return value, value > ratio * previous
      >>> rule = doubled(ratio=3.0)
      >>> state = rule.init()
      >>> for loss in (1.0, 2.0, 7.0):
      ...     state, fired = rule.update(state, loss)
      >>> print(rule, fired)
      doubled(ratio=3.0) True
    """

    def decorate(function: Callable[..., Any]) -> Maker[P, Monitor]:
        @functools.wraps(function)
        def if_observed(state: Any, value: jax.Array, observed: jax.Array, **hyperparams: Any):
            after, fired = function(state, value, **hyperparams)
            after = jax.tree.map(lambda new, old: jnp.where(observed, new, old), after, state)
            return after, fired & observed

        return Maker(if_observed, Monitor, checks.number, first=2, check=check, start=start)

    return decorate


def ticking(
    start: Start,
) -> Callable[[Callable[Concatenate[Any, jax.Array, jax.Array, P], Any]], Maker[P, Monitor]]:
    """Like `monitor`, for a function that also sees the updates without an observation.

    It is `f(state, value, observed, *hyperparameters)`.
    """
    return lambda function: Maker(function, Monitor, checks.number, first=3, start=start)


def read_monitor(name: str, value: Any) -> Monitor:
    """A monitor."""
    if isinstance(value, Maker):
        raise TypeError(f"`{name}` must be a monitor; `{value}` makes one when it is called.")
    if not isinstance(value, Monitor):
        checks.refuse(name, value, "a monitor, such as `plateau(patience=5)`", TypeError)
    return value


def read_monitors(name: str, value: Any) -> tuple[Monitor, ...]:
    """A non-empty sequence of monitors."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        checks.refuse(name, value, "a list of monitors", TypeError)
    if not value:
        checks.refuse(name, value, "a list of at least one monitor")
    return tuple(read_monitor(f"{name}[{i}]", item) for i, item in enumerate(value))


AMonitor = Annotated[Any, read_monitor]
Monitors = Annotated[Sequence[Monitor], read_monitors]
