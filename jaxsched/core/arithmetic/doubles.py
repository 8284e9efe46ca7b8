"""Numbers as unevaluated sums of two floats: twice the digits, on any device.

Each product is taken apart into products of half as many digits, which are exact, so fused
multiply-adds do no harm. No number is more than 2^63: what is more is so much.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsched.core.arithmetic.rounding import unfused
from jaxsched.core.reach import whole_dtype

Double = tuple[Any, Any]

_MOST = 2.0**63


def double_of(x: Any, dtype: Any) -> Double:
    """A number as two floats: of a whole one that a count can reach no digit is lost."""
    x = jnp.asarray(x)
    if not jnp.issubdtype(x.dtype, jnp.integer):
        return x.astype(dtype), jnp.zeros((), dtype)
    low = x & 0xFFF
    return _normal((x - low).astype(dtype), low.astype(dtype))


def times(a: Double, b: Double) -> Double:
    """The product."""
    product = unfused(a[0] * b[0])
    (a0, a1), (b0, b1) = _halves(a[0]), _halves(b[0])
    error = ((a0 * b0 - product) + a0 * b1 + a1 * b0) + a1 * b1
    return _held(_normal(product, error + (a[0] * b[1] + a[1] * b[0])))


def plus(a: Double, b: float) -> Double:
    """The sum with a float."""
    total = a[0] + b
    part = total - a[0]
    error = (a[0] - (total - part)) + (b - part)
    return _normal(total, error + a[1])


def over(a: Double, b: jax.Array) -> Double:
    """The quotient by a float."""
    quotient = a[0] / b
    product, error = times((quotient, jnp.zeros_like(quotient)), (b, jnp.zeros_like(b)))
    return _normal(quotient, ((a[0] - product) - error + a[1]) / b)


def power_of(base: jax.Array, exponent: jax.Array, bits: int) -> Double:
    """A power whose whole exponent has so many bits, by repeated squaring."""
    zero = jnp.zeros_like(base)
    value, square = (jnp.ones_like(base), zero), _held((base, zero))
    for bit in range(bits):
        chosen = (exponent >> bit) & 1 == 1
        value = times(value, (jnp.where(chosen, square[0], 1), jnp.where(chosen, square[1], 0)))
        square = times(square, square)
    return value


def nearest(a: Double) -> jax.Array:
    """The nearest whole number within the reach of a count, the even one of two."""
    whole = jnp.floor(a[0])
    part = (a[0] - whole) + a[1]
    below = jnp.floor(part)
    number = whole.astype(whole_dtype()) + below.astype(whole_dtype())
    tie, up = part - below == 0.5, part - below > 0.5
    return number + jnp.where(tie, number & 1, up.astype(whole_dtype()))


def _halves(x: jax.Array) -> Double:
    integer, digits = (jnp.int32, 12) if x.dtype == jnp.float32 else (jnp.int64, 27)
    bits = jax.lax.bitcast_convert_type(x, integer) & np.asarray(-(2**digits), integer)
    high = jax.lax.bitcast_convert_type(bits, x.dtype)
    return high, x - high


def _normal(high: jax.Array, low: jax.Array) -> Double:
    total = high + low
    return total, low - (total - high)


def _held(a: Double) -> Double:
    return jnp.minimum(a[0], _MOST), jnp.where(a[0] < _MOST, a[1], 0)
