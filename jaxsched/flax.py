"""Flax: a linen `TrainState` that passes metrics on, and `observe` for an NNX optimizer.

An `nnx.Optimizer` passes metrics on as it is, with `optimizer.update(model, grads, value=loss)`.
Rates and records are read as anywhere else: `jaxsched.learning_rate(optimizer.opt_state)`.
"""

import inspect
from collections.abc import Mapping
from functools import partial
from typing import Any, Self

import jax
import optax
from jax.typing import ArrayLike

from jaxsched.control.controllers import inbox
from jaxsched.core.traced import is_traced

try:
    from flax import nnx
    from flax.training import train_state
except ImportError as error:
    raise ImportError(
        "`jaxsched.flax` needs Flax, which `pip install 'jaxsched[flax]'` installs."
    ) from error


class TrainState(train_state.TrainState):
    """Linen's `TrainState`, whose `apply_gradients` passes metrics on to the optimizer.

    Flax's own has no argument for them. Without metrics it is Flax's in every respect, and
    may be subclassed like it.

    Example:
      >>> import jax.numpy as jnp, optax, jaxsched
      >>> from jaxsched.flax import TrainState
      >>> rate = jaxsched.reduce_on(jaxsched.plateau(patience=1), 1.0, factor=0.5)
      >>> state = TrainState.create(
      ...     apply_fn=None,
      ...     params={"w": jnp.ones(2)},
      ...     tx=optax.chain(optax.scale_by_adam(), jaxsched.scale_by_learning_rate(rate)),
      ... )
      >>> for loss in (0.5, 0.7):
      ...     state = state.apply_gradients(grads={"w": jnp.ones(2)}, value=loss)
      ...     print(jaxsched.learning_rate(state), end=" ")
      1.0 0.5
    """

    def apply_gradients(
        self,
        *,
        grads: Any,
        value: ArrayLike | None = None,
        metrics: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> Self:
        """The state after an update.

        Args:
          grads: the gradients, a tree like the parameters.
          value: the metric that controllers listen to by default, such as the loss.
          metrics: other arguments of the optimizer's `update` by name, such as metrics that
            controllers listen to under names of their own.
          **kwargs: fields of the state to be replaced, as in Flax. One that is called `value`
            or `metrics` in a subclass is for its `replace`.

        Raises:
          TypeError: if `value` is given twice, or a metric reaches nothing though something in
            the state listens to it, as in a wrapper that drops it: `observe` gets there.
        """
        given = _merged(value, metrics)
        _check_heard(self, grads, given)
        heard = self.replace(tx=_hearing(self.tx, given))
        fields = {"tx": self.tx, **kwargs}
        return super(TrainState, heard).apply_gradients(grads=grads, **fields)

    def observe(self, **metrics: ArrayLike) -> Self:
        """The state with metrics left for the next update; see `jaxsched.observe`.

        Example:
          >>> import jax.numpy as jnp, jaxsched
          >>> from jaxsched.flax import TrainState
          >>> optimizer = jaxsched.reduce_on_plateau(patience=5)
          >>> params = {"w": jnp.ones(2)}
          >>> state = TrainState.create(apply_fn=None, params=params, tx=optimizer)
          >>> state = state.observe(value=0.7).apply_gradients(grads=params)
          >>> print(jaxsched.record(state)["observations"])
          1
        """
        return self.replace(opt_state=inbox.observe(self.opt_state, **metrics))


def _merged(value: Any, metrics: Mapping[str, Any] | None) -> dict[str, Any]:
    merged = dict(metrics or {})
    if value is None:
        return merged
    if "value" in merged:
        raise TypeError("`value` is given twice: by itself, and among the `metrics`.")
    return {"value": value, **merged}


def _hearing(tx: Any, metrics: dict[str, Any]) -> optax.GradientTransformation:
    """The same transformation with some arguments already given, if it can take any."""
    if not _takes_any(tx.update):
        tx = optax.with_extra_args_support(tx)
    return optax.GradientTransformation(tx.init, partial(tx.update, **metrics))


def _takes_any(update: Any) -> bool:
    parameters = inspect.signature(update).parameters.values()
    return any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)


def _check_heard(state: Any, grads: Any, metrics: Mapping[str, Any]) -> None:
    """Raises where a metric gets to nothing that listens to it. Once: when traced, or at step 0."""
    listened = inbox.listened_to(state.opt_state) & set(metrics)
    if not listened or (not is_traced(state.step) and state.step != 0):
        return
    others = {name: value for name, value in metrics.items() if name not in listened}

    def update(heard: dict[str, Any]) -> Any:
        hearing = state.replace(tx=_hearing(state.tx, {**others, **heard}))
        after = train_state.TrainState.apply_gradients(hearing, grads=grads)
        return after.params, after.opt_state

    heard = {name: metrics[name] for name in sorted(listened)}
    program = jax.make_jaxpr(update)(heard).jaxpr
    used = {id(var) for equation in program.eqns for var in equation.invars}
    places = zip(heard, program.invars, strict=True)
    deaf = [f"`{name}`" for name, var in places if id(var) not in used]
    if deaf:
        raise TypeError(
            f"{', '.join(deaf)} does not get to what listens to it: a wrapper in `tx` drops the"
            " arguments of `update`. Leave it in the state before: `state.observe(value=loss)`."
        )


def observe(optimizer: nnx.Optimizer[Any], **metrics: ArrayLike) -> None:
    """Leaves metrics in the state of an NNX optimizer, in place, for its next update.

    `jaxsched.observe` for an optimizer that holds variables. Works inside and outside of
    `nnx.jit`.

    Args:
      optimizer: an `nnx.Optimizer` or `nnx.ModelAndOptimizer`.
      **metrics: as for `jaxsched.observe`.

    Raises:
      ValueError: if nothing in the state listens to a name.
      TypeError: if a metric is not a real scalar, or there is none.

    Example:
      >>> import jaxsched, jaxsched.flax
      >>> from flax import nnx
      >>> model = nnx.Linear(2, 1, rngs=nnx.Rngs(0))
      >>> transformation = jaxsched.reduce_on_plateau(patience=5)
      >>> optimizer = nnx.Optimizer(model, transformation, wrt=nnx.Param)
      >>> jaxsched.flax.observe(optimizer, value=0.7)
      >>> jaxsched.flax.observe(optimizer, accuracy=0.9)
      Traceback (most recent call last):
      ValueError: Nothing in this state listens to `accuracy`; it listens to `value`.
    """
    after = inbox.observe(optimizer.opt_state, **metrics)
    for old, new in zip(_inboxes(optimizer.opt_state), _inboxes(after), strict=True):
        if metrics.keys() & set(inbox.names_in(old)):
            (key,) = old.by_metric
            _set(old.by_metric[key], new.by_metric[key])


def _inboxes(tree: Any) -> list[inbox.Inbox]:
    nodes = jax.tree.leaves(tree, is_leaf=lambda node: isinstance(node, inbox.Inbox))
    return [node for node in nodes if isinstance(node, inbox.Inbox)]


def _set(variable: Any, value: jax.Array) -> None:
    if hasattr(type(variable), "set_value"):
        variable.set_value(value)
    else:  # Flax before 0.12.
        variable.value = value
