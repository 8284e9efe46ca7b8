"""What a monitor is: a stream of metric values turned into events.

A monitor's function is `f(state, value, *hyperparameters) -> (state, fired)` of one value; the
decorator `monitor` turns it into a maker `f(*hyperparameters)`, which returns a `Monitor`. Its
numbers are leaves, as in a schedule, so a monitor too can be an argument of a jitted
function and an axis of `vmap`.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Concatenate, ParamSpec

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxsched.control import options
from jaxsched.control.monitors.hearing import UNNAMED, heard, inside, metrics_of
from jaxsched.core import checks
from jaxsched.core.bound import Bound
from jaxsched.core.compiled import as_one_program
from jaxsched.core.maker import Check, Maker, is_maker, maker
from jaxsched.core.reach import whole_dtype
from jaxsched.core.traced import saying_how_to_branch

P = ParamSpec("P")
Start = Callable[..., Any]
"""From the hyperparameters, by keyword, to the state before the first observation."""


@jax.tree_util.register_pytree_with_keys_class
class Monitor(Bound):
    """A rule that turns a stream of metric values into events.

        state = monitor.init()
        state, fired = monitor.update(state, value)

    Both are pure. The state is a tuple of scalars, float32 (float64 under `jax_enable_x64`)
    or int32 (int64) whatever the metric is.

    Attributes:
      maker: what made it; static.
      hyperparams: the numbers and inner monitors by name; the leaves. Not to be changed
        in place: see `replace`.
    """

    __slots__ = ()

    def init(self) -> Any:
        """The state before the first observation."""
        # Only makers of monitors have a `start`; `monitor` sets it.
        return _checked(self, self.maker.start(**self.known()))  # pyright: ignore[reportOptionalCall]

    def anew(self, state: Any) -> Any:
        """The state with which it goes on after a restart, as a rule the first one."""
        if self.maker.anew is None:
            return self.init()
        return _checked(self, self.maker.anew(state, **self.known()))

    def update(
        self,
        state: Any,
        value: ArrayLike | Mapping[str, ArrayLike],
        observed: ArrayLike = True,
    ) -> tuple[Any, jax.Array]:
        """The state after an observation, and whether it is an event.

        Args:
          state: the state before.
          value: the metric, a real scalar; or several by name, of which monitors that name none
            hear "value".
          observed: whether there is a value at all. If not, only what counts updates moves.
        """
        return _update(self, state, *heard(self, value, observed))


def name_of(monitor: Monitor) -> str:
    """Its name with those of the monitors in it, which say how its state is read."""
    metric = monitor.hyperparams.get("metric")
    inner = ", ".join(name_of(part) for part in inside(monitor) if isinstance(part, Monitor))
    name = f"{monitor.__name__}({inner})" if inner else monitor.__name__
    return f"{name} on {metric}" if metric else name


@as_one_program
def _update(
    monitor: Monitor, state: Any, value: jax.Array, observed: jax.Array
) -> tuple[Any, jax.Array]:
    with saying_how_to_branch():
        after, fired = monitor.maker.function(state, value, observed, **monitor.known())
    after = jax.tree.map(lambda new, old: jnp.asarray(new, jnp.asarray(old).dtype), after, state)
    return after, jnp.asarray(fired)


def _checked(monitor: Monitor, state: Any) -> Any:
    """The first state with strong types, if it is one that can be packed."""
    if not _is_scalars(state):
        raise TypeError(
            f"The state of `{monitor.__name__}` must be a number or a tuple of numbers,"
            f" got {state!r}. For a window of values, a tuple of so many."
        )
    return jax.tree.map(_strong, state)


def _is_scalars(state: Any) -> bool:
    if isinstance(state, tuple):
        return all(map(_is_scalars, state))
    return isinstance(state, bool) or checks.is_number(state)


def _strong(leaf: Any) -> jax.Array:
    array = jnp.asarray(leaf)
    kind = jnp.result_type(float) if jnp.issubdtype(array.dtype, jnp.floating) else array.dtype
    return jnp.array(array, whole_dtype() if jnp.issubdtype(kind, jnp.integer) else kind)


def monitor(
    *bare: Any,
    start: Start | None = None,
    anew: Callable[..., Any] | None = None,
    check: Check | None = None,
) -> Callable[[Callable[Concatenate[Any, jax.Array, P], Any]], Maker[P, Monitor]]:
    """Turns `f(state, value, *hyperparameters) -> (state, fired)` into a maker of monitors.

    The function sees one observation at a time, a floating scalar. Where there was none,
    what it returns is dropped, so it need not know. It must not branch in Python on values.
    A hyperparameter may be a monitor, or a list of them, whose state is a part of its own. One
    called `metric` is the name of the metric that it hears, if not that of the controller.

    Args:
      start: from the hyperparameters, by keyword, to the first state, a tuple of scalars.
      anew: from a state and the hyperparameters, by keyword, to the state after a restart, if
        that is not the first one.
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
      >>> @jaxsched.monitor(start=lambda bound, monitor: monitor.init())
      ... def clipped(state, value, bound, monitor):
      ...     return monitor.update(state, jax.numpy.minimum(value, bound))
      >>> clipped(10.0, doubled())
      clipped(bound=10.0, monitor=doubled())
    """
    _check_start(bare, start)

    def decorate(function: Callable[..., Any]) -> Maker[P, Monitor]:
        @functools.wraps(function)
        def if_observed(state: Any, value: jax.Array, observed: jax.Array, **hyperparams: Any):
            after, fired = _pair(function, function(state, value, **hyperparams))
            after = jax.tree.map(lambda new, old: jnp.where(observed, new, old), after, state)
            return after, fired & observed

        return maker(if_observed, Monitor, _read, first=2, check=check, start=start, anew=anew)

    return decorate


def _check_start(bare: tuple[Any, ...], start: Any) -> None:
    if bare or not callable(start):
        given = "" if bare or start is None else f", got {start!r}"
        raise TypeError(
            "Write `@monitor(start=...)` with a function from the hyperparameters to the first"
            f" state, such as `start=lambda **_: 0.0`{given}."
        )


def _pair(function: Any, returned: Any) -> tuple[Any, Any]:
    if isinstance(returned, tuple) and len(returned) == 2:
        return returned
    name = function.__name__
    raise TypeError(f"`{name}` must return a pair `state, fired`, got {returned!r}.")


def unchanged(state: Any, **_: Any) -> Any:
    """For a monitor to which a restart is nothing."""
    return state


def ticking(
    start: Start, anew: Callable[..., Any] | None = None, check: Check | None = None
) -> Callable[[Callable[Concatenate[Any, jax.Array, jax.Array, P], Any]], Maker[P, Monitor]]:
    """Like `monitor`, for a function that also sees the updates without an observation.

    It is `f(state, value, observed, *hyperparameters)`.
    """
    return lambda function: maker(
        function, Monitor, checks.number, first=3, check=check, start=start, anew=anew
    )


def _read(name: str, value: Any) -> Any:
    """The name of a metric, a monitor, several of them, or a number."""
    if name == "metric":
        return options.metric(name, value)
    several = isinstance(value, (list, tuple)) and any(isinstance(one, Monitor) for one in value)
    if not several and not isinstance(value, Monitor):
        return checks.number(name, value)
    read = read_monitors(name, value) if several else read_monitor(name, value)
    for part in read if isinstance(read, tuple) else (read,):
        if metrics_of(part) - {UNNAMED}:
            checks.refuse(name, value, "without a `metric` of its own, which the outer one has")
    return read


def read_monitor(name: str, value: Any) -> Monitor:
    """A monitor that fires."""
    value = read_any_monitor(name, value)
    if getattr(value.maker, "gives_scale", False):
        checks.refuse(name, value, "a monitor that fires; this one gives a scale, for `follow`")
    return value


def read_any_monitor(name: str, value: Any) -> Monitor:
    """A monitor."""
    if is_maker(value):
        made = f"`{value.__name__}` makes one when it is called"
        raise TypeError(f"`{name}` must be a monitor; {made}.")
    if not isinstance(value, Monitor):
        checks.refuse(name, value, "a monitor, such as `plateau(patience=5)`", TypeError)
    return value


def read_monitors(name: str, value: Any) -> tuple[Monitor, ...]:
    """A non-empty sequence of monitors."""
    if not checks.is_list(value):
        checks.refuse(name, value, "a list of monitors", TypeError)
    if not value:
        checks.refuse(name, value, "a list of at least one monitor")
    return tuple(read_monitor(f"{name}[{i}]", item) for i, item in enumerate(value))


AMonitor = Annotated[Any, read_monitor]
Monitors = Annotated[Sequence[Monitor], read_monitors]
