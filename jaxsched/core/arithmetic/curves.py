"""How a value moves from one end to the other: the maths of every transition, once.

A curve maps the pair (left, gone), the fractions of a transition still ahead and already
behind, to the weights of its two ends. Both pairs sum to 1. Carrying both keeps small
weights accurate: `1 - weight` would lose the digits of a weight near 1, as `1 + cos` does.
The first weight may be a function of what it is the weight of, where it can be too small for
a float of its own.

At a kink a value has the slope of the piece that begins there.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxsched.core.arithmetic.chosen import whole
from jaxsched.core.arithmetic.powers import power
from jaxsched.core.arithmetic.steps import not_negative, ratio, reached, unfused, until

Curve = Callable[[jax.Array, jax.Array], tuple[Any, jax.Array]]


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

    def weights(left: jax.Array, gone: jax.Array) -> tuple[Any, jax.Array]:
        # At the ends, and in the branch not taken, it sees what it is finite for.
        inside = (left > 0) & (gone > 0)
        near, far = curve(jnp.where(inside, left, 0.5), jnp.where(inside, gone, 0.5))
        early = far < 0.5
        log = jnp.where(early, jnp.log1p(-jnp.where(early, far, 0)), jnp.log(near))
        rest = jnp.where(inside, -jnp.expm1(exponent * log), gone)
        return lambda init: jnp.where(inside, power(near, exponent, init), init * left), rest

    return weights


def rational(beta: Any) -> Curve:
    """A hyperbola `left / (left + beta gone)`: a straight line bent, for `beta > 0`."""

    def weights(left: jax.Array, gone: jax.Array) -> tuple[jax.Array, jax.Array]:
        # Beyond the end, or without any steps, where nothing asks for it, the sum could be 0.
        left, far = jnp.maximum(left, 0), unfused(beta * gone)
        total = jnp.where(left + far > 0, left + far, 1)
        return left / total, far / total

    return weights


def delayed(k: Any, curve: Curve) -> Curve:
    """A curve that is as far on as its `gone ** k` says."""
    progress = raised(k)

    def weights(left: jax.Array, gone: jax.Array) -> tuple[jax.Array, jax.Array]:
        gone, left = progress(gone, left)
        return curve(left, weighted(1.0, gone))

    return weights


def sigmoid(lower: Any, upper: Any) -> Curve:
    """`(1 - tanh x) / 2` with x from `lower` to `upper`; its ends are not 1 and 0."""

    def weights(left: jax.Array, gone: jax.Array) -> tuple[jax.Array, jax.Array]:
        x = unfused(2 * lower * left) + unfused(2 * upper * gone)
        return jax.nn.sigmoid(-x), jax.nn.sigmoid(x)

    return weights


def decaying_to(ratio: Any) -> Curve:
    """An exponential that falls to a ratio of its beginning, stretched so that it ends at 0."""
    log = jnp.clip(-jnp.log(jnp.asarray(ratio)), -80.0, 80.0)
    # Near a ratio of 1 two terms of the series, of which the first is a straight line.
    straight = jnp.abs(log) < 1e-4
    curved = jnp.where(straight, 1, log)

    def weights(left: jax.Array, gone: jax.Array) -> tuple[jax.Array, jax.Array]:
        # Beyond the end, where nothing asks for it, the exponential could overflow.
        left, gone = jnp.clip(left, 0, 1), jnp.clip(gone, 0, 1)
        near = jnp.expm1(curved * left) / jnp.expm1(curved)
        far = jnp.expm1(-curved * gone) / jnp.expm1(-curved)
        bent = log / 2
        return (
            jnp.where(straight, left - unfused(bent * left * gone), near),
            jnp.where(straight, gone + unfused(bent * left * gone), far),
        )

    return weights


def weighted(init: Any, weight: Any) -> Any:
    """A value times its weight, which may be a function of it."""
    return weight(init) if callable(weight) else init * weight


def first_part(share: Any, curve: Curve) -> Curve:
    """The first part of a curve, of which only this share is ever reached."""
    return lambda left, gone: curve(left * share + (1 - share), gone * share)


def transition(init: Any, end: Any, count: jax.Array, steps: Any, curve: Curve = linear) -> Any:
    """From `init`, up to count 0, to `end`, from count `steps` on, along a curve.

    The ends are exact, and the value never leaves their interval.
    """
    steps = whole(steps)
    passed = not_negative(count)
    weights = curve(ratio(until(passed, steps), steps), ratio(passed, steps))
    share = _begun(count, weighted(init, weights[0]), init)
    return jnp.where(reached(count, steps), end, mixture(init, end, share, weights[1]))


def _begun(count: jax.Array, share: jax.Array, init: Any) -> jax.Array:
    """`init` up to count 0, with the slope that `share` has there, and `share` from there on."""
    if jnp.issubdtype(count.dtype, jnp.integer):
        return jnp.where(count > 0, share, init)
    return _with_slope_at_0(count, share, jnp.asarray(init, share.dtype))


@jax.custom_jvp
def _with_slope_at_0(count: jax.Array, share: jax.Array, init: jax.Array) -> jax.Array:
    return jnp.where(count > 0, share, init)


@_with_slope_at_0.defjvp
def _(primals, tangents):
    slope = jnp.where(primals[0] >= 0, tangents[1], tangents[2])
    return _with_slope_at_0(*primals), slope


def mixture(init: Any, end: Any, share: jax.Array, weight: jax.Array) -> jax.Array:
    """The share that `init` has in a value, and `end` with its weight, held between the two."""
    value = share
    if not _known_zero(end):
        value = value + unfused(end * weight)
    if not (_known_zero(init) or _known_zero(end)):
        value = between(value, init, end)
    return value


def between(value: jax.Array, init: Any, end: Any) -> jax.Array:
    """`value` held within two ends that it only leaves by rounding."""
    low, high = jnp.minimum(init, end), jnp.maximum(init, end)
    return _within(value, low.astype(value.dtype), high.astype(value.dtype))


@jax.custom_jvp
def _within(value: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
    """`value` held between bounds it only exceeds by rounding: at a bound it keeps its slope."""
    return jax.lax.clamp(low, value, high)


@_within.defjvp
def _(primals, tangents):
    (value, low, high), (slope, low_slope, high_slope) = primals, tangents
    slope = jnp.where(value < low, low_slope, jnp.where(value > high, high_slope, slope))
    return _within(value, low, high), slope


def _known_zero(value: Any) -> bool:
    return isinstance(value, (int, float)) and value == 0
