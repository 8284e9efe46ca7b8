"""How a value moves from one end to the other: the maths of every transition, once.

A curve maps the pair (left, gone), the fractions of a transition still ahead and already
behind, to the weights of its two ends. Both pairs sum to 1. Carrying both keeps small
weights accurate: `1 - weight` would lose the digits of a weight near 1, as `1 + cos` does.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxsched.core.leaves import whole
from jaxsched.core.powers import power
from jaxsched.core.steps import ratio

Curve = Callable[[jax.Array, jax.Array], tuple[jax.Array, jax.Array]]


def linear(left: jax.Array, gone: jax.Array) -> tuple[jax.Array, jax.Array]:
    """A straight line."""
    return left, gone


def cosine(left: jax.Array, gone: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Half a period of the cosine: `(1 + cos(pi gone)) / 2 = sin(pi left / 2)^2`."""
    quarter = jnp.pi / 2
    return jnp.sin(quarter * left) ** 2, jnp.sin(quarter * gone) ** 2


def raised(exponent: Any, curve: Curve = linear) -> Curve:
    """A curve whose first weight is raised to a power."""
    if isinstance(exponent, (int, float)) and exponent == 1:
        return curve
    exponent = exponent * 1.0

    def weights(left: jax.Array, gone: jax.Array) -> tuple[jax.Array, jax.Array]:
        left, gone = curve(left, gone)
        early = gone < 0.5
        # The branch not taken sees 0, where it is finite.
        log = jnp.where(early, jnp.log1p(-jnp.where(early, gone, 0)), jnp.log(left))
        return power(left, exponent), -jnp.expm1(exponent * log)

    return weights


def first_part(share: Any, curve: Curve) -> Curve:
    """The first part of a curve, of which only this share is ever reached."""
    return lambda left, gone: curve(left * share + (1 - share), gone * share)


def transition(init: Any, end: Any, count: jax.Array, steps: Any, curve: Curve = linear) -> Any:
    """From `init`, up to count 0, to `end`, from count `steps` on, along a curve.

    The ends are exact, the value never leaves their interval, and the curve only sees
    fractions strictly between 0 and 1, so its gradient is finite.
    """
    steps = whole(steps)
    ended = count >= steps
    inside = (count > 0) & ~ended
    left = jnp.where(inside, ratio(steps - count, steps), 0.5)
    gone = jnp.where(inside, ratio(count, steps), 0.5)
    from_init, from_end = curve(left, gone)
    # Selected before they are added: a fused multiply-add would round otherwise in a loop.
    from_init = jnp.where(inside, init * from_init, jnp.where(ended, 0, init))
    from_end = jnp.where(inside, end * from_end, jnp.where(ended, end, 0))
    value = from_init + from_end
    low, high = jnp.minimum(init, end), jnp.maximum(init, end)
    return jnp.where(value < low, low, jnp.where(value > high, high, value))
