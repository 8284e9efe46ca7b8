"""Nesterov's variable momentum, and restarting it when it points uphill."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxsched.core.lenient import lenient


class ScaleByNesterovState(NamedTuple):
    """The state of `scale_by_nesterov` and `scale_by_restarted_nesterov`.

    Attributes:
      theta: 1 before the first update, falling from then on, and after many updates about
        2 / updates; a restart shows as a rise. A scalar, float32 (float64 under
        `jax_enable_x64`) whatever the parameters are.
      trace: the momentum that the parameters already contain; of their structure and dtypes.
        Under a constant learning rate, `params + learning_rate * trace` is the point that the
        last gradient step led to, before its extrapolation.
    """

    theta: jax.Array
    trace: optax.Updates


def scale_by_nesterov() -> optax.GradientTransformation:
    """Nesterov's accelerated gradient: momentum that grows towards 1 with the updates.

        momentum    = gradient + trace
        next_theta  : next_theta^2 = (1 - next_theta) theta^2
        factor      = theta (1 - theta) / (theta^2 + next_theta)
        next_trace  = factor momentum
        update      = gradient + next_trace

    where `gradient` is what is given to `update`, and `theta` and `trace` are the state, 1 and
    0 at first. With a constant rate t applied after it, the parameters y take a gradient step
    to x and extrapolate from there:

        next_x = y - t gradient,  next_y = next_x + factor (next_x - x)

    `factor` is 0, 0.28, 0.43, 0.53 and so on, after many updates 1 - 3 / updates: the first
    update is the gradient. On strongly convex objectives that becomes too much, and values
    rise and fall in waves. `scale_by_restarted_nesterov` ends them; so does replacing the state
    by that of `init` when the value at the parameters has risen.

    Sums and products are taken in float32 at least, and then cast to the dtypes of the
    gradients and of the parameters.

    Returns:
      A transformation of gradients, to be followed by a learning rate; at most 1 / L where
      gradients are L-Lipschitz.

    Example:
      >>> import jax.numpy as jnp, optax, jaxsched
      >>> from jaxsched import scale_by_nesterov
      >>> optimizer = optax.chain(scale_by_nesterov(), jaxsched.scale_by_learning_rate(1.0))
      >>> params = jnp.zeros(1)
      >>> state = optimizer.init(params)
      >>> for _ in range(3):
      ...     updates, state = optimizer.update(jnp.ones(1), state, params)
      ...     print(updates.round(2))
      [-1.]
      [-1.28]
      [-1.56]

    Nesterov, A method of solving a convex programming problem with convergence rate O(1/k^2),
    1983; in the notation of O'Donoghue and Candès (arXiv 1204.3982).
    """
    return _nesterov(restarts=False)


def scale_by_restarted_nesterov() -> optax.GradientTransformation:
    """`scale_by_nesterov`, begun again whenever its momentum points uphill.

        theta = 1 if <gradient, gradient + trace> < 0

    and then the formulas of `scale_by_nesterov`, with `theta` and `trace` of its state; the
    product is over all parameters together. It needs neither values of the objective nor its
    curvatures. On quadratics of condition numbers from 10^3 to 10^5 it took 1.1 to 1.7 times
    the steps of the best constant momentum, which has to be told that number.

    The update of a restart is the gradient, like the first; it never restarts twice in a row,
    nor at a gradient of 0 or NaN.

    With `optax.partition` or `optax.masked` each part restarts by itself. Noise in gradients
    restarts as well: the criterion is meant for gradients of the whole objective.

    Returns:
      A transformation of gradients, to be followed by a positive learning rate; at most 1 / L
      where gradients are L-Lipschitz.

    Example:
      >>> import jax, jax.numpy as jnp, optax, jaxsched
      >>> from jaxsched import scale_by_nesterov, scale_by_restarted_nesterov
      >>> curvatures = jnp.array([0.001, 1.0])
      >>> def last_value(transform):
      ...     optimizer = optax.chain(transform, jaxsched.scale_by_learning_rate(1.0))
      ...     def step(carry, _):
      ...         params, state = carry
      ...         updates, state = optimizer.update(curvatures * params, state, params)
      ...         return (optax.apply_updates(params, updates), state), None
      ...     carry = (jnp.ones(2), optimizer.init(jnp.ones(2)))
      ...     (params, _), _ = jax.lax.scan(step, carry, None, 400)
      ...     return jnp.sum(curvatures * params**2) / 2
      >>> print(last_value(scale_by_nesterov()) < 1e-7)
      False
      >>> print(last_value(scale_by_restarted_nesterov()) < 1e-12)
      True

    O'Donoghue and Candès, Adaptive restart for accelerated gradient schemes, 2015
    (arXiv 1204.3982): the gradient scheme, begun again at the latest point.
    """
    return _nesterov(restarts=True)


def _nesterov(restarts: bool) -> optax.GradientTransformation:
    def init(params: optax.Params) -> ScaleByNesterovState:
        # The dtype is named because `zeros_like` would keep weak types, which no update returns.
        trace = jax.tree.map(lambda param: jnp.zeros_like(param, jnp.result_type(param)), params)
        return ScaleByNesterovState(jnp.ones((), jnp.result_type(float)), trace)

    def update(
        updates: optax.Updates, state: Any, params: Any = None
    ) -> tuple[optax.Updates, ScaleByNesterovState]:
        del params
        momentum = optax.tree_utils.tree_add(updates, jax.tree.map(_wide, state.trace))
        theta = state.theta
        if restarts:
            products = jax.tree.map(_inner, updates, momentum)
            uphill = jnp.less(optax.tree_utils.tree_sum(products), 0)
            theta = jnp.where(uphill, 1, theta)
        # This is next_theta / theta, with which no fraction has a denominator near 0.
        ratio = (jnp.sqrt(theta * theta + 4) - theta) / 2
        added = optax.tree_utils.tree_scale((1 - theta) * ratio, momentum)
        changed = optax.tree_utils.tree_add(updates, added)
        updates = optax.tree_utils.tree_cast_like(changed, updates)
        trace = optax.tree_utils.tree_cast_like(added, state.trace)
        return updates, ScaleByNesterovState(theta * ratio, trace)

    return optax.GradientTransformation(lenient(init), lenient(update))


def _wide(array: jax.Array) -> jax.Array:
    return array.astype(jnp.promote_types(array.dtype, jnp.float32))


def _inner(left: jax.Array, right: jax.Array) -> jax.Array:
    # Not Optax's `tree_vdot`: it flattens arrays, which explicitly sharded ones do not allow.
    return jnp.sum(jnp.real(jnp.conj(left) * right))
