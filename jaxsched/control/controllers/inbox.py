"""How metrics arrive: as arguments of an update, or before it, in an inbox in the state."""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxsched.control.monitors.monitor import metric_value
from jaxsched.core import checks

Tree = TypeVar("Tree")


class Inbox(NamedTuple):
    """What `observe` has left for the next update, by the name of the metric.

    Attributes:
      by_metric: for the metric that is listened to, a vector: the sum of its values and their
        number, followed by what else the listener keeps.
    """

    by_metric: dict[str, jax.Array]


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
        ((metric, vector),) = node.by_metric.items()
        return Inbox({metric: _add(metric, vector, metrics[metric])}) if metric in metrics else node

    return jax.tree.map(deliver, opt_state, is_leaf=lambda node: isinstance(node, Inbox))


def _add(name: str, vector: jax.Array, value: Any) -> jax.Array:
    replicas = vector.shape[:-1]
    if replicas and jnp.shape(value) == replicas and checks.is_real(jnp.asarray(value).dtype):
        value = jnp.asarray(value, vector.dtype)
    else:
        value = metric_value(name, value)
    place = jnp.arange(vector.shape[-1])
    added = jnp.where(place == 0, value[..., None], jnp.where(place == 1, 1, 0))
    return vector + added.astype(vector.dtype)


def listened_to(tree: Any) -> set[str]:
    """The names of the metrics that something in a tree listens to."""
    nodes = jax.tree.leaves(tree, is_leaf=lambda node: isinstance(node, Inbox))
    return {name for node in nodes if isinstance(node, Inbox) for name in node.by_metric}
