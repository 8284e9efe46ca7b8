"""Smooth curves through given values that turn only where the values do.

Piecewise cubics whose slopes are weighted harmonic means of those of the two neighbouring
segments, or 0 where these differ in sign (Fritsch and Butland). Each cubic is kept in the
form of Bernstein, between the values at its ends and with its slopes there over the slope of
the segment. These are between 0 and 3, so no weight is negative and no digits cancel.
"""

from typing import Any

import jax
import jax.numpy as jnp

from jaxsched.core.curves import Curve
from jaxsched.core.tables import library


def cubic(first: Any, last: Any) -> Curve:
    """A cubic with the given slopes at its ends, in units of the straight line's."""

    def weights(left: jax.Array, gone: jax.Array) -> tuple[jax.Array, jax.Array]:
        early, late = left * left * gone, left * gone * gone
        near = _sum(left**3, early * (3 - first), late * last)
        far = _sum(gone**3, early * first, late * (3 - last))
        return near, far

    return weights


def _sum(*weights: jax.Array) -> jax.Array:
    # None exceeds 1. Held there, no product is fused with a sum in one program but not in another.
    outer, early, late = (jnp.minimum(weight, 1) for weight in weights)
    return outer + (early + late)


def slopes(values: Any, lengths: Any) -> Any:
    """For each segment the slopes at its begin and at its end, in units of its own."""
    xp = library(values)
    rises = xp.diff(values) / lengths
    if rises.shape[0] == 1:
        return xp.ones((1, 2))
    first = _beside(xp, rises[1:], rises[:-1], lengths[1:], lengths[:-1])
    last = _beside(xp, rises[:-1], rises[1:], lengths[:-1], lengths[1:])
    begin = _outermost(xp, rises[:2], lengths[:2])
    end = _outermost(xp, rises[:-3:-1], lengths[:-3:-1])
    return xp.stack([xp.append(begin, first), xp.append(last, end)], axis=1)


def _beside(xp: Any, own: Any, other: Any, own_length: Any, other_length: Any) -> Any:
    """The slope between a segment and its neighbour over the segment's own."""
    near, far = 2 * own_length + other_length, own_length + 2 * other_length
    alike = xp.sign(own) * xp.sign(other) > 0
    own, other = xp.where(alike, own, 1), xp.where(alike, other, 1)
    return xp.where(alike, (near + far) * other / (near * own + far * other), 0)


def _outermost(xp: Any, rises: Any, lengths: Any) -> Any:
    """The slope at an end of the whole, over that of the segment there: from three points."""
    (own, other), (length, next_length) = rises, lengths
    size = (length + next_length) * xp.abs(own)
    slope = ((2 * length + next_length) * own - length * other) * xp.sign(own)
    inside = (slope > 0) & (slope < 3 * size)
    quotient = xp.where(inside, slope, 1) / xp.where(inside, size, 1)
    return xp.where(inside, quotient, xp.where(slope > 0, 3.0, 0.0))
