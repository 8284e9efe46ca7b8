"""How metrics arrive: as arguments of an update, or before it, in an inbox in the state."""

import difflib
import warnings
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxsched.control.monitors.hearing import metric_value
from jaxsched.core import checks

Tree = TypeVar("Tree")


class Inbox(NamedTuple):
    """What `observe` has left for the next update, by the name of the metric.

    Attributes:
      by_metric: for the metric that is listened to, a vector: the sum of its values and their
        number, followed by what else the listener keeps. For several, under all their names, the
        sum and the number of each come first.
    """

    by_metric: dict[str, jax.Array]


def joined(names: Iterable[str]) -> str:
    """The key of a listener to some metrics."""
    return ",".join(sorted(names))


def names_in(inbox: Inbox) -> list[str]:
    """The names of the metrics that are listened to, in the order of their sums."""
    return [name for key in inbox.by_metric for name in key.split(",")]


def waiting_in(inbox: Inbox) -> dict[str, tuple[jax.Array, jax.Array]]:
    """The sum and the number of what waits, by the name of the metric."""
    (values,) = inbox.by_metric.values()
    return {
        name: (values[..., 2 * i], values[..., 2 * i + 1]) for i, name in enumerate(names_in(inbox))
    }


def consume(
    total: jax.Array, number: jax.Array, value: Any, axis_name: Any
) -> tuple[jax.Array, jax.Array]:
    """The mean of what has arrived before and with an update, and whether anything has."""
    if value is not None:
        total, number = total + value, number + 1
    if axis_name is not None:
        try:
            total, number = jax.lax.psum((total, number), axis_name)
        except NameError:
            # A state is made outside of the mapped axis, where `init` asks for the first rate.
            if value is not None:
                raise
    return total / jnp.maximum(number, 1), number > 0


def given(metric: str, arguments: Mapping[str, Any]) -> jax.Array | None:
    """The metric among the arguments of an update, if it is there."""
    value = arguments.get(metric)
    return None if value is None else metric_value(metric, value)


def warn_if_misspelt(metrics: Collection[str], arguments: Mapping[str, Any]) -> None:
    """Warns where an update brings no metric that is listened to, but one of nearly its name."""
    if not arguments or any(name in arguments for name in metrics):
        return
    for name in arguments:
        near = difflib.get_close_matches(name, metrics, n=1, cutoff=_NEARLY)
        if near:
            warnings.warn(
                f"`update` is given `{name}=`, to which nothing listens here; did you mean"
                f" `{near[0]}=`? This update is one without an observation.",
                stacklevel=2,
            )


_NEARLY = 0.8
"""How much of two names must be alike: `vlaue` and `value` are, `val` and `value` are not."""


def require(state: Any, arguments: Mapping[str, Any]) -> None:
    """Raises where an update lacks a metric that something in the state listens to."""
    missing = listened_to(state) - {name for name, value in arguments.items() if value is not None}
    if missing:
        names = ", ".join(f"`{name}=`" for name in sorted(missing))
        raise TypeError(f"`update` must be given {names}, as `require_value` is set.")


def observe(opt_state: Tree, **metrics: ArrayLike) -> Tree:
    """Leaves metrics in an optimizer's state, for all that listen to them at the next update.

    For a metric that is not known at each update, such as a validation loss once an epoch:

        opt_state = jaxsched.observe(opt_state, value=validation_loss)

    Several observations before an update count as their mean, and so do these and a
    `value=` given to the update itself. Pure: works inside and outside of `jit`.

    Args:
      opt_state: an optimizer's state, or any tree that holds one, such as a Flax `TrainState`.
      **metrics: real scalars by name; "value" is the name that is listened to by default. For
        a state replicated with a leading axis, a vector with a value for each replica.

    Returns:
      The state with the metrics in it.

    Raises:
      ValueError: if nothing in the state listens to a name.
      TypeError: if a metric is not a real scalar, or there is none.

    Example:
      >>> import jax.numpy as jnp, jaxsched
      >>> optimizer = jaxsched.reduce_on_plateau(patience=5)
      >>> state = optimizer.init(jnp.ones(2))
      >>> state = jaxsched.observe(state, value=0.7)
      >>> updates, state = optimizer.update(jnp.ones(2), state)
      >>> print(jaxsched.record(state)["observations"])
      1
    """
    listened = listened_to(opt_state)
    if not metrics:
        raise TypeError("`observe` must be given a metric, as in `observe(state, value=loss)`.")
    for name in metrics:
        if name not in listened:
            heard = ", ".join(f"`{other}`" for other in sorted(listened)) or "no metric"
            raise ValueError(f"Nothing in this state listens to `{name}`; it listens to {heard}.")

    def deliver(node: Any) -> Any:
        if not isinstance(node, Inbox):
            return node
        ((key, vector),) = node.by_metric.items()
        for i, name in enumerate(names_in(node)):
            vector = _add(name, vector, metrics[name], 2 * i) if name in metrics else vector
        return Inbox({key: vector})

    return jax.tree.map(deliver, opt_state, is_leaf=lambda node: isinstance(node, Inbox))


def _add(name: str, vector: jax.Array, value: Any, total: int) -> jax.Array:
    """A vector with a value more in the sum at a place, and in the number behind it."""
    replicas = vector.shape[:-1]
    if replicas and jnp.shape(value) == replicas and checks.is_real(jnp.asarray(value).dtype):
        value = jnp.asarray(value, vector.dtype)
    else:
        value = metric_value(name, value)
    place = jnp.arange(vector.shape[-1])
    number = jnp.where(place == total + 1, 1, 0)
    added = jnp.where(place == total, value[..., None], number)
    return vector + added.astype(vector.dtype)


def listened_to(tree: Any) -> set[str]:
    """The names of the metrics that something in a tree listens to."""
    nodes = jax.tree.leaves(tree, is_leaf=lambda node: isinstance(node, Inbox))
    return {name for node in nodes if isinstance(node, Inbox) for name in names_in(node)}
