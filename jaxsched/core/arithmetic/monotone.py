"""Smooth curves through given values that turn only where the values do.

Piecewise cubics whose slopes are weighted harmonic means of those of the two neighbouring
segments, or 0 where these differ in sign (Fritsch and Butland). Each cubic is kept in the
form of Bernstein, between the values at its ends and with its slopes there over the slope of
the segment. These are between 0 and 3, so no weight is negative and no digits cancel. What is
left up to 3 has its own formula: of a slope near 3 a subtraction would leave few digits.
"""

from typing import Any

import jax
import jax.numpy as jnp

from jaxsched.core.arithmetic.curves import Curve
from jaxsched.core.arithmetic.lookup import library


def cubic(first: Any, first_left: Any, last: Any, last_left: Any) -> Curve:
    """A cubic by the slopes at its ends, in units of the straight line's, and 3 less each."""

    def weights(left: jax.Array, gone: jax.Array) -> tuple[jax.Array, jax.Array]:
        early, late = left * left * gone, left * gone * gone
        near = _sum(left**3, early * first_left, late * last)
        far = _sum(gone**3, early * first, late * last_left)
        return near, far

    return weights


def _sum(*weights: jax.Array) -> jax.Array:
    # None exceeds 1. Held there, no product is fused with a sum in one program but not in another.
    outer, early, late = (jnp.minimum(weight, 1) for weight in weights)
    return outer + (early + late)


def slopes(values: Any, lengths: Any) -> Any:
    """For each segment what `cubic` takes."""
    xp = library(values)
    rises = xp.diff(values) / lengths
    if rises.shape[0] == 1:
        return xp.asarray([[1.0, 2.0, 1.0, 2.0]])
    first = _beside(xp, rises[1:], rises[:-1], lengths[1:], lengths[:-1])
    last = _beside(xp, rises[:-1], rises[1:], lengths[:-1], lengths[1:])
    begin = _outermost(xp, rises[:2], lengths[:2])
    end = _outermost(xp, rises[:-3:-1], lengths[:-3:-1])
    return xp.stack(
        [
            *(xp.append(outer, inner) for outer, inner in zip(begin, first, strict=True)),
            *(xp.append(inner, outer) for inner, outer in zip(last, end, strict=True)),
        ],
        axis=1,
    )


def _beside(xp: Any, own: Any, other: Any, length: Any, next_length: Any) -> tuple[Any, Any]:
    """The slope between a segment and its neighbour over the segment's own, and 3 less that."""
    alike = xp.sign(own) * xp.sign(other) > 0
    own, other = xp.where(alike, own, 1), xp.where(alike, other, 1)
    near = (2 * length + next_length) * own
    size = near + (length + 2 * next_length) * other
    slope, rest = 3 * (length + next_length) * other / size, 3 * (near + next_length * other) / size
    return xp.where(alike, slope, 0), xp.where(alike, rest, 3)


def _outermost(xp: Any, rises: Any, lengths: Any) -> tuple[Any, Any]:
    """The slope at an end of the whole, from three points, in the same two ways."""
    (own, other), (length, next_length) = rises * xp.sign(rises[0]), lengths
    size = (length + next_length) * own
    slope = (2 * length + next_length) * own - length * other
    rest = (length + 2 * next_length) * own + length * other
    inside = (slope > 0) & (rest > 0)
    scale = 1 / xp.where(inside, size, 1)
    least, most = xp.where(slope > 0, 3.0, 0.0), xp.where(slope > 0, 0.0, 3.0)
    return xp.where(inside, slope * scale, least), xp.where(inside, rest * scale, most)
